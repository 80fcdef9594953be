"""The status: every figure it promises, and the identity of equity to the last digit."""

import json
import threading
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bots.models import Bot
from execution.ledger import Holding, apply_fill, cash_change
from execution.models import CapitalChange, Order, Portfolio, Position, Purpose, Trade
from execution.states import OrderStatus, PositionStatus
from execution.totals import equity
from market.money import exact
from market.orders import Fill, OrderType, Side
from risk.models import Decision, Halt, Outcome
from tests.execution.test_orders_and_money import buy, sell
from tests.factories import make_account, make_bot, now_at
from tests.fakes import ScriptedExecutor, filled_at
from tests.fleet.test_read import DEFAULT, read
from tradingplatform.fleet.load import load_fleet
from tradingplatform.sim_stats import exchange_stats
from tradingplatform.status import read_status
from tradingplatform.status_table import status_table

NOW = now_at()

db = pytest.mark.django_db


def identity_holds(status):
    with exact():
        total = sum(Decimal(status[name]) for name in ("starting_capital", "realised", "unrealised"))
        parts = Decimal(status["cash"]) + Decimal(status["positions_worth"])
        assert Decimal(status["equity"]) == total == parts


@db
def test_an_empty_database():
    status = read_status()
    assert status["equity"] == status["realised"] == "0"
    assert status["last_tick_age_s"] is None
    assert status["bots"] == {"STOPPED": 0, "RUNNING": 0, "PAUSED": 0, "HALTED": 0}
    assert "0 failed" in status_table(status)


@db
def test_a_fresh_fleet():
    load_fleet(read(DEFAULT.read_text()), NOW, "tester")
    out = StringIO()
    call_command("status", "--json", stdout=out)
    status = json.loads(out.getvalue())
    assert status["bots"]["RUNNING"] == 45
    assert status["equity"] == status["starting_capital"] == "100000"
    assert len(status["fleet"]) == 45
    assert set(status["exchange"]) == {"requests", "candle_requests", "weight_1m", "reason"}
    table = status_table(status).splitlines()
    assert sum("RUNNING" in line for line in table) == 45
    assert max(map(len, table)) <= 140


@db
def test_counts_and_money_after_trading():
    first, second = make_bot(), make_bot(account=Bot.objects.get().account)
    executor = ScriptedExecutor(filled_at("60012.34"))
    buy(first, executor)
    sell(first, ScriptedExecutor(filled_at("61000.07")), price="61000")
    buy(second, executor)
    Bot.objects.filter(pk=first.pk).update(ticks=7, ticks_failed=2, last_tick_at=timezone.now() - timedelta(seconds=30))
    Decision.objects.create(
        bot=first,
        slot=1,
        outcome=Outcome.REFUSED,
        failed_check="exposure",
        reason="r",
        bot_status="RUNNING",
        market_at=NOW.market_at,
        wall_at=NOW.wall_at,
    )
    Halt.objects.create(account=first.account, cause="c", text="t", market_at=NOW.market_at, raised_at=NOW.wall_at)
    status = read_status()
    identity_holds(status)
    portfolio = Portfolio.objects.get(account=first.account)
    assert Decimal(status["equity"]) == equity(portfolio)
    assert Decimal(status["realised"]) == portfolio.realised
    assert Decimal(status["unrealised"]) == portfolio.unrealised
    assert Decimal(status["fees"]) == portfolio.fees
    assert (status["orders"], status["fills"], status["ticks"], status["ticks_failed"]) == (3, 3, 7, 2)
    assert status["positions"] == {"FLAT": 0, "OPENING": 0, "OPEN": 1, "CLOSING": 0, "CLOSED": 1}
    assert status["exits"] == {"STRATEGY": 1}
    assert status["refusals"]["exposure"] == 1
    assert status["halts"] == 1
    assert 29 < status["last_tick_age_s"] < 40
    lines = {line["name"]: line for line in status["fleet"]}
    assert lines[second.name]["position"] == "0.01"
    assert lines[first.name]["position"] == ""


