"""``python -m soak [SCENARIO ...] [--minutes M]``: every scenario, or those named; exit status 1 when something was
violated. ``--minutes`` is for alerts."""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial

from soak.alerts import MINUTES, alerts
from soak.candle_faults import random_faults, total_outage
from soak.crash import market_crash
from soak.findings import Findings
from soak.fleet import Say
from soak.hungry import hungry_processes
from soak.live import live_orders, live_orders_on_postgres

Scenario = Callable[[Say], Findings]
SCENARIOS: Mapping[str, Scenario] = {
    "live": live_orders,
    "postgres": live_orders_on_postgres,
    "faults": random_faults,
    "outage": total_outage,
    "hungry": hungry_processes,
    "crash": market_crash,
    "alerts": alerts,
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m soak")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long alerts runs, wall time")
    asked = parser.parse_args(argv)
    names: list[str] = asked.names
    chosen: Mapping[str, Scenario] = {**SCENARIOS, "alerts": partial(alerts, minutes=asked.minutes)}
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.stderr.write(f"soak: no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}\n")
        return 2
    violated = False
    for name in names or SCENARIOS:
        findings = chosen[name](_say)
        _say(findings.text(name))
        violated = violated or bool(findings.violations)
    return int(violated)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
