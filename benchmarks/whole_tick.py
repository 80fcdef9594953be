"""What one tick costs all-in, through beat and Celery, and how many two cores can do."""

import time
from dataclasses import dataclass

import psutil

from tests.rig import Rig, cpu_s, until

SPEED = 900.0  # a 15-minute candle closes every second
FLEET_BOTS, FLEET_TICKS = 45, 45 * 25
FLOOD_BOTS = 2_000
WORKER = ("worker", "--queues", "trading", "--concurrency", "2", "--without-gossip", "--without-mingle")


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds a tick of worker and beat, and ticks a second of wall time."""

    ticks: int
    worker_ms: float
    beat_ms: float
    per_second: float


def steady_fleet() -> Cost:
    """45 bots on 15m candles, one candle a second: each series is asked for once a slot, as in real life."""
    with Rig(SPEED) as rig:
        rig.load_fleet(FLEET_BOTS)
        worker, beat = rig.celery(*WORKER), rig.celery("beat", "--loglevel", "WARNING")
        until(lambda: rig.ticks() >= 2 * FLEET_BOTS, "the fleet to warm up")
        return _measure(rig, worker, beat, FLEET_TICKS)


def flood() -> Cost:
    """2,000 bots that have never ran are rung for at once: nothing but ticks to do."""
    with Rig(1.0) as rig:
        rig.load_fleet(FLOOD_BOTS)
        worker = rig.celery(*WORKER)
        beat = rig.celery("beat", "--loglevel", "WARNING")
        until(lambda: rig.ticks() >= 100, "the workers to warm up")
        return _measure(rig, worker, beat, FLOOD_BOTS - 300)


def _measure(rig: Rig, worker: psutil.Popen, beat: psutil.Popen, ticks: int) -> Cost:
    begun_ticks, begun, worker_s, beat_s = rig.ticks(), time.monotonic(), cpu_s(worker), cpu_s(beat)
    until(lambda: rig.ticks() >= begun_ticks + ticks, f"{ticks} ticks", 120)
    done, wall = rig.ticks() - begun_ticks, time.monotonic() - begun
    return Cost(
        ticks=done,
        worker_ms=(cpu_s(worker) - worker_s) / done * 1000,
        beat_ms=(cpu_s(beat) - beat_s) / done * 1000,
        per_second=done / wall,
    )
