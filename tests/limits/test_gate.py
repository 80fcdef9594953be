"""What the order gate reads from the rows for its checks of sanity, and that it does not cost more with time."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from execution.models import AssetBalance, Order, Portfolio, Position
from execution.submit import enter
from market.clock import Now
from risk.decisions import Grounds
from risk.models import BotRiskLimits, Decision, LimitChange, PortfolioRiskLimits
from risk.verdicts import Approved
from tests.execution.test_orders_and_money import buy, pricing, proposal, sell
from tests.factories import SLOT_0, freshly_marked, make_account, make_bot, make_position, now_at
from tests.fakes import ScriptedExecutor, filled_at
from tradingplatform.acting import By
from tradingplatform.limit_acts import change_limit

pytestmark = pytest.mark.django_db

NOW = now_at()


def later(ms):
    return Now(NOW.wall_ms + ms, NOW.market_ms + ms)


def venue():
    return ScriptedExecutor(filled_at("60000"))


def figures(decision, check):
    return next((row["limit"], row["value"]) for row in decision.checks if row["name"] == check)


def enter_on(bot, candle_ms, slot=SLOT_0, symbol=None):
    wish = proposal(bot, slot=slot, **({"symbol": symbol} if symbol else {}))
    grounds = Grounds(slot, candle={"opened_ms": candle_ms})
    return enter(bot, wish, pricing(wish.symbol), grounds, venue(), lambda: NOW)


class TestLimits:
    def test_a_loosening_holds_at_the_gate_from_its_slot_on_though_nothing_else_runs(self):
        bot = make_bot()
        change_limit(bot, "max_position", "0.1", By("ann", NOW, "r"))
        change_limit(bot, "max_position", "0.3", By("ann", NOW, "r"), bot.name)
        assert buy(bot, venue()).check == "max_position"  # 600 of 5,000
        at = now_at(SLOT_0 + 1)
        freshly_marked(bot.account, at)
        wish = proposal(bot, slot=SLOT_0 + 1)
        priced = pricing(at_ms=at.market_ms - 1000)
        assert isinstance(enter(bot, wish, priced, Grounds(wish.slot), venue(), lambda: at), Approved)
        assert LimitChange.objects.latest("asked_at", "pk").applied_at == at.wall_at

    def test_a_row_that_is_gone_refuses_with_its_reason(self):
        bot = make_bot()
        PortfolioRiskLimits.objects.all().delete()
        assert buy(bot, venue()).reason == f"limits: there are no limits of account {bot.account}"

    def test_a_row_out_of_bounds_refuses_with_its_reason(self):
        if connection.vendor != "sqlite":
            pytest.skip("PostgreSQL keeps its constraints whoever asks")
        bot = make_bot()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            cursor.execute("UPDATE risk_botrisklimits SET max_position = '25'")
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
        assert "max_position must be a Decimal between 0 and 1" in buy(bot, venue()).reason


class TestDuplicates:
    def test_a_bot_with_a_live_position(self):
        bot = make_bot()
        make_position(bot, NOW.market_at)
        verdict = buy(bot, venue())
        assert (verdict.check, verdict.value) == ("duplicate_signal", "1 live position")

    @pytest.mark.parametrize(("slot", "check"), [(SLOT_0 - 1, "duplicate_signal"), (SLOT_0 + 1, None)])
    def test_the_slot_of_the_last_entry(self, slot, check):
        bot = make_bot()
        buy(bot, venue())
        sell(bot, venue(), slot=SLOT_0 + 5)
        assert getattr(buy(bot, venue(), slot=slot), "check", None) == check

    @pytest.mark.parametrize(("symbol", "check"), [(None, "duplicate_signal"), ("ETH/USDT", None)])
    def test_the_candle_of_the_last_entry(self, symbol, check):
        bot = make_bot()
        assert isinstance(enter_on(bot, 1000), Approved)
        sell(bot, venue(), slot=SLOT_0 + 5)
        if symbol:
            type(bot).objects.filter(pk=bot.pk).update(symbol=symbol)
            bot = type(bot).objects.select_related("account", "book").get(pk=bot.pk)
        verdict = enter_on(bot, 1000, slot=SLOT_0 + 1, symbol=symbol)
        assert getattr(verdict, "check", None) == check
        if check:
            assert verdict.reason == "duplicate_signal: the bot has entered on this candle already"

    def test_a_slot_of_a_shorter_timeframe_does_not_keep_a_longer_one_out_for_years(self):
        bot = make_bot()
        buy(bot, venue())
        sell(bot, venue(), slot=SLOT_0 + 5)
        type(bot).objects.filter(pk=bot.pk).update(timeframe="1h")
        bot = type(bot).objects.select_related("account", "book").get(pk=bot.pk)
        assert buy(bot, venue(), slot=SLOT_0 // 4).check == "duplicate_signal", "it was entered in this hour"
        assert isinstance(buy(bot, venue(), slot=SLOT_0 // 4 + 1), Approved)


class TestRates:
    def order(self, bot, at, number):
        """An exit's order, as good as any."""
        position = Position.objects.filter(bot=bot).first() or make_position(bot, at, status="CLOSED", closed_at=at)
        names = {"account_id": bot.account_id, "bot": bot, "position": position, "symbol": bot.symbol}
        Order.objects.create(
            **names,
            client_order_id=f"{bot.pk}-{number}",
            purpose="EXIT",
            side="SELL",
            type="MARKET",
            amount=1,
            reference_price=1,
            status="FILLED",
            market_at=at,
            prepared_at=at,
        )

    @pytest.mark.parametrize(
        ("count", "ago_ms", "check"),
        [(9, 0, None), (10, 0, "order_rate"), (10, 59_999, "order_rate"), (10, 60_000, None), (10, -5, "order_rate")],
    )
    def test_of_a_bot(self, count, ago_ms, check):
        bot = make_bot()
        for number in range(count):
            self.order(bot, later(-ago_ms).market_at, number)
        assert getattr(buy(bot, venue()), "check", None) == check

    @pytest.mark.parametrize(("limit", "check"), [(5, "order_rate"), (6, None)])
    def test_of_an_account_whose_other_bots_order(self, limit, check):
        account = make_account()
        bot, other, elsewhere = make_bot(account), make_bot(account), make_bot()
        PortfolioRiskLimits.objects.filter(account=account).update(max_orders_per_minute=limit)
        for number in range(5):
            self.order(other, NOW.market_at, number)
            self.order(elsewhere, NOW.market_at, number)
        verdict = buy(bot, venue())
        assert getattr(verdict, "check", None) == check
        assert figures(Decision.objects.get(bot=bot), "order_rate")[1] == "0 and 5"

    def test_no_more_is_counted_than_the_limit_needs(self):
        bot = make_bot()
        for number in range(30):
            self.order(bot, NOW.market_at, number)
        with CaptureQueriesContext(connection) as queries:
            verdict = buy(bot, venue())
        assert verdict.value == "11 and 30"
        counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"] and "execution_order" in query["sql"]]
        assert len(counts) == 2
        assert all("LIMIT" in count for count in counts)
        if connection.vendor == "sqlite":
            for count, index in zip(counts, ("order_bot_time", "order_account_time"), strict=True):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN QUERY PLAN {count}")
                    assert index in str(cursor.fetchall())


