"""What an order costs: from the decision to the POST, from the answer to the committed position, and in statements."""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import median, quantiles
from typing import Any

import django

from soak.live_fleet import go_live
from tests.rig import Rig

ROUNDS = 150
SIZE, NORMAL = Decimal("0.001"), Decimal("0.1")  # so small that no losing streak forbids it


@dataclass
class Watch:
    """When each named moment of an order was reached, and how many statements were run up to then."""

    at: dict[str, tuple[float, int]] = field(default_factory=dict)
    statements: int = 0

    def reached(self, name: str) -> None:
        self.at[name] = (time.perf_counter(), self.statements)

    def count(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        """A wrapper around every statement."""
        self.statements += 1
        return execute(*arguments)

    def between(self, first: str, second: str) -> tuple[float, int]:
        """Milliseconds and statements."""
        (begun_s, before), (ended_s, after) = self.at[first], self.at[second]
        return (ended_s - begun_s) * 1000, after - before


SPANS = {
    "decision to POST (gate, intent, let go)": ("begun", "entry_let_go"),
    "the exchange's answer to the entry": ("entry_let_go", "entry_answered"),
    "answer to committed position": ("entry_answered", "entry_recorded"),
    "filled to a stop at the exchange": ("entry_answered", "stop_answered"),
    "the whole entry, its stop booked": ("begun", "stop_recorded"),
    "decision to exit until the sale is POSTed": ("leaving", "exit_let_go"),
    "the whole exit, the position closed": ("leaving", "exit_recorded"),
}


def measure() -> dict[str, list[tuple[float, int]]]:
    """Milliseconds and statements of every span, one pair a round."""
    with Rig(1.0) as rig:
        rig.tell_exchange("/sim/limits", {"orders_10s": 100_000, "orders_1d": 1_000_000, "weight_1m": 1_000_000})
        go_live(rig, 1)
        os.environ.update(rig.environment)
        django.setup()
        return _rounds()


def _rounds() -> dict[str, list[tuple[float, int]]]:
    from django.db import connection

    from bots.models import Bot
    from execution import crash_points
    from execution.reconcile import reconcile_account
    from tradingplatform.means import means_of
    from tradingplatform.wiring import platform

    ours, bot = platform(), Bot.objects.select_related("account", "book").get()
    account = bot.account
    reconcile_account(
        account, ours.desk(account), lambda symbol: means_of(ours, account, symbol), ours.clock.now, lambda: None
    )
    _without_rates()
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for number in range(ROUNDS):
        watch = Watch()
        crash_points.on_reached = watch.reached
        with connection.execute_wrapper(watch.count):
            _round_trip(ours, bot, number, watch)
        for name, span in SPANS.items():
            found[name].append(watch.between(*span))
    return found


def _without_rates() -> None:
    """So many orders in a minute are what the order rate is there to refuse."""
    from risk.limits import LARGEST_WHOLE
    from risk.models import BotRiskLimits, PortfolioRiskLimits

    for rows in (BotRiskLimits.objects.all(), PortfolioRiskLimits.objects.all()):
        rows.update(max_orders_per_minute=LARGEST_WHOLE)


def _round_trip(ours: Any, bot: Any, number: int, watch: Watch) -> None:
    from execution.drive import drive, leave
    from execution.models import Position
    from execution.submit import Exit, enter
    from risk.decisions import Grounds
    from risk.exits import ExitReason
    from tradingplatform.means import means_of

    means = means_of(ours, bot.account, bot.symbol)
    wish, pricing = _wish(ours, bot, number)
    watch.reached("begun")
    verdict = enter(bot, wish, pricing, Grounds(wish.slot), means.executor, means.clock)
    position = Position.objects.filter(bot=bot, status="OPEN").first()
    if position is None:
        raise RuntimeError(f"nothing was entered: {getattr(verdict, 'reason', verdict)}")
    drive(position.pk, means)
    watch.reached("leaving")
    leave(position, Exit(ExitReason.STRATEGY, "measured", pricing.quote.bid), None, means)


def _wish(ours: Any, bot: Any, number: int) -> tuple[Any, Any]:
    from execution.portfolio import Pricing
    from risk.verdicts import Proposal

    instrument, quote = ours.instruments()[bot.symbol], ours.exchange.fetch_quote(bot.symbol)
    base, _, currency = bot.symbol.partition("/")
    worst = instrument.round_price_up(quote.ask * Decimal("1.001"))
    stop = instrument.round_price_down(quote.bid * Decimal("0.97"))
    slot = 1_900_000 + number
    wish = Proposal(
        bot.pk, bot.account_id, slot, bot.symbol, base, currency, SIZE, NORMAL, worst, stop, None, "a measurement"
    )
    return wish, Pricing(instrument, quote.last, quote, ours.fetcher.clock_offset(), 10_000)


def main() -> None:
    for name, spans in measure().items():
        times = [ms for ms, _ in spans[5:]]
        statements = median(count for _, count in spans[5:])
        row = (
            f"{name:45} {median(times):7.2f} ms, p95 {quantiles(times, n=20)[-1]:7.2f} ms, {statements:3.0f} statements"
        )
        sys.stdout.write(row + "\n")


if __name__ == "__main__":
    main()