FIGURES = st.decimals(min_value="0.00000001", max_value="99999", places=8, allow_nan=False)
MOVES = st.lists(st.tuples(st.booleans(), FIGURES, FIGURES, st.sampled_from(["USDT", "BTC"])), min_size=1, max_size=12)


@pytest.mark.django_db(transaction=False)
@given(moves=MOVES, mark=FIGURES)
@hypothesis_settings(max_examples=60, deadline=None)
def test_equity_is_exact_for_any_sequence_of_fills(moves, mark):
    with transaction.atomic():
        bot = make_bot()
        book_all(bot, moves, mark)
        status = read_status()
        identity_holds(status)
        flows = Trade.objects.values_list("cash_change", flat=True)
        with exact():
            assert Decimal(status["cash"]) == 100_000 + sum(flows)
        transaction.set_rollback(True)


def book_all(bot, moves, mark):
    position = Position.objects.create(
        account=bot.account,
        bot=bot,
        symbol=bot.symbol,
        status=PositionStatus.OPEN,
        entry_slot=1,
        stop_price=Decimal(1),
        mark_price=mark,
        created_at=NOW.market_at,
    )
    order = Order.objects.create(
        account=bot.account,
        bot=bot,
        position=position,
        client_order_id=f"o{bot.pk}",
        purpose=Purpose.EXIT,
        symbol=bot.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        amount=Decimal(1),
        reference_price=Decimal(1),
        status=OrderStatus.FILLED,
        market_at=NOW.market_at,
        prepared_at=NOW.wall_at,
    )
    held = Holding()
    for number, (is_buy, amount, price, fee_currency) in enumerate(moves):
        side = Side.BUY if is_buy else Side.SELL
        if side is Side.SELL:
            amount = min(amount, held.quantity)
            fee_currency = "USDT"
        if not amount:
            continue
        fill = Fill(str(number), price, amount, amount / 1000, fee_currency, NOW.market_at)
        held = apply_fill(held, side, fill, "BTC", "USDT")
        Trade.objects.create(
            account=bot.account,
            order=order,
            position=position,
            symbol=bot.symbol,
            side=side,
            trade_id=str(number),
            price=price,
            amount=amount,
            fee=fill.fee,
            fee_currency=fee_currency,
            cash_change=cash_change(side, fill, "USDT"),
            executed_at=NOW.market_at,
        )
    Position.objects.filter(pk=position.pk).update(
        quantity=held.quantity, cost=held.cost, realised=held.realised, fees=held.fees
    )


@db
def test_deposits_are_no_profit():
    account = make_account("1000")
    CapitalChange.objects.create(
        account=account, kind="DEPOSIT", amount=Decimal("0.1"), market_at=NOW.market_at, wall_at=NOW.wall_at
    )
    status = read_status()
    assert (status["starting_capital"], status["equity"], status["realised"]) == ("1000.1", "1000.1", "0")


@pytest.mark.django_db(transaction=True)
def test_reading_keeps_nobody_from_writing():
    """While a status is being read another connection writes, and the reading still sees one moment."""
    from tradingplatform.reading import one_moment

    bot = make_bot()
    failures = []

    def write():
        try:
            Bot.objects.filter(pk=bot.pk).update(ticks=5)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    with one_moment():
        before = Bot.objects.get(pk=bot.pk).ticks
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(4)
        assert not thread.is_alive()
        assert Bot.objects.get(pk=bot.pk).ticks == before
    assert not failures
    assert Bot.objects.get(pk=bot.pk).ticks == 5


class Stats(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Stats) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_the_exchange_is_asked(server):
    Stats.body = b'{"requests": 9, "candle_requests": 4, "weight_1m": 12, "more": 1}'
    assert exchange_stats(server) == {"requests": 9, "candle_requests": 4, "weight_1m": 12}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"requests": null}'])
def test_an_exchange_that_talks_nonsense(server, body):
    Stats.body = body
    stats = exchange_stats(server)
    assert stats["requests"] is None
    assert stats["reason"]


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9", "http://nobody.invalid", "not a url"])
def test_an_exchange_that_cannot_be_reached(url):
    stats = exchange_stats(url)
    assert stats["weight_1m"] is None
    assert stats["reason"]
