"""PURE. The kinds of faults and the parameters each one takes.

Times are wall time unless the name says market. ``when`` tells whether the request is carried out: "before" means it is
not, "after" means it is, and only then the answer goes wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

from simexchange.faults.corrupt import SHAPES
from simexchange.requests.fields import Choice, Field, Flag, Number, Text

Parameters = Mapping[str, Field]

_SECONDS = Number(60.0, 0, 3600)  # longer than any client's own timeout
_RETRY_AFTER_S = Number(None, 0, 86_400 * 3, whole=True)
_BODY = ("html", "empty", "json", "text")
_MARKET_MS = Number(None, 0, 10**14, whole=True)


def _when(default: str) -> Choice:
    return Choice(default, ("before", "after"))


#: What happens to the request or its answer on the way. The first that matches strikes, the others let it be.
TRANSPORT: Mapping[str, Parameters] = {
    "timeout_before": {"hold_s": _SECONDS},
    "timeout_after": {"hold_s": _SECONDS},
    "delayed_acceptance": {
        "delay_s": Number(4.0, 0, 600),
        "answer": Choice("none", ("none", "reset", "http", "error")),
        "hold_s": _SECONDS,
        "status": Number(504, 400, 599, whole=True),
        "code": Number(-1007, -9999, -1, whole=True),
    },
    "reset_before": {},
    "reset_after": {},
    "http": {"status": Number(503, 400, 599, whole=True), "body": Choice("html", _BODY), "when": _when("before")},
    "html_200": {"when": _when("after")},
    "truncated": {"length": Choice("full", ("full", "matching")), "keep": Number(0.5, 0, 1)},
    "slow_drip": {"over_s": Number(5.0, 0, 600)},
    "latency": {"min_ms": Number(200.0, 0, 600_000), "max_ms": Number(None, 0, 600_000), "when": _when("before")},
    "error": {
        "code": Number(-1000, -9999, -1, whole=True),
        "msg": Text(),
        "status": Number(None, 200, 599, whole=True),
        "retry_after_s": _RETRY_AFTER_S,
        "when": _when("before"),
    },
    "too_many_requests": {"retry_after_s": Number(5, 0, 86_400, whole=True)},
    "banned": {"retry_after_s": _RETRY_AFTER_S},
    "maintenance": {"body": Choice("html", (*_BODY, "sapi"))},
}

#: What is wrong with the answer's content. Several may strike the same request.
DATA: Mapping[str, Parameters] = {
    "missing_latest": {"delay_ms": Number(2_000.0, 0, 86_400_000), "open_too": Flag(False)},
    "gap": {"from_market_ms": _MARKET_MS, "to_market_ms": _MARKET_MS},
    "frozen_price": {"volume": Choice("zero", ("zero", "keep")), "tickers": Flag(True)},
    "spike": {
        "factor": Number(10.0, 0.000001, 1_000_000),
        "from_market_ms": _MARKET_MS,
        "to_market_ms": _MARKET_MS,
        "tickers": Flag(False),
    },
    "corrupt": {"shape": Choice("nan", SHAPES), "row": Number(-2, -1000, 999, whole=True)},
    "clock_skew": {"skew_ms": Number(0, -(10**12), 10**12, whole=True), "drift_ms_per_s": Number(0.0, -1000, 1000)},
    "query_lag": {"lag_ms": Number(2_000, 0, 86_400_000)},
}

KINDS: Mapping[str, Parameters] = {**TRANSPORT, **DATA}

#: How long a fault of the kind lasts when it is not told (seconds); the others last until they are deleted.
LASTS_S: Mapping[str, float] = {"banned": 120.0}
