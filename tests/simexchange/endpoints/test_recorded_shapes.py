"""Market data has the fields, the JSON types and the number formats of Binance's recorded answers, all the way down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

ANSWERS = {
    "exchangeInfo": ("exchangeInfo", {}),
    "klines": ("klines", {"symbol": "BTCUSDT", "interval": "5m", "limit": 24}),
    "uiKlines": ("klines", {"symbol": "BTCUSDT", "interval": "5m", "limit": 24}),
    "trades": ("trades", {"symbol": "BTCUSDT", "limit": 15}),
    "depth": ("depth", {"symbol": "BTCUSDT", "limit": 100}),
    "avgPrice": ("avgPrice", {"symbol": "BTCUSDT"}),
    "ticker/price": ("ticker_price", {"symbol": "BTCUSDT"}),
    "ticker/bookTicker": ("ticker_bookTicker", {"symbol": "BTCUSDT"}),
    "ticker/24hr": ("ticker_24hr", {"symbol": "BTCUSDT"}),
}

#: Where the simulated exchange differs on purpose: endpoint, place -> why.
DIFFERENCES = {
    ("avgPrice", "closeTime"): "Binance has added it since the recording; ccxt reads it",
}


def number_format(text: str) -> str:
    """A string that holds a number by its decimals, any other as text."""
    match = re.fullmatch(r"-?\d+(?:\.(\d+))?", text)
    return "text" if match is None else f"number with {len(match[1] or '')} decimals"


def places(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf as (place, what stands there). Items of a list share a place, but for filters, which have a type, and
    the columns of a candle or an offer, which have a position."""
    if isinstance(value, dict):
        kind = value.get("filterType")
        here = f"{at}<{kind}>" if kind else at
        for name, item in value.items():
            yield from places(item, f"{here}.{name}".lstrip("."))
    elif isinstance(value, list):
        row = value and not isinstance(value[0], dict | list) and len({type(item) for item in value}) > 1
        for number, item in enumerate(value):
            yield from places(item, f"{at}[{number if row else ''}]")
        if not value:
            yield at, "empty list"
    else:
        yield at, number_format(value) if isinstance(value, str) else type(value).__name__


def theirs_for(recorded: Any, name: str, params: dict[str, Any]) -> Any:
    """The recorded answer to such a question; of exchangeInfo only the one symbol that both sides have alike."""
    answers = [entry["data"] for entry in recorded(f"api_v3_{name}.json")["GET"]]
    kind = list if name in ("klines", "trades") else dict
    found = next(answer for answer in answers if isinstance(answer, kind))
    if name == "exchangeInfo":
        found = found | {"symbols": [item for item in found["symbols"] if item["symbol"] == "BTCUSDT"]}
    return found


@pytest.mark.parametrize("path", ANSWERS)
def test_answers_have_the_recorded_shape(running: Any, recorded: Any, path: str) -> None:
    name, params = ANSWERS[path]
    status, answer = running.request("GET", f"/api/v3/{path}", **params)
    assert status == 200
    mine, theirs = set(places(answer)), set(places(theirs_for(recorded, name, params)))
    different = {place for place, _ in mine ^ theirs}
    assert different == {place for endpoint, place in DIFFERENCES if endpoint == path}


def test_the_comparison_sees_a_difference() -> None:
    theirs = [{"price": "1.00000000", "filters": [{"filterType": "LOT_SIZE", "minQty": "1.0"}], "row": [1, "2.5"]}]
    for changed in (
        [{"price": "1.0"}],
        [{"price": 1.0}],
        [{"filters": [{"filterType": "LOT_SIZE", "minQty": "1.00"}]}],
        [{"row": ["1", "2.5"]}],
        [{"row": [1, "2.50"]}],
        [{"extra": None}],
    ):
        assert set(places([theirs[0] | changed[0]])) != set(places(theirs))
