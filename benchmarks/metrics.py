"""``python -m benchmarks.metrics``: one scrape of a fleet of 45 bots that hold positions, with history behind them."""

import os
import statistics
import sys
import time
from datetime import timedelta

import django

from tests.rig import Rig

ROUNDS, HISTORY = 200, 20_000


def main() -> None:
    with Rig(1.0) as rig:
        rig.load_fleet(45)
        os.environ.update(rig.environment)
        django.setup()
        _fill()
        took = _scrapes()
    sys.stdout.write(
        f"/metrics, 45 bots with positions, {HISTORY} decisions: {statistics.median(took):.1f} ms (median),"
        f" {sorted(took)[int(ROUNDS * 0.99)]:.1f} ms (99 %)\n"
    )


def _fill() -> None:
    """A position for every bot, and decisions of the past, the last hour's among them."""
    from bots.models import Bot
    from execution.models import Portfolio
    from risk.models import Decision, Outcome
    from tests.factories import make_position
    from tradingplatform.wiring import platform

    at = platform().clock.now().market_at
    bots = list(Bot.objects.select_related("account"))
    for bot in bots:
        make_position(bot, at)
    Portfolio.objects.update(marked_at=at)
    times = [at - timedelta(minutes=15 * (number // len(bots))) for number in range(HISTORY)]
    Decision.objects.bulk_create(
        Decision(
            bot=bots[number % len(bots)],
            slot=number,
            outcome=Outcome.NOTHING,
            reason="nothing to do",
            bot_status="RUNNING",
            market_at=moment,
            wall_at=moment,
        )
        for number, moment in enumerate(times)
    )


def _scrapes() -> list[float]:
    """Wall milliseconds of each."""
    from tradingplatform.metrics.scrape import scrape

    took = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        told = scrape()
        took.append((time.perf_counter() - began_s) * 1000)
        assert b"trading_scrape_readable" in told
        assert b"} 0.0" not in b"".join(line for line in told.splitlines() if b"readable{" in line)
    return took


if __name__ == "__main__":
    main()
