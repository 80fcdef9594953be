"""``python -m benchmarks``: every measurement, as one table."""

import platform
import subprocess
import sys

from benchmarks.whole_tick import Cost, flood, steady_fleet


def main() -> None:
    _line(f"Python {platform.python_version()}, {platform.machine()}; milliseconds are CPU time")
    _line("\nThe parts of a tick, in one process")
    # In a process of its own: Django is set up once per process, for one rig.
    subprocess.run([sys.executable, "-m", "benchmarks.tick_parts"], check=True)
    _line("\nMarket data")
    subprocess.run([sys.executable, "-m", "benchmarks.market_data"], check=True)
    _line("\nA scrape of the metrics; wall milliseconds")
    subprocess.run([sys.executable, "-m", "benchmarks.metrics"], check=True)
    _line("\nLive orders, over HTTP to the simulated exchange; wall milliseconds")
    subprocess.run([sys.executable, "-m", "benchmarks.orders"], check=True)
    _line("\nThe gate, by the size of the fleet: to the committed intent, and a whole refusal")
    subprocess.run([sys.executable, "-m", "benchmarks.gate"], check=True)
    _line("\nThe console's lists over much that was kept: a page, and in brackets its queries")
    subprocess.run([sys.executable, "-m", "benchmarks.console_lists"], check=True)
    _line("\nA tick through Celery: queue, candles, strategy, risk, database")
    _row("45 bots, a candle every second", steady_fleet())
    _row("2,000 ticks at once", flood())


def _row(name: str, cost: Cost) -> None:
    _line(
        f"{name:40} {cost.worker_ms:7.3f} ms worker {cost.beat_ms:7.3f} ms beat"
        f" {cost.per_second:7.1f} ticks/s   ({cost.ticks} ticks)"
    )


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
