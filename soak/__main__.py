"""``python -m soak [SCENARIO ...]``: every scenario, or those named; exit status 1 when something was violated."""

import sys

from soak.candle_faults import random_faults, total_outage
from soak.crash import market_crash
from soak.findings import Findings
from soak.hungry import hungry_processes
from soak.live import live_orders, live_orders_on_postgres

SCENARIOS = {
    "live": live_orders,
    "postgres": live_orders_on_postgres,
    "faults": random_faults,
    "outage": total_outage,
    "hungry": hungry_processes,
    "crash": market_crash,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.stderr.write(f"soak: no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}\n")
        return 2
    violated = False
    for name in names or SCENARIOS:
        findings: Findings = SCENARIOS[name](_say)
        _say(findings.text(name))
        violated = violated or bool(findings.violations)
    return int(violated)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
