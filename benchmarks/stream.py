"""``python -m benchmarks.stream``: from the commit of an event to 200 clients of one web process."""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

import psutil

from tests.stream_rig import Listener, StreamRig, committed, stream_rig

CLIENTS, EVENTS, PER_SECOND = 200, 600, 20


async def _measure(rig: StreamRig) -> tuple[list[Listener], dict[int, int], float]:
    listeners = [rig.listener() for _ in range(CLIENTS)]
    tasks = [asyncio.create_task(listener.listen()) for listener in listeners]
    while not all(listener.connections for listener in listeners):
        await asyncio.sleep(0.05)
    web = psutil.Process(rig.web.pid)
    before = sum(web.cpu_times()[:2])
    writer = await asyncio.to_thread(rig.write_beside, "pace", EVENTS, PER_SECOND)
    printed, _ = await asyncio.to_thread(writer.communicate)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    return listeners, committed(printed), sum(web.cpu_times()[:2]) - before


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, stream_rig(Path(folder)) as rig:
        listeners, at_ns, cpu = asyncio.run(_measure(rig))
    late_ms = sorted((when - at_ns[number]) / 1e6 for one in listeners for number, when in one.got.items())
    lost = sum(len(at_ns.keys() - one.got.keys()) for one in listeners)
    p50, p99 = statistics.median(late_ms), late_ms[int(len(late_ms) * 0.99)]
    sys.stdout.write(
        f"{CLIENTS} clients, {PER_SECOND} events/s: {lost} lost, {sum(one.twice for one in listeners)} twice;"
        f" commit to client {p50:.1f} ms (median), {p99:.1f} ms (99 %), {late_ms[-1]:.1f} ms (most);"
        f" web process {cpu / EVENTS * 1000:.1f} ms CPU an event\n"
    )


if __name__ == "__main__":
    main()
