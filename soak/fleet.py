"""A whole fleet in a rig: workers, beat, sweeper and guard, and what its database says of a run."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from market.slots import TIMEFRAMES
from soak.findings import Findings
from tests.rig import Rig, until

Say = Callable[[str], None]
LOOK_S = 15.0
"""Wall time within which the guard tells what it sees, and within which a slot is rung for again."""

WORKER = ("worker", "--queues", "trading,housekeeping", "--concurrency", "2", "--without-gossip", "--without-mingle")


class Fleet(Rig):
    """Started with ``with``: 45 bots on 13 symbols and three timeframes, all of them ticking."""

    def __init__(self, speed: float, bots: int = 45) -> None:
        super().__init__(speed)
        self.bots = bots

    def __enter__(self) -> "Fleet":
        super().__enter__()
        self.load_fleet(self.bots, tuple(TIMEFRAMES))
        self.celery(*WORKER)
        self.celery("beat", "--pidfile=")
        for command in ("sweep", "guard", "reconcile"):
            self.spawn(sys.executable, "manage.py", command)
        until(lambda: self.ticks() >= self.bots, "every bot's first tick", 120)
        return self

    def wall_s(self, slots: float, timeframe: str = "15m") -> float:
        """Wall seconds of so many slots."""
        return slots * TIMEFRAMES[timeframe] / self.speed

    def wait(self, seconds: float, say: Say, what: str) -> None:
        """Let time pass, and say now and then that it does."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            say(f"  {what}: {left_s / 60:4.1f} min to go, {self.ticks()} ticks")
            time.sleep(min(120, left_s))

    def judge(self, findings: Findings, faults_end_s: float) -> None:
        """Whatever the faults were: nothing failed, nothing was lost, every stale period was told, all goes on.

        ``faults_end_s`` is when the last fault ended (wall time, seconds).
        """
        self._nothing_failed(findings)
        self._no_slot_lost(findings)
        self._stale_periods_told(findings)
        self._goes_on(findings, faults_end_s)
        self._quiet_log(findings)

    def _nothing_failed(self, findings: Findings) -> None:
        failed = self.query("SELECT COALESCE(SUM(ticks_failed), 0) FROM bots_bot")[0][0]
        told = self.query("SELECT COUNT(*) FROM notifications_event WHERE kind = 'tick_failed'")[0][0]
        stopped = self.query("SELECT COUNT(*) FROM bots_bot WHERE status <> 'RUNNING'")[0][0]
        findings.figures["ticks"] = self.ticks()
        findings.figures["ticks that failed"] = failed
        findings.require(failed == told == 0, f"{failed} ticks failed, {told} told")
        findings.require(stopped == 0, f"{stopped} bots do not run any more")

    def _no_slot_lost(self, findings: Findings) -> None:
        lost = 0
        for first, last, count in self.query(
            "SELECT MIN(slot), MAX(slot), COUNT(DISTINCT slot) FROM risk_decision GROUP BY bot_id"
        ):
            lost += last - first + 1 - count
        outcomes = self.query("SELECT outcome, COUNT(*) FROM risk_decision GROUP BY outcome ORDER BY outcome")
        findings.figures["decisions"] = ", ".join(f"{count} {outcome.lower()}" for outcome, count in outcomes)
        findings.figures["slots without a decision"] = lost
        findings.require(lost == 0, f"{lost} slots have no decision")

    def _stale_periods_told(self, findings: Findings) -> None:
        """A slot that ended without its candle lies in a told period; none of them was decided."""
        conditions: dict[str, list[tuple[float, float]]] = {}
        for subject, began, ended in self.query(
            "SELECT subject, began_at, ended_at FROM notifications_condition WHERE kind = 'stale_candles'"
        ):
            conditions.setdefault(subject, []).append((_seconds(began), _seconds(ended) if ended else time.time()))
        without = untold = decided = 0
        for symbol, timeframe, slot, wall_at, outcome, opened_ms in self.query(
            "SELECT b.symbol, b.timeframe, d.slot, d.wall_at, d.outcome, json_extract(d.candle, '$.opened_ms')"
            " FROM risk_decision d JOIN bots_bot b ON b.id = d.bot_id"
        ):
            interval_s = TIMEFRAMES[timeframe]
            if opened_ms is not None and opened_ms == (slot - 1) * interval_s * 1000:
                continue
            without += 1
            decided += outcome in ("APPROVED", "REFUSED")
            at_s = _seconds(wall_at)
            told = conditions.get(f"{symbol} {timeframe}", [])
            untold += not any(began - LOOK_S <= at_s <= ended + LOOK_S for began, ended in told)
        begun, over = (
            self.query(f"SELECT COUNT(*) FROM notifications_event WHERE kind = '{kind}'")[0][0]
            for kind in ("stale_candles", "stale_candles_ended")
        )
        findings.figures["stale periods told, and told to be over"] = f"{begun}, {over}"
        findings.figures["slots that ended without their candle"] = f"{without}, {untold} of them outside a told period"
        findings.require(untold == 0, f"{untold} slots without their candle lie in no told period")
        findings.require(decided == 0, f"{decided} entries were proposed without the newest candle")
        findings.require(begun == over, f"{begun} stale periods began and {over} ended")

    def _goes_on(self, findings: Findings, faults_end_s: float) -> None:
        """In the first slot that begins after the last fault, every 15m bot decides on fresh candles."""
        lasting = self.query("SELECT kind, subject FROM notifications_condition WHERE ended_at IS NULL")
        findings.require(not lasting, f"still told to last: {lasting}")
        end = f"{datetime.fromtimestamp(faults_end_s, tz=UTC):%Y-%m-%d %H:%M:%S}"
        slot_s = TIMEFRAMES["15m"] / self.speed
        worst_s, unseen = 0.0, 0
        for (bot_id,) in self.query("SELECT id FROM bots_bot WHERE timeframe = '15m'"):
            fresh = self.query(
                f"SELECT MIN(wall_at) FROM risk_decision WHERE bot_id = {bot_id} AND wall_at > '{end}'"
                " AND outcome <> 'SKIPPED' AND reason NOT LIKE '%late%' AND reason NOT LIKE '%stale%'"
            )[0][0]
            unseen += fresh is None
            worst_s = max(worst_s, _seconds(fresh) - faults_end_s if fresh else 0.0)
        findings.figures["after the last fault, slots until all decided"] = f"{worst_s / slot_s:.2f}"
        findings.require(unseen == 0, f"{unseen} bots have not decided on fresh candles since")
        findings.require(worst_s <= 1.2 * slot_s, f"it took {worst_s / slot_s:.2f} slots until all bots decided again")

    def _quiet_log(self, findings: Findings) -> None:
        lines = [line for path in self.var.glob("*.log") for line in path.read_text(errors="replace").splitlines()]
        warnings = sum('"level": "warning"' in line or '"level": "error"' in line for line in lines)
        findings.figures["warnings and errors in all logs"] = warnings
        findings.require(not any("Traceback" in line for line in lines), "there is a traceback in a log")


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
