"""From a fill to the phone: the fleet trades, the exchange fails, then Telegram does, and every alert is timed."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from soak.alert_times import (
    HEAD,
    KINDS,
    Arrivals,
    Filled,
    Message,
    Period,
    arrivals,
    delays,
    most_in,
    row,
)
from soak.candle_faults import a_fifth_fails
from soak.findings import Findings
from soak.fleet import Say
from soak.live_fleet import LiveFleet
from tests.notifications.receiver import Receiver, receiver
from tests.rig import until
from tests.telegram_api import TOKEN, TelegramApi, telegram_api

MINUTES, SPEED = 30.0, 20.0
"""Wall time, and twenty times what a fleet of bots that enter often does in reality: some 15 alerts of fills a minute,
in bursts when candles close."""

WORST_S = 5.0
"""Wall time from what was booked to the phone: what regulated venues are asked for."""

CHAT = 1111
API_SHARE = 0.1
API_BEGINS, API_ENDS = 0.45, 0.58
"""When the Bot API fails, in parts of the run: within the third in which the exchange does."""

API_RECOVERS_S = 10.0
"""What it had refused last is tried again within this."""

REST_S = 60.0


class AlertFleet(LiveFleet):
    """Its alerts go to a Bot API and to a webhook of our own, which are there from its first event on."""

    def __init__(self, api: TelegramApi, hook: Receiver, speed: float = SPEED, bots: int = 45) -> None:
        super().__init__(speed, bots)
        self.environment |= {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API": api.url,
            "TELEGRAM_OPERATORS": str(CHAT),
            "TELEGRAM_ALERTS": " ".join(f"{kind}=on" for kind in KINDS),
            "WEBHOOKS": json.dumps(
                [{"name": "soak", "url": hook.url, "secret": "for-a-long-run-only", "kinds": list(KINDS)}]
            ),
        }

    def before_the_first_tick(self) -> None:
        for name in ("telegram", "webhooks"):
            self.start_service(name)
        there = "SELECT COUNT(*) FROM notifications_cursor WHERE name IN ('telegram:1111', 'webhook:soak')"
        until(lambda: bool(self.query(there)[0][0] == 2), "both cursors")

    def behind(self) -> int:
        """How many events the slower of both has not been told."""
        last = self.query("SELECT COUNT(*) FROM notifications_event")[0][0]
        return int(last - self.query("SELECT MIN(seq) FROM notifications_cursor WHERE name LIKE '%:%'"
                                     " AND name NOT LIKE 'telegram-poller%'")[0][0])  # fmt: skip

    def filled(self) -> list[Filled]:
        """Every event of a fill."""
        clock = json.loads((self.var / "clock.json").read_text())
        executed = dict(self.query("SELECT o.client_order_id, MAX(t.executed_at) FROM execution_trade t"
                                   " JOIN execution_order o ON o.id = t.order_id GROUP BY o.id"))  # fmt: skip
        positions = {str(number): (opened, closed) for number, opened, closed in
                     self.query("SELECT id, opened_at, closed_at FROM execution_position")}  # fmt: skip

        def wall_s(stored: str) -> float:
            market_ms = _seconds(stored) * 1000
            return float(clock["origin_wall_ms"] + (market_ms - clock["origin_market_ms"]) / self.speed) / 1000

        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        events = []
        for seq, kind, bot, market_at, wall_at, stored in self.query(
            "SELECT e.seq, e.kind, b.name, e.market_at, e.wall_at, e.payload FROM notifications_event e"
            f" JOIN bots_bot b ON b.id = e.bot_id WHERE e.kind IN ({kinds}) ORDER BY e.seq"
        ):
            payload = json.loads(stored)
            if kind == "order_filled":
                at = executed[payload["order"]]
            else:
                at = positions[payload["position"]][kind == "position_closed"]
            purpose = payload["purpose"].lower() if kind == "order_filled" else ""
            events.append(Filled(seq, kind, bot, market_at[:19], purpose, _seconds(wall_at), wall_s(at)))
        return events


def alerts(say: Say, minutes: float = MINUTES, speed: float = SPEED) -> Findings:
    """A third in peace, a third in which a fifth of the exchange's answers fail (and for a while a tenth of the Bot
    API's), a third in peace."""
    findings = Findings()
    with telegram_api() as api, receiver() as hook, AlertFleet(api, hook, speed) as fleet:
        findings.figures["load of the machine at the beginning"] = _load()
        begins_s, lasts_s = time.time(), minutes * 60
        periods = _periods(begins_s, lasts_s)
        _run(fleet, api, periods, say)
        fleet.stop_ticking()
        until(lambda: fleet.behind() <= 0, "both receivers to have everything", REST_S)
        findings.figures["load of the machine at the end"] = _load()
        _judge(findings, fleet, api, hook, periods)
    return findings