class TestMarks:
    @pytest.mark.parametrize(
        ("ago_ms", "check"), [(0, None), (30_000, None), (30_001, "fresh_marks"), (None, "fresh_marks")]
    )
    def test_an_account_that_holds_something(self, ago_ms, check):
        account = make_account()
        bot, other = make_bot(account), make_bot(account)
        assert isinstance(buy(other, venue()), Approved)
        marked_at = None if ago_ms is None else later(-ago_ms).market_at
        Portfolio.objects.filter(account=account).update(marked_at=marked_at)
        assert getattr(buy(bot, venue()), "check", None) == check

    def test_an_account_that_holds_nothing_needs_none(self):
        bot = make_bot()
        Portfolio.objects.update(marked_at=None)
        assert isinstance(buy(bot, venue()), Approved)


class TestMoney:
    def test_the_largest_order(self):
        bot = make_bot()
        PortfolioRiskLimits.objects.update(max_order=Decimal("0.0059"))
        assert buy(bot, venue()).check == "max_order"
        assert figures(Decision.objects.get(), "max_order") == ("590", "600")

    def test_the_collar_is_the_accounts(self):
        bot = make_bot()
        PortfolioRiskLimits.objects.update(price_collar=Decimal("0.0001"))
        assert buy(bot, venue(), price="60006.01").check == "price_collar"
        assert isinstance(buy(bot, venue(), price="60006", slot=SLOT_0 + 1), Approved)

    @pytest.mark.parametrize(("balance", "check"), [("601.2", None), ("601.19", "free_cash"), (None, "free_cash")])
    def test_cash_must_be_there_by_the_balance_of_the_quote_currency_too(self, balance, check):
        bot = make_bot()
        if balance is None:
            AssetBalance.objects.all().delete()
        else:
            AssetBalance.objects.update(amount=Decimal(balance))
        verdict = buy(bot, venue())
        assert getattr(verdict, "check", None) == check


def test_the_gate_reads_as_much_after_many_trades_as_after_one():
    bot = make_bot()
    BotRiskLimits.objects.update(max_orders_per_minute=1000, streak_losses=1000)
    PortfolioRiskLimits.objects.update(max_orders_per_minute=1000)
    counts = []
    for number in range(6):
        with CaptureQueriesContext(connection) as queries:
            assert isinstance(buy(bot, venue(), slot=SLOT_0 + 3 * number), Approved)
        counts.append(len(queries))
        sell(bot, venue(), slot=SLOT_0 + 3 * number + 1, price="60000")
    assert len(set(counts[1:])) == 1
