"""Keys, signatures, the time window, and parameters that are missing, doubled or malformed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import pytest

from simexchange.errors.api_error import ApiError
from simexchange.requests.auth import check_key, check_signature, check_timing
from simexchange.requests.params import Params

SERVER_MS = 1_760_000_000_000


def code_of(act: Callable[[], object]) -> int:
    try:
        act()
    except ApiError as error:
        return error.code
    return 0


@pytest.mark.parametrize(
    ("sent", "code"), [(None, -2014), ("", -2014), ("a key?", -2014), ("other", -2015), ("key-1", 0)]
)
def test_keys(sent: str | None, code: int) -> None:
    assert code_of(lambda: check_key(sent, "key-1")) == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f"timestamp={SERVER_MS}", 0),
        (f"timestamp={SERVER_MS - 5_000}", 0),
        (f"timestamp={SERVER_MS - 5_001}", -1021),
        (f"timestamp={SERVER_MS + 999}", 0),
        (f"timestamp={SERVER_MS + 1_000}", -1021),
        (f"timestamp={SERVER_MS - 9_000}&recvWindow=10000", 0),
        (f"timestamp={SERVER_MS - 300}&recvWindow=200", -1021),
        (f"timestamp={SERVER_MS}&recvWindow=60001", -1131),
        (f"timestamp={SERVER_MS}&recvWindow=x", -1100),
        ("timestamp=", -1102),
        ("", -1102),
    ],
)
def test_the_time_window(query: str, code: int) -> None:
    assert code_of(lambda: check_timing(Params(query), SERVER_MS)) == code


def signature(payload: str, secret: str = "s") -> str:
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        (f"a=1&b=2&signature={signature('a=1&b=2')}", "", 0),
        (f"a=1&b=2&signature={signature('a=1&b=2').upper()}", "", 0),
        ("", f"a=1&b=2&signature={signature('a=1&b=2')}", 0),
        ("a=1", f"b=2&signature={signature('a=1b=2')}", 0),  # both parts, joined without an "&"
        (f"signature={signature('a=1&b=2')}&a=1&b=2", "", 0),
        (f"a=1&b=3&signature={signature('a=1&b=2')}", "", -1022),
        (f"b=2&a=1&signature={signature('a=1&b=2')}", "", -1022),
        (f"a=1&signature={signature('a=1', 'other')}", "", -1022),
        ("a=1&signature=é", "", -1022),
        ("a=1", "", -1102),
    ],
)
def test_signatures(query: str, body: str, code: int) -> None:
    assert code_of(lambda: check_signature(Params(query, body), query, body, "s")) == code


@pytest.mark.parametrize(
    ("query", "read", "code"),
    [
        ("symbol=BTCUSDT", Params.symbol, 0),
        ("symbol=btcusdt", Params.symbol, -1100),
        ("symbol=", Params.symbol, -1102),
        ("", Params.symbol, -1102),
        ("quantity=1.5", lambda params: params.amount("quantity"), 0),
        ("quantity=-1", lambda params: params.amount("quantity"), -1100),
        ("quantity=1e3", lambda params: params.amount("quantity"), -1100),
        ("quantity=", lambda params: params.amount("quantity"), -1105),
        ("quantity=0.123456789", lambda params: params.amount("quantity"), -1111),
        ("quantity=0.1234567800", lambda params: params.amount("quantity"), 0),
        ("limit=0", lambda params: params.limit(500, 1000), -1130),
        ("limit=x", lambda params: params.limit(500, 1000), -1100),
        ("id=" + "x" * 36, lambda params: params.client_id("id"), 0),
        ("id=" + "x" * 37, lambda params: params.client_id("id"), -1100),
        ("id=a b", lambda params: params.client_id("id"), -1100),
        ("symbols=%5B%22A%22%5D", Params.symbols, 0),
        ("symbols=A,B", Params.symbols, -1100),
        ("symbol=A&symbols=%5B%22B%22%5D", Params.symbols, -1128),
        ("limit=5&limit=6", Params.refuse_doubled, -1101),
        ("surprise=1", Params.refuse_unread, -1104),
    ],
)
def test_parameters(query: str, read: Callable[[Params], object], code: int) -> None:
    assert code_of(lambda: read(Params(query))) == code


def test_the_query_string_comes_before_the_body() -> None:
    params = Params("limit=5", "limit=6&symbol=BTCUSDT")
    params.refuse_doubled()
    assert (params.integer("limit"), params.symbol()) == (5, "BTCUSDT")
    assert code_of(Params("", "limit=5&limit=6").refuse_doubled) == -1101


def test_a_limit_beyond_the_most_is_cut() -> None:
    assert Params("limit=5000").limit(500, 1000) == 1000
    assert Params("").limit(500, 1000) == 500
