"""A market that falls by 30 % in an hour of its time: what each limit was worth, and what came of every stop."""

import json
import sqlite3
import sys
import time
from contextlib import closing

from soak.crash_market import Crash, crash
from soak.crash_report import halts_in_force, judge
from soak.findings import Findings
from soak.fleet import WORKER, Say
from tests.fleets import SYMBOLS
from tests.rig import Rig, until

BOTS, SPEED, AFTER_S = 24, 60.0, 75.0
"""``AFTER_S``: wall time after the crash for everything to come to rest."""

DAILY, DRAWDOWN, PORTFOLIO = "0.02", "0.03", "0.025"
"""Limits that a market with stops can reach at all: of bots with even numbers, of the others, of the account."""


class CrashFleet(Rig):
    """Paper bots that enter whenever they may, with 90 % of their capital, and a stop 1 % below."""

    def __init__(self, bots: int = BOTS) -> None:
        super().__init__(SPEED)
        self.bots = bots
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.live_processes.settings",
            "FLEET": str(self.var / "fleet.toml"),
        }

    def __enter__(self) -> "CrashFleet":
        self.market: Crash = crash(time.time_ns() // 1_000_000)
        self.market.write(self.var / "market")
        super().__enter__()
        self._write_fleet()
        self.manage("first_start")
        self._set_limits()
        self.celery(*WORKER)
        self.celery("beat", "--pidfile=")
        for command in ("sweep", "guard", "reconcile"):
            self.spawn(sys.executable, "manage.py", command)
        return self

    def start_exchange(self, *more: object) -> object:  # type: ignore[override]
        return super().start_exchange("--replay", self.var / "market", *more)

    def market_ms(self) -> int:
        """The platform's market time."""
        clock = json.loads((self.var / "clock.json").read_text())
        passed_ms = time.time_ns() // 1_000_000 - clock["origin_wall_ms"]
        return int(clock["origin_market_ms"] + passed_ms * self.speed)

    def wait_until_ms(self, market_ms: int) -> None:
        time.sleep(max(0.0, (market_ms - self.market_ms()) / 1000 / self.speed))

    def _write_fleet(self) -> None:
        lines = ["[account]", 'name = "crash"', 'quote = "USDT"', "capital = 100_000", ""]
        for number in range(self.bots):
            symbol = SYMBOLS[number % len(SYMBOLS)]
            lines += ["[[bots]]", f'name = "bot-{number}"', 'strategy = "at_once"', f'symbol = "{symbol}/USDT"']
            lines += ['timeframe = "15m"', "capital = 5_000"]
            lines += ['parameters = {stop_type = "percent", stop_percent = 1.0}', ""]
        (self.var / "fleet.toml").write_text("\n".join(lines))

    def _set_limits(self) -> None:
        """Wider where positions are limited, tighter where losses are; written as a fresh installation would have
        them."""
        self._write(
            "UPDATE risk_portfoliorisklimits SET max_exposure = '0.99', max_asset = '0.3', max_order = '0.3',"
            f" price_collar = '0.2', max_drawdown = '{PORTFOLIO}'"
        )
        self._write("UPDATE risk_botrisklimits SET max_position = '0.9', streak_losses = 99")
        even = "bot_id IN (SELECT id FROM bots_bot WHERE CAST(substr(name, 5) AS INTEGER) % 2 = 0)"
        self._write(
            f"UPDATE risk_botrisklimits SET max_daily_loss = '{DAILY}', max_drawdown = '0.9' WHERE {even}",
            f"UPDATE risk_botrisklimits SET max_daily_loss = '0.9', max_drawdown = '{DRAWDOWN}' WHERE NOT {even}",
        )

    def _write(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.var / "platform.sqlite3")) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()


def market_crash(say: Say) -> Findings:
    """A few minutes: a quiet market in which all enter, the fall, and what is left an hour later."""
    findings = Findings()
    with CrashFleet() as fleet:
        until(lambda: fleet.ticks() >= fleet.bots, "every bot's first tick", 120)
        say(f"  {_held(fleet)} positions are held; the crash is {_minutes(fleet, fleet.market.begins_ms):.0f} min away")
        fleet.wait_until_ms(fleet.market.begins_ms)
        held = _held(fleet)
        findings.require(held >= fleet.bots // 2, f"only {held} positions were held when it began")
        findings.figures["positions held when the fall began"] = held
        for part in (1, 2, 3, 4):
            at_ms = fleet.market.begins_ms + part * (fleet.market.ends_ms - fleet.market.begins_ms) // 4
            fleet.wait_until_ms(at_ms)
            say(f"  {part * 15} min into the fall: {_held(fleet)} held, {halts_in_force(fleet)} halts in force")
        time.sleep(AFTER_S)
        judge(fleet, findings)
    return findings


def _held(fleet: CrashFleet) -> int:
    return int(fleet.query("SELECT COUNT(*) FROM execution_position WHERE status IN ('OPEN', 'CLOSING')")[0][0])


def _minutes(fleet: CrashFleet, market_ms: int) -> float:
    return (market_ms - fleet.market_ms()) / 60_000
