"""What the console's long lists cost when much has been kept: CPU time of a page by the way it is filtered.

A fleet of 45 bots with 1,000,000 snapshots, 100,000 trades and as many orders, 50,000 positions, 300,000 decisions and
300,000 events, in a SQLite database of its own. Pages are asked for through Django's test client: middleware, queries,
templates. The first request of each is not counted.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from statistics import median
from typing import Any

from proof.database import Database, set_up_django

BOTS = 45
SNAPSHOTS, POSITIONS, DECISIONS, EVENTS = 1_000_000, 50_000, 300_000, 300_000
PER_DAY = 96
"""Decisions of a bot, every quarter of an hour."""

ROUNDS = 5
CHECKS = 25


def main() -> None:
    set_up_django()
    with Database():
        begun = time.perf_counter()
        _raise_rows()
        _say(f"made in {time.perf_counter() - begun:.0f} s")
        client = _logged_in()
        _say(f"{'median ms (queries)':18}{''.join(f'{name:>14}' for name in WAYS)}")
        for model in _lists():
            shown = [_page(client, model, way) for way in WAYS]
            _say(f"{model._meta.model_name:18}{''.join(f'{cell:>14}' for cell in shown)}")


WAYS = ("plain", "one bot", "7 days", "an old day", "strategy", "search", "found none", "page 50")


def _lists() -> list[Any]:
    from execution.models import CapitalChange, EquitySnapshot, Order, Position, Trade
    from notifications.models import AuditEntry, Condition, Event
    from risk.models import Decision

    return [Position, Order, Trade, Decision, Event, EquitySnapshot, CapitalChange, AuditEntry, Condition]


def _page(client: Any, model: Any, way: str) -> str:
    """The median of some requests in milliseconds of CPU time, and the queries of one; empty for no such filter."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    query = _query(model, way)
    if query is None:
        return ""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address, query)
    asked = len(queries)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} {query}: {answer.status_code}")
    took = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        client.get(address, query)
        took.append((time.process_time() - begun) * 1000)
    return f"{median(took):.0f} ({asked})"


def _query(model: Any, way: str) -> dict[str, str] | None:
    """What is asked of the list; None where it cannot be."""
    from bots.models import Bot
    from tests.factories import now_at

    name = str(model._meta.model_name)
    bot = Bot.objects.earliest("pk")
    end = now_at().market_at.date()
    by_bot = {"event": "bot_id", "auditentry": "bot_id", "trade": "order__bot__id__exact"}
    days = {"trade": "executed_at", "position": "created_at", "auditentry": "wall_at", "condition": "began_at"}
    through = {"trade": "order__bot__"}.get(name, "bot__")
    day = days.get(name, "market_at")
    asked: dict[str, dict[str, str] | None] = {
        "plain": {},
        "one bot": {by_bot.get(name, "bot__id__exact"): str(bot.pk)},
        "7 days": {f"{day}_from": str(end - timedelta(days=6)), f"{day}_to": str(end)},
        "an old day": {f"{day}_from": str(end - timedelta(days=60)), f"{day}_to": str(end - timedelta(days=60))},
        "strategy": {f"{through}strategy__exact": "ema_cross"},
        "search": {"q": "bot-7"},
        "found none": {"q": "nothing-like-it"},
        "page 50": {"p": "50"},
    }
    missing = {
        "one bot": ("capitalchange", "condition"),
        "strategy": ("event", "capitalchange", "auditentry", "condition"),
        "page 50": ("capitalchange", "auditentry", "condition"),
    }
    return None if name in missing.get(way, ()) else asked[way]


def _logged_in() -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.create_superuser("operator"))
    return client


def _raise_rows() -> None:
    from bots.models import Bot, BotStatus
    from execution.models import EquitySnapshot
    from notifications.models import Event
    from risk.models import Decision
    from tests.factories import make_account

    account = make_account("1000000")
    columns = {"account": account, "timeframe": "15m", "capital": Decimal(5_000), "status": BotStatus.RUNNING}
    of = [("ema_cross", "BTC/USDT"), ("rsi_reversal", "ETH/USDT"), ("bollinger_reversion", "SOL/USDT")]
    made = [Bot(name=f"bot-{n}", strategy=of[n % 3][0], symbol=of[n % 3][1], **columns) for n in range(BOTS)]
    bots = Bot.objects.bulk_create(made)
    _store(Decision, _decisions(bots))
    _raise_trades(account, bots)
    _store(EquitySnapshot, _snapshots(account, bots))
    _store(Event, _events(bots))


def _store(model: Any, rows: Iterable[Any]) -> list[Any]:
    """The rows, in transactions of many."""
    from django.db import transaction

    stored: list[Any] = []
    source = iter(rows)
    while part := list(islice(source, 20_000)):
        with transaction.atomic():
            made = model.objects.bulk_create(part, batch_size=500)
        if len(stored) < 2 * POSITIONS:
            stored += made
    return stored


def _at(share: float) -> Any:
    """Market time: from 0, the beginning, to 1, now; as long as the decisions last."""
    from tests.factories import now_at

    return now_at().market_at - timedelta(days=(1 - share) * DECISIONS / BOTS / PER_DAY)


