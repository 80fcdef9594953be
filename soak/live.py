"""Live orders under fire: a fifth of all order requests meets a fault while programs are killed at random."""

import json
import random
import subprocess
import sys
import time

from soak.findings import Findings
from soak.fleet import Say
from soak.live_fleet import ACCOUNT, LiveFleet
from tests.postgres_server import postgres
from tests.rig import ROOT

MINUTES, SPEED, KILLS = 20.0, 20.0, 40
QUIET_S = 90.0
"""Wall time after the last fault by which nothing may be under way any more."""

ORDER_FAULTS: list[dict[str, object]] = [
    {"kind": "timeout_before", "hold_s": 20},
    {"kind": "timeout_after", "hold_s": 20},
    {"kind": "delayed_acceptance", "delay_s": 4, "answer": "error"},
    {"kind": "delayed_acceptance", "delay_s": 4, "answer": "reset"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "http", "status": 503, "body": "html", "when": "after"},
    {"kind": "http", "status": 500, "body": "empty", "when": "before"},
    {"kind": "html_200", "when": "after"},
    {"kind": "truncated", "length": "full"},
    {"kind": "error", "code": -1000, "when": "after"},
    {"kind": "error", "code": -1006, "when": "after"},
    {"kind": "error", "code": -1007, "when": "before"},
]
SHARE = 1 - 0.8 ** (1 / len(ORDER_FAULTS))  # each its part, a fifth together


def live_orders(say: Say, minutes: float = MINUTES, kills: int = KILLS, seed: int = 1) -> Findings:
    """Faults and kills for twenty minutes on SQLite; afterwards both ledgers agree to the last digit."""
    return _under_fire(LiveFleet(SPEED), say, minutes, kills, seed)


def live_orders_on_postgres(say: Say, minutes: float = MINUTES, kills: int = KILLS, seed: int = 2) -> Findings:
    """The same on a PostgreSQL of its own, with two workers."""
    with postgres() as url:
        return _under_fire(
            LiveFleet(SPEED, workers=("trading", "trading2"), database_url=url), say, minutes, kills, seed
        )


def _under_fire(fleet: LiveFleet, say: Say, minutes: float, kills: int, seed: int) -> Findings:
    findings, chance = Findings(), random.Random(seed)
    with fleet:
        struck = 0
        until_s = time.monotonic() + minutes * 60
        _set_faults(fleet)
        for number in range(kills):
            time.sleep(max(0.0, (until_s - time.monotonic()) / (kills - number) * chance.uniform(0.6, 1.3)))
            victim = chance.choice(fleet.victims)
            say(f"  {(until_s - time.monotonic()) / 60:4.1f} min to go, {fleet.ticks()} ticks, kill -9 {victim}")
            struck += _struck(fleet) if victim == "exchange" else 0
            fleet.kill(victim)
            if victim == "exchange":
                _set_faults(fleet)
        time.sleep(max(0.0, until_s - time.monotonic()))
        struck += _struck(fleet)
        fleet.tell_exchange("/sim/faults", method="DELETE")
        say(f"  no more faults; {QUIET_S:.0f} s to come to rest")
        time.sleep(QUIET_S)
        fleet.stop_ticking()
        _judge(fleet, findings)
        findings.figures["ticks, kills, order requests that met a fault"] = f"{fleet.ticks()}, {kills}, {struck}"
    return findings


def _set_faults(fleet: LiveFleet) -> None:
    where = {"where": "/api/v3/order"}
    faults = [{"what": what, "share": SHARE, "seed": seed, **where} for seed, what in enumerate(ORDER_FAULTS)]
    fleet.tell_exchange("/sim/faults", faults)


def _struck(fleet: LiveFleet) -> int:
    told = fleet.tell_exchange("/sim/faults", method="GET")
    return sum(fault["struck"] for fault in [*told["active"], *told["past"]])


def _judge(fleet: LiveFleet, findings: Findings) -> None:
    """Order by order, fill by fill, balance by balance; and our own books against our own fills."""
    ledger = fleet.var / "ledger.json"
    ledger.write_text(json.dumps(fleet.tell_exchange("/sim/ledger", method="GET")))
    done = _run(fleet, "-m", "soak.agreement", ACCOUNT, ledger, fleet.speed)
    if done.returncode:
        findings.require(False, f"the ledgers could not be compared: {done.stderr[-2000:]}")
        return
    told = json.loads(done.stdout)
    findings.figures |= told["figures"]
    for wrong in told["wrong"]:
        findings.require(False, wrong)
    verified = _run(fleet, "manage.py", "verify_ledger")
    findings.figures["verify_ledger"] = verified.stdout.strip().splitlines()[-1] if verified.stdout.strip() else "?"
    findings.require(verified.returncode == 0, f"verify_ledger: {verified.stdout}{verified.stderr}")


def _run(fleet: LiveFleet, *argv: object) -> subprocess.CompletedProcess[str]:
    """A Python program in the fleet's environment, run to its end."""
    command = [sys.executable, *map(str, argv)]
    return subprocess.run(command, cwd=ROOT, env=fleet.environment, capture_output=True, text=True, check=False)
