"""What a crash did: every limit with its value when it fired, what every stop was worth, and what must not be."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Protocol

from soak.crash_market import Crash
from soak.findings import Findings

LONGEST_WAIT_S = 20.0
"""Wall time that a stop may wait: at this speed a tick of the reconciler is a minute of the market."""

ON_ITS_WAY_S = 10.0
"""Wall time after a halt was seen to be due within which an entry that was let go before may still leave."""


class Fleet(Protocol):
    """As much of one as is asked here."""

    market: Crash
    speed: float

    def query(self, sql: str) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class Stopped:
    """One position that its stop closed: how far below the stop it was sold (a fraction), and how long after the market
    had reached it (wall seconds)."""

    bot: str
    beyond: float
    waited_s: float


def halts_in_force(fleet: Fleet) -> int:
    return int(fleet.query("SELECT COUNT(*) FROM risk_halt WHERE cleared_at IS NULL")[0][0])


def judge(fleet: Fleet, findings: Findings) -> None:
    """The whole report."""
    stopped = _stopped(fleet)
    findings.require(bool(stopped), "no position was closed by its stop")
    if stopped:
        _tell_stops(stopped, findings)
    _tell_halts(fleet, findings)
    _nothing_entered_after_its_halt(fleet, findings)
    _everything_was_told(fleet, findings)
    left = fleet.query("SELECT COUNT(*) FROM execution_position WHERE status IN ('OPENING', 'CLOSING')")[0][0]
    findings.require(left == 0, f"{left} positions have not come to rest")
    failed = fleet.query("SELECT COALESCE(SUM(ticks_failed), 0) FROM bots_bot")[0][0]
    findings.require(failed == 0, f"{failed} ticks failed")


def _stopped(fleet: Fleet) -> list[Stopped]:
    rows = fleet.query(
        "SELECT b.name, p.symbol, p.stop_price, p.exit_price, p.opened_at, p.closed_at FROM execution_position p"
        " JOIN bots_bot b ON b.id = p.bot_id WHERE p.status = 'CLOSED' AND p.exit_reason = 'STOP'"
    )
    found = []
    for name, symbol, stop_text, exit_text, opened_at, closed_at in rows:
        stop, closed_ms = float(stop_text), _ms(closed_at)
        reached_ms = fleet.market.reached_ms(symbol.partition("/")[0], stop, _ms(opened_at))
        waited_s = 0.0 if reached_ms is None else (closed_ms - reached_ms) / 1000 / fleet.speed
        found.append(Stopped(name, 1 - float(exit_text) / stop, waited_s))
    return found


def _tell_stops(stopped: Sequence[Stopped], findings: Findings) -> None:
    beyond, waited = [one.beyond for one in stopped], [one.waited_s for one in stopped]
    findings.figures["positions closed by their stop"] = len(stopped)
    findings.figures["sold below the stop, median and at most"] = f"{median(beyond):.2%}, {max(beyond):.2%}"
    findings.figures["wall seconds a stop waited, median and at most"] = f"{median(waited):.1f}, {max(waited):.1f}"
    late = [one for one in stopped if one.waited_s > LONGEST_WAIT_S]
    findings.require(not late, f"{len(late)} stops waited longer than {LONGEST_WAIT_S:.0f} s: {late[:3]}")


def _tell_halts(fleet: Fleet, findings: Findings) -> None:
    rows = fleet.query(
        "SELECT h.cause, COALESCE(b.name, 'account'), h.figures, h.market_at FROM risk_halt h"
        " LEFT JOIN bots_bot b ON b.id = h.bot_id ORDER BY h.id"
    )
    findings.figures["limits that fired, in their order"] = len(rows)
    for cause, whose, text, market_at in rows:
        figures = json.loads(text) if isinstance(text, str) else text
        into_min = (_ms(market_at) - fleet.market.begins_ms) / 60_000
        limit, value = (float(figures.get(name, "nan")) for name in ("limit", "value"))
        findings.figures[f"  {whose}, {cause}"] = (
            f"{into_min:5.1f} min into the fall: limit {limit:.2%}, value {value:.2%}, overshoot {value - limit:.2%}"
        )
    fired = {cause for cause, *_ in rows}
    for cause in ("daily_loss", "drawdown", "portfolio_drawdown"):
        findings.require(cause in fired, f"{cause} did not fire")


def _nothing_entered_after_its_halt(fleet: Fleet, findings: Findings) -> None:
    """By the order of events, which are written under the account's lock; by the clock, for what had been decided."""
    halts = fleet.query("SELECT bot_id, raised_at, cleared_at FROM risk_halt")
    entries = fleet.query("SELECT bot_id, sent_at, client_order_id FROM execution_order WHERE purpose = 'ENTRY'")
    for bot, sent_at, name in entries:
        for of_bot, raised_at, cleared_at in halts:
            if of_bot not in (None, bot) or sent_at is None:
                continue
            over_ms = _ms(cleared_at) if cleared_at else float("inf")
            late = _ms(raised_at) + ON_ITS_WAY_S * 1000 < _ms(sent_at) < over_ms
            findings.require(not late, f"{name} was sent at {sent_at}, its halt is of {raised_at}")
    told = fleet.query("SELECT kind, bot_id, payload FROM notifications_event ORDER BY id")
    for wrong in _placed_while_halted(told):
        findings.require(False, wrong)


def _placed_while_halted(events: Iterable[tuple[str, int | None, Any]]) -> list[str]:
    halted: set[int | None] = set()
    found = []
    for kind, bot, text in events:
        payload = json.loads(text) if isinstance(text, str) else text
        if kind == "halt_raised":
            halted.add(bot)
        elif kind == "halt_cleared":
            halted.discard(bot)
        elif kind == "order_placed" and payload.get("purpose") == "ENTRY" and (bot in halted or None in halted):
            found.append(f"an entry of bot {bot} was placed after its halt")
    return found


def _everything_was_told(fleet: Fleet, findings: Findings) -> None:
    halts = fleet.query("SELECT COUNT(*) FROM risk_halt")[0][0]
    told = fleet.query("SELECT COUNT(*) FROM notifications_event WHERE kind = 'halt_raised'")[0][0]
    findings.require(halts == told, f"{halts} halts were raised, {told} told")
    closed = fleet.query("SELECT COUNT(*) FROM execution_position WHERE status = 'CLOSED'")[0][0]
    told = fleet.query("SELECT COUNT(*) FROM notifications_event WHERE kind = 'position_closed'")[0][0]
    findings.require(closed == told, f"{closed} positions were closed, {told} told")
    refused = fleet.query("SELECT failed_check, COUNT(*) FROM risk_decision WHERE outcome = 'REFUSED' GROUP BY 1")
    findings.figures["entries refused, by check"] = ", ".join(f"{n} {check}" for check, n in sorted(refused)) or "none"
    entered = fleet.query("SELECT COUNT(*) FROM risk_decision WHERE outcome = 'APPROVED'")[0][0]
    findings.figures["entries approved"] = entered


def _ms(stored: str) -> int:
    return round(datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp() * 1000)