def _decisions(bots: list[Any]) -> Iterator[Any]:
    from risk.models import Decision, Outcome

    signal = {"action": "NONE", "reason": "the averages did not cross", "fast": "60123.12", "slow": "60234.34"}
    candle = {"opened_ms": 1, "open": "60000", "high": "60010", "low": "59990", "close": "60001", "volume": "12.34"}
    checks = [{"name": f"check_{n}", "passed": True, "limit": "0.25 of 5000", "value": "12.5"} for n in range(CHECKS)]
    for number in range(DECISIONS):
        entry = number % 50 == 0
        yield Decision(
            bot=bots[number % BOTS],
            slot=number // BOTS,
            outcome=Outcome.APPROVED if entry else Outcome.NOTHING,
            reason="the averages crossed" if entry else "the averages did not cross",
            bot_status="RUNNING",
            signal=signal,
            candle=candle,
            checks=checks if entry else [],
            market_at=_at(number / DECISIONS),
            wall_at=_at(number / DECISIONS),
        )


def _raise_trades(account: Any, bots: list[Any]) -> None:
    """Closed positions with an order in and one out, each filled at once."""
    from execution.models import Order, Position, Trade
    from risk.models import Decision

    positions = _store(Position, (_position(account, bots[n % BOTS], n) for n in range(POSITIONS)))
    allowed = list(islice(Decision.objects.filter(outcome="APPROVED").values_list("pk", flat=True), POSITIONS))
    _lift_rules()
    orders = _store(Order, (order for n, of in enumerate(positions) for order in _orders(of, n, allowed)))
    _store(Trade, (_trade(order, n) for n, order in enumerate(orders)))


def _lift_rules() -> None:
    """There are fewer decisions than entries here: only rows are measured."""
    from django.db import connection

    from execution.apps import ENTRY_NEEDS_APPROVAL

    with connection.cursor() as cursor:
        cursor.execute(ENTRY_NEEDS_APPROVAL.drop(connection.vendor))
        cursor.execute("DROP INDEX IF EXISTS one_entry_order_per_decision")


def _position(account: Any, bot: Any, number: int) -> Any:
    from execution.models import Position

    at = _at(number / POSITIONS)
    profit = Decimal(number % 1_000 - 480) / 100
    return Position(
        account=account,
        bot=bot,
        symbol=bot.symbol,
        status="CLOSED",
        entry_slot=number,
        realised=profit,
        fees=Decimal("0.12345678"),
        entry_price=Decimal(60_000),
        exit_price=Decimal(60_010),
        stop_price=Decimal(59_000),
        exit_reason="STRATEGY",
        created_at=at,
        opened_at=at,
        closed_at=at + timedelta(hours=1),
    )


def _orders(position: Any, number: int, allowed: list[int]) -> Iterator[Any]:
    from execution.models import Order

    for purpose, side in (("ENTRY", "BUY"), ("EXIT", "SELL")):
        yield Order(
            account=position.account,
            bot=position.bot,
            position=position,
            decision_id=allowed[number % len(allowed)] if purpose == "ENTRY" else None,
            client_order_id=f"a1b2c3-{number}-{purpose[:2].lower()}",
            exchange_order_id=f"{2 * number}",
            purpose=purpose,
            symbol=position.symbol,
            side=side,
            type="MARKET",
            amount=Decimal("0.01234"),
            filled=Decimal("0.01234"),
            filled_cost=Decimal("740.4"),
            reference_price=Decimal(60_000),
            status="FILLED",
            market_at=position.created_at,
            prepared_at=position.created_at,
        )


def _trade(order: Any, number: int) -> Any:
    from execution.models import Trade

    return Trade(
        account=order.account,
        order=order,
        position=order.position,
        symbol=order.symbol,
        side=order.side,
        trade_id=f"t{number}",
        price=Decimal("60000.12"),
        amount=Decimal("0.01234"),
        fee=Decimal("0.7404"),
        fee_currency="USDT",
        cash_change=Decimal("-741.14"),
        executed_at=order.market_at,
    )


def _snapshots(account: Any, bots: list[Any]) -> Iterator[Any]:
    from execution.models import EquitySnapshot

    for number in range(SNAPSHOTS):
        yield EquitySnapshot(
            account=account,
            bot=bots[number % BOTS] if number % 46 else None,
            market_at=_at(number / SNAPSHOTS),
            equity=Decimal("5012.34567891"),
            realised=Decimal("12.3456"),
            unrealised=Decimal("0.00007891"),
        )


def _events(bots: list[Any]) -> Iterator[Any]:
    from notifications.models import Event

    kinds = ("signal", "entry_order", "order_filled", "position_opened", "exit_order", "position_closed", "bot_halted")
    for number in range(EVENTS):
        at, kind = _at(number / EVENTS), kinds[number % len(kinds)]
        yield Event(
            kind=kind,
            severity="WARNING" if kind == "bot_halted" else "INFO",
            bot_id=bots[number % BOTS].pk,
            text=f"bot-{number % BOTS} {kind.replace('_', ' ')} 0.01234 BTC at 60,000.12 USDT",
            payload={"symbol": "BTC/USDT", "price": "60000.12", "amount": "0.01234", "order": f"a1b2c3-{number}"},
            market_at=at,
            wall_at=at,
            seq=number + 1,
        )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
