"""Market data under faults: a fifth of all requests for twenty minutes, and nothing at all for ten slots."""

import time

from soak.findings import Findings
from soak.fleet import Fleet, Say

FAULTED_MINUTES, SPEED = 20.0, 5.0
OUTAGE_SLOTS, OUTAGE_SPEED = 10, 20.0

TRANSPORT: list[dict[str, object]] = [
    {"kind": "timeout_before", "hold_s": 6},
    {"kind": "timeout_after", "hold_s": 6},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "http", "status": 500, "body": "html"},
    {"kind": "http", "status": 502, "body": "empty"},
    {"kind": "http", "status": 503, "body": "json"},
    {"kind": "html_200"},
    {"kind": "truncated", "length": "full"},
    {"kind": "truncated", "length": "matching"},
    {"kind": "slow_drip", "over_s": 20},
    {"kind": "latency", "min_ms": 500, "max_ms": 3000},
    {"kind": "error", "code": -1000},
    {"kind": "error", "code": -1001},
    {"kind": "error", "code": -1007},
]
SHARE = 1 - 0.8 ** (1 / len(TRANSPORT))  # each its part, a fifth together
RARE: list[dict[str, object]] = [
    {"kind": "too_many_requests", "retry_after_s": 2},
    {"kind": "banned", "retry_after_s": 3},
    {"kind": "http", "status": 403, "body": "html"},  # the firewall: everybody stays away for 30 s
]
HANGS = {"kind": "timeout_before", "hold_s": 10}
DATA = [
    {"kind": "missing_latest", "delay_ms": 3000},
    *({"kind": "corrupt", "shape": shape} for shape in ("nan", "null", "zero", "negative", "inverted", "future")),
    *({"kind": "corrupt", "shape": shape} for shape in ("duplicated", "out_of_order", "short")),
]


def random_faults(say: Say) -> Findings:
    """A fifth of all requests meets a fault, some answers are spoiled, now and then there is a limit or a ban."""
    findings = Findings()
    with Fleet(SPEED) as fleet:
        fleet.tell_exchange("/sim/faults", a_fifth_fails(FAULTED_MINUTES * 60))
        end_s = time.time() + FAULTED_MINUTES * 60
        fleet.wait(end_s - time.time(), say, "a fifth of all requests meets a fault")
        told = fleet.tell_exchange("/sim/faults", method="GET")
        everything = [*told["active"], *told["past"]]
        fleet.tell_exchange("/sim/faults", method="DELETE")
        fleet.wait(fleet.wall_s(2.3), say, "without faults")
        stats = fleet.exchange_stats()
        struck = sum(fault["struck"] for fault in everything)
        findings.figures["requests, faults that struck"] = f"{stats['requests']}, {struck}"
        findings.figures["429 and 418 of the exchange's own"] = f"{stats['answers_429']}, {stats['answers_418']}"
        fleet.judge(findings, end_s)
    return findings


def a_fifth_fails(for_s: float) -> list[dict[str, object]]:
    """Of all requests, from now on, for so many wall seconds."""
    shares: list[tuple[object, float]] = [*((what, SHARE) for what in TRANSPORT), *((what, 0.002) for what in RARE)]
    shares += [(what, 0.01) for what in DATA]
    return [
        {"what": what, "share": share, "seed": number, "for_s": for_s, "where": "/api/v3/*"}
        for number, (what, share) in enumerate(shares)
    ]


def total_outage(say: Say) -> Findings:
    """Nothing is answered for ten slots: connections are reset at first, then they hang."""
    findings = Findings()
    with Fleet(OUTAGE_SPEED) as fleet:
        fleet.wait(fleet.wall_s(1), say, "before the outage")
        half_s = fleet.wall_s(OUTAGE_SLOTS) / 2
        before = fleet.exchange_stats()["requests"]
        fleet.tell_exchange(
            "/sim/faults",
            [
                {"what": "reset_before", "where": "/api/v3/*", "for_s": half_s},
                {"what": HANGS, "where": "/api/v3/*", "after_s": half_s, "for_s": half_s},
            ],
        )
        end_s = time.time() + 2 * half_s
        fleet.wait(end_s - time.time(), say, "nothing is answered")
        tried = fleet.exchange_stats()["requests"] - before
        fleet.wait(fleet.wall_s(2.3), say, "after the outage")
        findings.figures["requests tried during the outage, a slot"] = f"{tried / OUTAGE_SLOTS:.1f}"
        down = fleet.query("SELECT COUNT(*) FROM notifications_event WHERE kind = 'exchange_down'")[0][0]
        findings.require(down >= 1, "nobody told that the exchange is down")
        fleet.judge(findings, end_s)
    return findings
