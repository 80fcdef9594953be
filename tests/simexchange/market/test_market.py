"""Which candles a request gets, compared to a plain model of Binance's rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.errors.api_error import ApiError
from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, QUOTE_VOLUME, VOLUME
from simexchange.market.generated import GeneratedPrices
from simexchange.market.market import Market
from simexchange.market.timeframes import DAY_MS, HOUR_MS, MINUTE_MS, TIMEFRAMES, floor_to

NOW_MS = 1_760_000_123_456
MARKET = Market(GeneratedPrices(seed=7))
offsets = st.none() | st.integers(-40 * HOUR_MS, 2 * HOUR_MS)


@settings(max_examples=80, deadline=None)
@given(
    length_ms=st.sampled_from([MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS]),
    start=offsets,
    end=offsets,
    limit=st.integers(1, 60),
)
def test_the_candles_of_a_range(length_ms: int, start: int | None, end: int | None, limit: int) -> None:
    start_ms = None if start is None else NOW_MS + start
    end_ms = None if end is None else NOW_MS + end
    every = range(floor_to(NOW_MS - 300 * HOUR_MS, length_ms), NOW_MS + 1, length_ms)
    opens = [at for at in every if (start_ms or 0) <= at <= (NOW_MS if end_ms is None else end_ms)]
    expected = opens[-limit:] if start_ms is None else opens[:limit]
    rows = MARKET.klines("BTCUSDT", length_ms, start_ms, end_ms, limit, NOW_MS)
    assert rows[:, OPEN_MS].tolist() == expected


@settings(max_examples=40, deadline=None)
@given(interval=st.sampled_from(list(TIMEFRAMES)), elapsed=st.integers(0, DAY_MS - 1))
def test_the_unfinished_candle_knows_nothing_of_the_future(interval: str, elapsed: int) -> None:
    length_ms = TIMEFRAMES[interval]
    opening = floor_to(NOW_MS, length_ms)
    now_ms = opening + elapsed % length_ms
    row = MARKET.klines("ETHUSDT", length_ms, None, None, 1, now_ms)[0]
    minutes = MARKET.klines("ETHUSDT", MINUTE_MS, opening, now_ms, 1000 + 1000, now_ms)
    assert row[OPEN_MS] == opening
    assert row[OPEN] == minutes[0, OPEN]
    assert row[CLOSE] == MARKET.price_e8("ETHUSDT", now_ms)
    assert row[HIGH] == minutes[:, HIGH].max()
    assert row[LOW] == minutes[:, LOW].min()
    assert row[VOLUME] == minutes[:, VOLUME].sum()


def test_a_finished_candle_does_not_change_any_more() -> None:
    then = MARKET.klines("BTCUSDT", HOUR_MS, None, None, 3, NOW_MS)[:-1]
    later = MARKET.klines("BTCUSDT", HOUR_MS, int(then[0, OPEN_MS]), None, 2, NOW_MS + 5 * HOUR_MS)
    np.testing.assert_array_equal(then, later)


def test_the_day_is_the_last_24_hours() -> None:
    row = MARKET.day("BTCUSDT", NOW_MS)[0]
    minutes = MARKET.klines("BTCUSDT", MINUTE_MS, NOW_MS - DAY_MS, None, 2000, NOW_MS)
    assert row[OPEN] == minutes[0, OPEN]
    assert row[HIGH] == minutes[:, HIGH].max()
    assert row[CLOSE] == MARKET.price_e8("BTCUSDT", NOW_MS)
    assert row[QUOTE_VOLUME] == minutes[:, QUOTE_VOLUME].sum()


def test_the_average_price_lies_within_its_minutes() -> None:
    average = MARKET.average_price("BTCUSDT", 5, NOW_MS)
    minutes = MARKET.klines("BTCUSDT", MINUTE_MS, NOW_MS - 6 * MINUTE_MS, None, 7, NOW_MS)
    assert average is not None
    assert int(minutes[:, LOW].min()) <= average * 10**8 <= int(minutes[:, HIGH].max())


@pytest.mark.parametrize("interval", ["7m", "1w", "1M", "", "1H"])
def test_unknown_intervals(interval: str) -> None:
    with pytest.raises(ApiError, match="-1120"):
        MARKET.interval_ms("BTCUSDT", interval)