def _periods(begins_s: float, lasts_s: float) -> list[Period]:
    """Those in which a delay is somebody else's come first."""

    def at(part: float) -> float:
        return begins_s + part * lasts_s

    return [
        Period("Bot API fails as well", at(API_BEGINS), at(API_ENDS) + API_RECOVERS_S, excused=True),
        Period("first third", 0.0, at(1 / 3)),
        Period("exchange fails", at(1 / 3), at(2 / 3)),
        Period("last third", at(2 / 3), float("inf")),
    ]


def _run(fleet: AlertFleet, api: TelegramApi, periods: list[Period], say: Say) -> None:
    api_fails, first, exchange_fails, last = periods
    lasts_s = (exchange_fails.ends_s - exchange_fails.begins_s) * 3
    fleet.wait(first.ends_s - time.time(), say, "in peace")
    fleet.tell_exchange("/sim/faults", a_fifth_fails(lasts_s / 3))
    fleet.wait(api_fails.begins_s - time.time(), say, "a fifth of all requests to the exchange fails")
    with _failing(api):
        fleet.wait(api_fails.ends_s - API_RECOVERS_S - time.time(), say, "and a tenth of Telegram's answers")
    fleet.wait(exchange_fails.ends_s - time.time(), say, "a fifth of all requests to the exchange fails")
    fleet.tell_exchange("/sim/faults", method="DELETE")
    fleet.wait(last.begins_s + lasts_s / 3 - time.time(), say, "in peace again")


@contextmanager
def _failing(api: TelegramApi) -> Iterator[None]:
    """A tenth of what is sent is refused: half of it with a time to wait, half by a gateway."""
    each = {"times": 10**6, "share": API_SHARE / 2}
    api.fault("sendMessage", 429, retry_after=3, **each)
    api.fault("sendMessage", 502, description="Bad Gateway", **each)
    try:
        yield
    finally:
        api.faults.clear()


def _judge(findings: Findings, fleet: AlertFleet, api: TelegramApi, hook: Receiver, periods: list[Period]) -> None:
    events = fleet.filled()
    told = [Message(one.text, one.at_s) for one in api.sent(CHAT)]
    by_telegram, by_hook = arrivals(events, told), Arrivals()
    for got in hook.got:
        by_hook.took(got.seq, got.at_s)
    findings.figures["ticks, events of fills"] = f"{fleet.ticks()}, {len(events)}"
    findings.require(len(events) >= 200, "there were too few fills to say anything")
    for name, there in (("Telegram", by_telegram), ("webhook", by_hook)):
        found = delays(events, there.at_s, periods, executed=False)
        _table(findings, f"{name}, seconds from the booking", found, periods)
        _in_time(findings, name, found, periods)
        _complete(findings, name, events, there)
    # Shown only: while the exchange does not answer, nobody knows of a fill; nor of a stop's between two looks at it.
    from_execution = delays(events, by_telegram.at_s, periods, executed=True)
    _table(findings, "From the execution, seconds to Telegram", from_execution, periods)
    late = sum(seconds > WORST_S for found in from_execution.values() for seconds in found)
    findings.figures[f"  From the execution: more than {WORST_S:g} s"] = f"{late} of {len(by_telegram.at_s)}"
    findings.figures["messages, most of them in a second, in a minute"] = (
        f"{len(told)}, {most_in(told, 1)}, {most_in(told, 60)}"
    )
    findings.require(by_telegram.unknown == 0, f"{by_telegram.unknown} alerts tell of no fill that there was")


def _table(findings: Findings, title: str, found: dict[str, list[float]], periods: list[Period]) -> None:
    """``found``: seconds by the name of the period."""
    findings.figures[title] = HEAD
    for period in sorted(periods, key=lambda period: period.begins_s):
        findings.figures[f"  {title.partition(',')[0]}: {period.name}"] = row(found[period.name])


def _in_time(findings: Findings, name: str, found: dict[str, list[float]], periods: list[Period]) -> None:
    for period in periods:
        late = sum(seconds > WORST_S for seconds in found[period.name])
        excused = period.excused or not late
        findings.require(excused, f"{name}: {late} alerts took more than {WORST_S:g} s while: {period.name}")


def _complete(findings: Findings, name: str, events: list[Filled], there: Arrivals) -> None:
    lost = sum(event.seq not in there.at_s for event in events)
    findings.figures[f"{name}: lost, twice, out of order"] = f"{lost}, {there.twice}, {there.overtaken}"
    findings.require(lost == 0, f"{name}: {lost} alerts were lost")
    findings.require(there.overtaken == 0, f"{name}: {there.overtaken} alerts came out of order")


def _load() -> str:
    return ", ".join(f"{load:.1f}" for load in os.getloadavg())


def _seconds(stored: str) -> float:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp()
