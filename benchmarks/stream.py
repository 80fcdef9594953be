"""``python -m benchmarks.stream``: from the commit of an event to 200 clients of one web process, which is started anew
in between."""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.stream_rig import Listener, StreamRig, committed, stream_rig

CLIENTS, EVENTS, PER_SECOND = 200, 1_000, 20
STOP_AFTER_S = 20.0
SETTLE_S = 1.0
"""After everybody is back: what was missed has been caught up on by then."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen. ``at_ns``: when each event was committed; the server was away from ``away_ns`` until everybody was
    back at ``back_ns``. ``cpu_s``: of the first web process, for the events before that."""

    listeners: Sequence[Listener]
    at_ns: dict[int, int]
    away_ns: int
    back_ns: int
    cpu_s: float

    def late_ms(self, *, meanwhile: bool) -> list[float]:
        """From commit to each client, of the events committed while the server was away, or of all others."""
        settled_ns = self.back_ns + int(SETTLE_S * 1e9)
        wanted = {number for number, at in self.at_ns.items() if meanwhile == (self.away_ns <= at < settled_ns)}
        got = (pair for one in self.listeners for pair in one.got.items())
        return sorted((when - self.at_ns[number]) / 1e6 for number, when in got if number in wanted)

    @property
    def lost(self) -> int:
        return sum(len(self.at_ns.keys() - one.got.keys()) for one in self.listeners)


async def _measure(rig: StreamRig) -> Run:
    listeners = [rig.listener() for _ in range(CLIENTS)]
    tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
    await _connected(listeners, 1)
    web = psutil.Process(rig.web.pid)
    before_s = sum(web.cpu_times()[:2])
    writer = await asyncio.to_thread(rig.write_beside, "pace", EVENTS, PER_SECOND)
    read = asyncio.create_task(asyncio.to_thread(writer.communicate))
    await asyncio.sleep(STOP_AFTER_S)
    cpu_s, away_ns = sum(web.cpu_times()[:2]) - before_s, time.time_ns()
    await asyncio.to_thread(rig.stop)
    await asyncio.to_thread(rig.serve)
    await _connected(listeners, 2)
    back_ns = time.time_ns()
    printed, _ = await read
    await asyncio.sleep(SETTLE_S)
    for task in tasks:
        task.cancel()
    return Run(listeners, committed(printed), away_ns, back_ns, cpu_s)


async def _connected(listeners: Sequence[Listener], times: int) -> None:
    while not all(listener.connections >= times for listener in listeners):
        await asyncio.sleep(0.05)


def main() -> None:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, stream_rig(Path(folder)) as rig:
        run = asyncio.run(_measure(rig))
    late_ms, missed_ms = run.late_ms(meanwhile=False), run.late_ms(meanwhile=True)
    before = sum(at < run.away_ns for at in run.at_ns.values())
    twice = sum(one.twice for one in run.listeners)
    sys.stdout.write(
        f"{CLIENTS} clients, {PER_SECOND} events/s, {len(run.at_ns)} events: {run.lost} lost, {twice} twice;"
        f" commit to client {statistics.median(late_ms):.1f} ms (median), {_p99(late_ms):.1f} ms (99 %),"
        f" {late_ms[-1]:.1f} ms (most); web process {run.cpu_s / before * 1000:.1f} ms CPU an event\n"
        f"the server was started anew: {(run.back_ns - run.away_ns) / 1e9:.1f} s until all clients were back;"
        f" of {len(missed_ms) // CLIENTS} events meanwhile each client had each, the slowest"
        f" {missed_ms[-1] / 1000:.1f} s after its commit\nload of the machine {load:.1f} before,"
        f" {os.getloadavg()[0]:.1f} after\n"
    )
    if run.lost:
        sys.exit("events were lost")


def _p99(ordered: Sequence[float]) -> float:
    return ordered[int(len(ordered) * 0.99)]


if __name__ == "__main__":
    main()
