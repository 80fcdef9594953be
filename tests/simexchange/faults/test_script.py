"""How faults are told, which of them strikes, when, and how often."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simexchange.faults.fault import Ask, Fault, Known, read_faults
from simexchange.faults.kinds import KINDS
from simexchange.faults.register import Faults
from simexchange.requests.fields import BadField

KNOWN = Known([("GET", "/api/v3/klines"), ("GET", "/api/v3/order"), ("POST", "/api/v3/order")], ["BTCUSDT", "ETHUSDT"])
KLINES = Ask("GET", "/api/v3/klines", frozenset({"BTCUSDT"}), "15m", "mine")
ORDER = Ask("POST", "/api/v3/order", frozenset({"ETHUSDT"}), None, "mine")
T0 = 1_760_000_000_000


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "running" in request.fixturenames:
        request.getfixturevalue("running").request("DELETE", "/sim/faults")


def fault(what: Any = "reset_before", where: Any = None, **more: Any) -> Fault:
    return read_faults({"what": what, "where": where, **more}, KNOWN)[0]


def strikes(faults: Faults, at_ms: int, ask: Ask = ORDER) -> bool:
    return faults.meet(ask, at_ms).transport is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (5, "body"),
        ({}, "what.kind"),
        ({"what": "meteor"}, "what.kind"),
        ({"what": {"kind": 7}}, "what.kind"),
        ({"what": "reset_after", "share": 1.5}, "share"),
        ({"what": "reset_after", "share": "half"}, "share"),
        ({"what": "reset_after", "share": True}, "share"),
        ({"what": "reset_after", "times": 0}, "times"),
        ({"what": "reset_after", "times": 1.5}, "times"),
        ({"what": "reset_after", "seed": -1}, "seed"),
        ({"what": "reset_after", "after_s": -1}, "after_s"),
        ({"what": "reset_after", "from_ms": 5}, "from_ms"),
        ({"what": "reset_after", "from_ms": T0, "after_s": 1}, "after_s"),
        ({"what": "reset_after", "until_ms": T0, "for_s": 1}, "for_s"),
        ({"what": "reset_after", "from_ms": T0, "until_ms": T0}, "until_ms"),
        ({"what": "reset_after", "after_requests": 0}, "after_requests"),
        ({"what": "reset_after", "whence": "here"}, "whence"),
        ({"what": {"kind": "reset_after", "hold_s": 1}}, "what.hold_s"),
        ({"what": {"kind": "timeout_before", "hold_s": "long"}}, "what.hold_s"),
        ({"what": {"kind": "http", "status": 200}}, "what.status"),
        ({"what": {"kind": "http", "body": "xml"}}, "what.body"),
        ({"what": {"kind": "http", "when": "never"}}, "what.when"),
        ({"what": {"kind": "latency", "min_ms": 5, "max_ms": 1}}, "what.max_ms"),
        ({"what": {"kind": "error", "code": -7777}}, "what.code"),
        ({"what": {"kind": "delayed_acceptance", "answer": "error", "code": -7777}}, "what.code"),
        ({"what": "gap"}, "what.from_market_ms"),
        ({"what": {"kind": "gap", "from_market_ms": T0}}, "what.to_market_ms"),
        ({"what": {"kind": "spike", "from_market_ms": T0, "to_market_ms": T0}}, "what.to_market_ms"),
        ({"what": {"kind": "spike", "factor": 0}}, "what.factor"),
        ({"what": {"kind": "corrupt", "shape": "odd"}}, "what.shape"),
        ({"what": "reset_after", "where": "GET /api/v3/kline"}, "where.endpoint"),
        ({"what": "reset_after", "where": "PUT"}, "where.endpoint"),
        ({"what": "reset_after", "where": {"symbol": "NOPE"}}, "where.symbol"),
        ({"what": "reset_after", "where": {"interval": "7m"}}, "where.interval"),
        ({"what": "reset_after", "where": {"planet": "Mars"}}, "where.planet"),
        ({"what": "reset_after", "where": 5}, "where"),
        ([{"what": "reset_after"}, {"what": "meteor"}], "[1].what.kind"),
        ([{"what": "reset_after"}, {"what": "reset_after", "share": 2}], "[1].share"),
    ],
)
def test_mistakes_are_named_with_what_is_allowed(body: Any, field: str) -> None:
    with pytest.raises(BadField) as mistake:
        read_faults(body, KNOWN)
    assert mistake.value.field == field
    assert mistake.value.allowed


def test_mistakes_over_http_add_nothing(running: Any) -> None:
    before = running.request("GET", "/sim/faults")[1]["active"]
    answer = running.raw("POST", "/sim/faults", content=[{"what": "reset_after"}, {"what": "meteor"}])
    told = json.loads(answer.content)
    assert (answer.status, told["field"], told["allowed"]) == (400, "[1].what.kind", list(KINDS))
    assert "unknown kind 'meteor'" in told["error"]
    assert running.request("POST", "/sim/faults")[0] == 400
    assert running.request("GET", "/sim/faults")[1]["active"] == before


@pytest.mark.parametrize(
    ("where", "order", "klines"),
    [
        (None, True, True),
        ("*", True, True),
        ("POST /api/v3/order", True, False),
        ("post /api/v3/order", True, False),
        ("/api/v3/order", True, False),
        ("GET /api/v3/order", False, False),
        ("GET", False, True),
        ("* /api/v3/*", True, True),
        ({"symbol": "BTCUSDT"}, False, True),
        ({"symbol": "ETHUSDT", "endpoint": "POST *"}, True, False),
        ({"interval": "15m"}, False, True),
        ({"interval": "1h"}, False, False),
        ({"key": "mine"}, True, True),
        ({"key": "theirs"}, False, False),
    ],
)
def test_where(where: Any, order: bool, klines: bool) -> None:
    faults = Faults()
    faults.add([fault(where=where)], T0)
    assert (strikes(faults, T0, ORDER), strikes(faults, T0, KLINES)) == (order, klines)


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"times": 2}, [0, 1]),
        ({"after_s": 2}, [2, 3, 4, 5]),
        ({"after_s": 1, "for_s": 2}, [1, 2]),
        ({"for_s": 2}, [0, 1]),
        ({"from_ms": T0 + 3000}, [3, 4, 5]),
        ({"from_ms": T0 + 1000, "until_ms": T0 + 4000}, [1, 2, 3]),
        ({"after_requests": 3}, [2, 3, 4, 5]),
        ({"after_requests": 3, "times": 1}, [2]),
        ({"after_requests": 3, "for_s": 2}, [2, 3]),
        ({"after_requests": 2, "after_s": 3}, [3, 4, 5]),
        ({"share": 0}, []),
    ],
)
def test_when(when: dict[str, Any], struck: list[int]) -> None:
    """One request a second, from the moment the fault was told."""
    faults = Faults()
    faults.add([fault(**when)], T0)
    assert [second for second in range(6) if strikes(faults, T0 + second * 1000)] == struck


def test_a_share_of_requests_is_the_same_every_time() -> None:
    def series(seed: int) -> list[bool]:
        faults = Faults()
        faults.add([fault(share=0.3, seed=seed)], T0)
        return [strikes(faults, T0) for _ in range(400)]

    assert series(5) == series(5)
    assert series(5) != series(6)
    assert 80 < sum(series(5)) < 160


def test_the_first_that_matches_strikes() -> None:
    faults = Faults()
    first, second = faults.add([fault("reset_after", times=1), fault("reset_before")], T0)
    struck = [faults.meet(ORDER, T0).transport for _ in range(3)]
    assert [active.id if active else None for active in struck] == [first, second, second]
    faults.delete(second)
    assert faults.meet(ORDER, T0).transport is None


def test_faults_about_data_combine_with_one_on_the_way() -> None:
    faults = Faults()
    faults.add([fault("query_lag"), fault("latency"), fault("clock_skew"), fault("reset_after")], T0)
    met = faults.meet(ORDER, T0)
    assert met.transport is not None
    assert met.transport.fault.kind == "latency"
    assert [active.fault.kind for active in met.data] == ["query_lag", "clock_skew"]


def test_a_ban_lasts_two_minutes_unless_told() -> None:
    assert fault("banned").for_s == 120
    assert fault("banned", for_s=5).for_s == 5
    assert fault("banned", until_ms=T0).for_s is None


def test_the_report_and_the_end_of_faults(running: Any) -> None:
    where = {"endpoint": "GET /api/v3/ping", "key": "nobody"}
    once = running.fault({"kind": "http", "status": 502}, "GET /api/v3/ping", times=1, seed=9)
    never = running.fault("reset_before", where)
    assert [running.raw("GET", "/api/v3/ping").status for _ in range(2)] == [502, 200]
    report = running.request("GET", "/sim/faults")[1]
    assert [item["id"] for item in report["active"]] == [never]
    assert (report["active"][0]["matched"], report["active"][0]["state"]) == (0, "active")
    spent = next(item for item in report["past"] if item["id"] == once)
    assert (spent["state"], spent["matched"], spent["struck"], spent["seed"]) == ("spent", 1, 1, 9)
    assert spent["what"] == {"kind": "http", "status": 502, "body": "html", "when": "before"}
    assert running.request("DELETE", "/sim/faults", id=once)[0] == 400
    for nonsense in ("x", "", "7" * 5_000):
        status, answer = running.request("DELETE", "/sim/faults", id=nonsense)
        assert (status, answer["allowed"]) == (400, [never])
    assert running.request("DELETE", "/sim/faults", id=never) == (200, {"deleted": [never]})
    assert running.request("DELETE", "/sim/faults") == (200, {"deleted": []})
    assert running.request("GET", "/sim/faults")[1]["past"][-1]["state"] == "deleted"


def test_sim_is_out_of_reach(running: Any) -> None:
    running.fault("maintenance", "*")
    assert running.request("GET", "/sim/clock")[0] == 200
    assert running.raw("GET", "/api/v3/ping").status == 503
    assert running.raw("GET", "/sapi/v1/account/apiRestrictions", signed=True).status == 503
