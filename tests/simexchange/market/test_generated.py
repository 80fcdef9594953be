"""The invented market: the same for everyone who asks, consistent with itself, and like a real one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, TAKER_BASE, VOLUME, aggregate
from simexchange.market.generated import LISTED_MS, GeneratedPrices
from simexchange.market.market import Market
from simexchange.market.timeframes import DAY_MS, HOUR_MS, MINUTE_MS, TIMEFRAMES, floor_to
from simexchange.market.universe import MARKETS

NOW_MS = 1_760_000_123_456
SYMBOLS = [market.instrument.symbol for market in MARKETS]
PRICES = GeneratedPrices(seed=7)

moments = st.integers(LISTED_MS + 40 * DAY_MS, LISTED_MS + 30 * 365 * DAY_MS)
symbols = st.sampled_from(SYMBOLS)


@settings(max_examples=25, deadline=None)
@given(symbol=symbols, moment=moments, interval=st.sampled_from(list(TIMEFRAMES)))
def test_any_candle_is_the_sum_of_its_minutes(symbol: str, moment: int, interval: str) -> None:
    length_ms = TIMEFRAMES[interval]
    opening = floor_to(moment, length_ms)
    minutes = PRICES.rows(symbol, MINUTE_MS, opening, opening + length_ms, 1440, "last")
    assert len(minutes) == length_ms // MINUTE_MS
    candle = PRICES.rows(symbol, length_ms, opening, opening + length_ms, 1, "last")
    np.testing.assert_array_equal(candle, aggregate(minutes, length_ms))


@settings(max_examples=25, deadline=None)
@given(symbol=symbols, moment=moments)
def test_the_live_price_runs_inside_the_final_candle_to_its_close(symbol: str, moment: int) -> None:
    market = Market(PRICES)
    opening = floor_to(moment, MINUTE_MS)
    final = PRICES.rows(symbol, MINUTE_MS, opening, opening + MINUTE_MS, 1, "last")[0]
    tick = PRICES.instruments[symbol].tick_e8
    before: np.ndarray | None = None
    for elapsed in range(0, MINUTE_MS, 1500):
        now_ms = opening + elapsed
        price = market.price_e8(symbol, now_ms)
        assert price is not None
        assert final[LOW] <= price <= final[HIGH]
        assert price % tick == 0
        seen = market.klines(symbol, MINUTE_MS, None, None, 1, now_ms)[0]
        assert seen[OPEN] == final[OPEN]
        assert seen[CLOSE] == price
        if before is not None:
            assert seen[HIGH] >= before[HIGH]
            assert seen[LOW] <= before[LOW]
            assert seen[VOLUME] >= before[VOLUME]
        before = seen
    assert market.price_e8(symbol, opening) == final[OPEN]
    assert before is not None
    assert before[HIGH] == final[HIGH]
    assert before[LOW] == final[LOW]
    last = market.klines(symbol, MINUTE_MS, None, None, 2, opening + MINUTE_MS)[0]
    np.testing.assert_array_equal(last, final)


@settings(max_examples=20, deadline=None)
@given(symbol=symbols, moment=moments)
def test_time_never_jumps_at_a_boundary(symbol: str, moment: int) -> None:
    midnight = floor_to(moment, DAY_MS)
    rows = PRICES.rows(symbol, MINUTE_MS, midnight - HOUR_MS, midnight + HOUR_MS, 120, "last")
    np.testing.assert_array_equal(np.diff(rows[:, OPEN_MS]), MINUTE_MS)
    np.testing.assert_array_equal(rows[1:, OPEN], rows[:-1, CLOSE])


def test_candles_do_not_depend_on_who_asks_when_or_in_which_order() -> None:
    forgetful = GeneratedPrices(seed=7, cache_bytes=100_000)
    days = [floor_to(NOW_MS, DAY_MS) - n * DAY_MS for n in (0, 400, 3, 1, 64, 0)]
    for symbol in ("BTCUSDT", "DOGEUSDT"):
        for start_ms in days:
            for length_ms in (HOUR_MS, MINUTE_MS):
                mine = forgetful.rows(symbol, length_ms, start_ms, start_ms + DAY_MS, 1440, "first")
                theirs = GeneratedPrices(seed=7).rows(symbol, length_ms, start_ms, start_ms + DAY_MS, 1440, "first")
                np.testing.assert_array_equal(mine, theirs)
    assert forgetful.held_bytes <= 100_000


def test_these_numbers_never_change() -> None:
    """A new release must not rewrite the past of a running market: ledgers and charts refer to it."""
    row = GeneratedPrices(seed=1).rows("BTCUSDT", DAY_MS, 1_700_006_400_000, 1_700_092_800_000, 1, "last")[0]
    prices = [6796765000000, 6875423000000, 6598133000000, 6612375000000]
    volumes = [1753211042000, 118585454787464158, 1712109, 862177384000, 58321076370167194]
    assert row.tolist() == [1_700_006_400_000, *prices, *volumes]


def test_another_seed_is_another_market() -> None:
    mine, other = (GeneratedPrices(seed).rows("BTCUSDT", HOUR_MS, 0, NOW_MS, 24, "last") for seed in (7, 8))
    assert not np.array_equal(mine[:, CLOSE], other[:, CLOSE])


def test_candles_are_well_formed() -> None:
    for symbol, instrument in PRICES.instruments.items():
        rows = PRICES.rows(symbol, MINUTE_MS, 0, NOW_MS, 3000, "last")
        assert (rows[:, LOW] <= np.minimum(rows[:, OPEN], rows[:, CLOSE])).all()
        assert (rows[:, HIGH] >= np.maximum(rows[:, OPEN], rows[:, CLOSE])).all()
        assert (rows[:, OPEN : CLOSE + 1] % instrument.tick_e8 == 0).all()
        assert (rows[:, LOW] > 0).all()
        assert (rows[:, VOLUME] % instrument.step_e8 == 0).all()
        assert (rows[:, VOLUME] > 0).all()
        assert (rows[:, TAKER_BASE] <= rows[:, VOLUME]).all()


@pytest.mark.parametrize("interval", [name for name, length in TIMEFRAMES.items() if length <= 4 * HOUR_MS])
def test_history_is_long_enough(interval: str) -> None:
    rows = PRICES.rows("BTCUSDT", TIMEFRAMES[interval], 0, floor_to(NOW_MS, TIMEFRAMES[interval]), 3000, "last")
    assert len(rows) == 3000


def test_there_is_nothing_before_the_listing() -> None:
    rows = PRICES.rows("BTCUSDT", DAY_MS, 0, NOW_MS, 1000, "first")
    assert rows[0, OPEN_MS] == LISTED_MS


def returns(symbol: str, length_ms: int, count: int) -> np.ndarray:
    rows = PRICES.rows(symbol, length_ms, 0, floor_to(NOW_MS, length_ms), count, "last")
    return np.diff(np.log(rows[:, CLOSE].astype(float)))


def test_volatility_is_that_of_a_real_market_and_comes_in_clusters() -> None:
    moves = returns("BTCUSDT", 15 * MINUTE_MS, 12_000)
    assert 0.003 <= moves.std() <= 0.006
    assert ((moves / moves.std()) ** 4).mean() > 3.5  # fatter tails than the normal distribution's 3
    sizes = np.abs(moves)
    assert np.corrcoef(sizes[1:], sizes[:-1])[0, 1] > 0.1
    assert returns("DOGEUSDT", 15 * MINUTE_MS, 12_000).std() > moves.std()


def test_markets_move_together_but_not_as_one() -> None:
    bitcoin, ether, doge = (returns(symbol, HOUR_MS, 3000) for symbol in ("BTCUSDT", "ETHUSDT", "DOGEUSDT"))
    for one, other in ((bitcoin, ether), (bitcoin, doge), (ether, doge)):
        assert 0.4 < np.corrcoef(one, other)[0, 1] < 0.97


def test_there_are_trends_and_ranges() -> None:
    """Efficiency of a day: distance gone over distance travelled, by the hour. A random walk has about 0.2."""
    steps = returns("BTCUSDT", HOUR_MS, 24 * 250 + 1).reshape(-1, 24)
    efficiency = np.abs(steps.sum(axis=1)) / np.abs(steps).sum(axis=1)
    assert np.quantile(efficiency, 0.9) > 0.4
    assert np.quantile(efficiency, 0.25) < 0.15


def test_a_price_neither_explodes_nor_dies_in_thirty_years() -> None:
    for market in (MARKETS[0], MARKETS[6]):
        symbol = market.instrument.symbol
        weeks = range(LISTED_MS, LISTED_MS + 30 * 365 * DAY_MS, 45 * DAY_MS)
        opens = [PRICES.rows(symbol, DAY_MS, at, at + DAY_MS, 1, "last")[0, OPEN] / 1e8 for at in weeks]
        assert market.centre / 15 < min(opens)
        assert max(opens) < market.centre * 15
        assert market.centre / 2 < np.median(opens) < market.centre * 2
