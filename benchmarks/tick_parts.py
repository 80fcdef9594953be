"""Where the time of a tick goes: its parts in one process, CPU milliseconds each."""

import os
import sys
import time
from collections.abc import Callable

import django

from tests.rig import Rig

ROUNDS = 300


def tick_parts() -> dict[str, float]:
    """CPU milliseconds of each part, and of the whole tick without Celery."""
    with Rig(1.0) as rig:
        rig.load_fleet(13)
        os.environ.update(rig.environment)
        django.setup()
        return _measure()


def _measure() -> dict[str, float]:
    from django.db import transaction
    from django.db.models import F

    from bots.lifecycle import claim_tick, release
    from bots.models import Bot
    from bots.strategies.registry import build
    from execution.marking import snapshot_bot
    from execution.models import Position
    from market.clock import Now
    from tradingplatform import tick
    from tradingplatform.wiring import platform

    ours = platform()
    bot = Bot.objects.get(name="bot-0")
    start = ours.clock.now()
    step_ms = bot.interval_s * 1000
    history_ms = start.market_ms - (2 * ROUNDS + 20) * step_ms  # slots of the past: each has one more candle
    Bot.objects.update(last_slot=-1)

    def at(number: int) -> Now:
        return Now(start.wall_ms + number, history_ms + number * step_ms)

    def whole(number: int) -> None:
        tick.run(ours, bot.pk, at(number))

    def claim(number: int) -> None:
        moment = at(ROUNDS + number)
        claimed = claim_tick(bot.pk, moment.market_ms // step_ms, moment)
        assert claimed is not None
        release(claimed, moment, failed=False)

    def bare(number: int) -> None:
        """The least any platform does: read a bot and its position, candles, a strategy; write two rows."""
        read = Bot.objects.get(pk=bot.pk)
        Position.objects.filter(bot=read, status="OPEN").first()
        strategy.evaluate(ours.fetcher.closed_candles("ETH/USDT", "15m", slot - 1).candles)
        with transaction.atomic():
            snapshot_bot(read, bot.book, at(number), stale=False)
            Bot.objects.filter(pk=read.pk).update(ticks=F("ticks") + 1)

    slot = at(2 * ROUNDS).market_ms // step_ms
    candles = ours.fetcher.closed_candles(bot.symbol, bot.timeframe, slot).candles
    strategy = build(bot.strategy, bot.parameters)
    return {
        "whole tick, one new candle fetched": _cpu_ms(whole),
        "claim and release": _cpu_ms(claim),
        "candles: one new one": _cpu_ms(lambda i: ours.fetcher.closed_candles("ETH/USDT", "15m", slot - ROUNDS + i)),
        "candles: shared already": _cpu_ms(lambda i: ours.fetcher.closed_candles("ETH/USDT", "15m", slot - 1)),
        "strategy": _cpu_ms(lambda i: strategy.evaluate(candles)),
        "for comparison: a bare tick": _cpu_ms(bare),
    }


def _cpu_ms(work: Callable[[int], object]) -> float:
    for number in range(5):
        work(number)
    begun = time.process_time()
    for number in range(5, ROUNDS):
        work(number)
    return (time.process_time() - begun) / (ROUNDS - 5) * 1000


if __name__ == "__main__":
    for name, ms in tick_parts().items():
        sys.stdout.write(f"{name:40} {ms:7.3f} ms\n")
