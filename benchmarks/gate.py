"""What the gate costs as the fleet grows: lock, exposure, every check, decision, intent and commit; and a refusal.

Each fleet is rows: a third of its bots hold a position, and every bot has made decisions before. One bot is measured
after another, without anybody else: who waits for the lock is the business of ``python -m proof race``.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median, quantiles
from typing import Any

from proof.database import Database, set_up_django
from tests.postgres_server import NoPostgres, postgres

FLEETS = (45, 450, 4_500)
ROUNDS = 100
DECISIONS = 4
"""Earlier decisions of every bot."""

SIZE = Decimal("0.0001")
Cost = tuple[float, float]
"""Wall and CPU milliseconds."""


@dataclass(frozen=True)
class Found:
    """The costs of every entry's gate, and of every refusal."""

    entries: list[Cost]
    refusals: list[Cost]


def measure(bots: int, database_url: str) -> Found:
    """One fleet on one database, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (bots, database_url))


def _measured(bots: int, database_url: str) -> Found:
    os.environ["DATABASE_URL"] = database_url
    set_up_django()
    from django.core.management import call_command

    if database_url:
        call_command("migrate", verbosity=0)
        call_command("flush", verbosity=0, interactive=False)
        return _rounds(bots)
    with Database(synchronous=True):
        return _rounds(bots)


def _rounds(bots: int) -> Found:
    from django.db import connection

    idle, found = _raise_fleet(bots), Found([], [])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    for number in range(ROUNDS):
        bot = idle[number % len(idle)]
        found.entries.append(_entry(bot, 2 * number))
        found.refusals.append(_refusal(bot, 2 * number + 1))
    return found


def _entry(bot: Any, number: int) -> Cost:
    """From the proposal to the committed intent; the position is closed again afterwards."""
    from execution import crash_points
    from execution.drive import leave
    from execution.models import Position
    from execution.submit import Exit
    from risk.exits import ExitReason

    committed = []
    crash_points.on_reached = lambda name: committed.append(_clocks()) if name == "entry_intended" else None
    begun, means, verdict = _enter(bot, number, stop=Decimal(58_800))
    crash_points.on_reached = None
    position = Position.objects.filter(bot=bot, status="OPEN").first()
    if position is None:
        raise RuntimeError(f"nothing was entered: {getattr(verdict, 'reason', verdict)}")
    leave(position, Exit(ExitReason.STRATEGY, "measured", Decimal(60_000)), None, means)
    return _cost(begun, committed[0])


def _refusal(bot: Any, number: int) -> Cost:
    """All of it: the refusal is committed when the gate returns. It lacks a stop."""
    begun, _, _ = _enter(bot, number, stop=None)
    return _cost(begun, _clocks())


def _enter(bot: Any, number: int, stop: Decimal | None) -> tuple[tuple[float, float], Any, Any]:
    """When the gate was entered, by what means, and what came of it."""
    from execution.portfolio import Pricing
    from execution.submit import Means, enter
    from market.clock_offset import Offset
    from risk.decisions import Grounds
    from risk.models import DeadMansSwitch
    from risk.verdicts import Proposal
    from tests.factories import SLOT_0, freshly_marked, instrument, now_at
    from tests.fakes import ScriptedExecutor, filled_at, quote

    slot, price = SLOT_0 + number, Decimal(60_000)
    now, of = now_at(slot), instrument(bot.symbol)
    base, _, currency = bot.symbol.partition("/")
    wish = Proposal(bot.pk, bot.account_id, slot, bot.symbol, base, currency, SIZE, SIZE, price, stop, None, "measured")
    pricing = Pricing(of, price, quote(bot.symbol, "60000", now.market_ms), Offset(0, 0), 300_000)
    means = Means(ScriptedExecutor(filled_at("60000")), lambda: now, of)
    freshly_marked(bot.account, now)
    DeadMansSwitch.objects.update(last_checkin_at=now.wall_at, high_water_at=now.wall_at)  # it lasts for days
    begun = _clocks()
    verdict = enter(bot, wish, pricing, Grounds(slot), means.executor, means.clock)
    return begun, means, verdict


def _raise_fleet(bots: int) -> list[Any]:
    """The rows of a fleet that has traded for a while; the bots that hold nothing."""
    from bots.models import Bot, BotStatus
    from execution.models import BotBook, Portfolio
    from risk.models import BotRiskLimits
    from tests.factories import make_account, now_at

    account = make_account(str(1_000_000 * bots))
    symbols = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT")
    columns = {"account": account, "strategy": "ema_cross", "capital": Decimal(5_000), "status": BotStatus.RUNNING}
    rows = [Bot(name=f"bot-{n}", symbol=symbols[n % len(symbols)], timeframe="15m", **columns) for n in range(bots)]
    made = Bot.objects.bulk_create(rows, batch_size=500)
    BotRiskLimits.objects.bulk_create([BotRiskLimits(bot=bot, streak_losses=30_000) for bot in made], batch_size=500)
    day, capital = now_at().market_at.date(), Decimal(5_000)
    books = [BotBook(bot=bot, peak_equity=capital, day_start_equity=capital, day=day) for bot in made]
    BotBook.objects.bulk_create(books, batch_size=500)
    _raise_history(made)
    cost = Decimal(600) * len(made[::3])
    Portfolio.objects.filter(account=account).update(cost=cost, exposure=cost)
    idle = [bot.pk for number, bot in enumerate(made) if number % 3]
    return list(Bot.objects.select_related("account", "book", "limits").filter(pk__in=idle[:ROUNDS]).order_by("pk"))


def _raise_history(bots: Sequence[Any]) -> None:
    """Decisions of every bot; an entry and an open position of every third."""
    from execution.models import Order, Position, Purpose
    from execution.states import OrderStatus, PositionStatus
    from market.orders import OrderType, Side
    from risk.models import Decision, Outcome
    from tests.factories import SLOT_0, now_at

    at = [now_at(SLOT_0 - DECISIONS + n) for n in range(DECISIONS)]
    when = [
        {"slot": SLOT_0 - DECISIONS + n, "market_at": at[n].market_at, "wall_at": at[n].wall_at}
        for n in range(DECISIONS)
    ]
    said = {"reason": "a measurement", "bot_status": "RUNNING"}
    decisions = [
        Decision(bot=bot, outcome=Outcome.NOTHING if n else Outcome.APPROVED, **said, **when[n])
        for bot in bots
        for n in range(DECISIONS)
    ]
    first = Decision.objects.bulk_create(decisions, batch_size=500)[::DECISIONS]
    held = [
        Position(
            account=bot.account,
            bot=bot,
            symbol=bot.symbol,
            status=PositionStatus.OPEN,
            entry_slot=SLOT_0 - DECISIONS,
            quantity=Decimal("0.01"),
            cost=Decimal(600),
            exposure=Decimal(600),
            stop_price=Decimal(58_000),
            created_at=at[0].market_at,
            opened_at=at[0].market_at,
        )
        for bot in bots[::3]
    ]
    positions = Position.objects.bulk_create(held, batch_size=200)
    orders = [
        Order(
            account=position.account,
            bot=position.bot,
            position=position,
            decision=decision,
            client_order_id=f"past-{position.pk}",
            purpose=Purpose.ENTRY,
            symbol=position.symbol,
            side=Side.BUY,
            type=OrderType.MARKET,
            amount=Decimal("0.01"),
            filled=Decimal("0.01"),
            reference_price=Decimal(60_000),
            status=OrderStatus.FILLED,
            market_at=at[0].market_at,
            prepared_at=at[0].wall_at,
            sent_at=at[0].wall_at,
            finished_at=at[0].wall_at,
        )
        for position, decision in zip(positions, first[::3], strict=True)
    ]
    Order.objects.bulk_create(orders, batch_size=200)


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _cost(begun: tuple[float, float], ended: tuple[float, float]) -> Cost:
    return (ended[0] - begun[0]) * 1000, (ended[1] - begun[1]) * 1000


def main() -> None:
    _table("SQLite", "")
    try:
        with postgres() as url:
            _table("PostgreSQL", url)
    except NoPostgres as reason:
        sys.stdout.write(f"PostgreSQL: {reason}\n")


def _table(name: str, url: str) -> None:
    for bots in FLEETS:
        found = measure(bots, url)
        row = f"{name:11} {bots:5} bots   entry {_shown(found.entries)}   refusal {_shown(found.refusals)}"
        sys.stdout.write(row + "\n")
        sys.stdout.flush()


def _shown(costs: Sequence[Cost]) -> str:
    wall, cpu = [cost[0] for cost in costs[10:]], [cost[1] for cost in costs[10:]]
    return f"{median(wall):6.2f} ms (p95 {quantiles(wall, n=20)[-1]:6.2f}), CPU {median(cpu):6.2f} ms"


if __name__ == "__main__":
    main()
