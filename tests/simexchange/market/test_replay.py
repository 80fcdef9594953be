"""Recorded candles played back: nothing added, nothing lost, nothing too early."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from simexchange.errors.api_error import ApiError
from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, VOLUME
from simexchange.market.market import Market
from simexchange.market.replay import ReplayedPrices
from simexchange.market.timeframes import DAY_MS, HOUR_MS, MINUTE_MS

T0 = 1_700_006_400_000  # a UTC midnight
HEADER = "ts_ms,open,high,low,close,volume"


def write(directory: Path, name: str, *lines: str) -> None:
    with gzip.open(directory / name, "wt") as file:
        file.write("\n".join([HEADER, *lines]) + "\n")


def candle(index: int, prices: str, volume: str = "10.5", length_ms: int = 5 * MINUTE_MS, start: int = T0) -> str:
    return f"{start + index * length_ms},{prices},{volume}"


RISING, FALLING = "100.0,110.25,95.5,105.0", "105.0,106.0,90.0,92.0"


@pytest.fixture
def market(tmp_path: Path) -> Market:
    """ABCUSDT, 5m: candles 0, 1, 2 and 5, then nothing more."""
    write(tmp_path, "ABC_USDT-5m.csv.gz", candle(0, RISING), candle(1, FALLING), candle(2, RISING), candle(5, FALLING))
    return Market(ReplayedPrices.read(tmp_path))


def opens(market: Market, length_ms: int, now_ms: int) -> list[int]:
    rows = market.klines("ABCUSDT", length_ms, None, None, 100, now_ms)
    return [(int(at) - T0) // (5 * MINUTE_MS) for at in rows[:, OPEN_MS]]


def test_a_gap_stays_a_gap(market: Market) -> None:
    assert opens(market, 5 * MINUTE_MS, T0 + HOUR_MS) == [0, 1, 2, 5]
    assert opens(market, 15 * MINUTE_MS, T0 + HOUR_MS) == [0, 3]
    last = market.klines("ABCUSDT", 15 * MINUTE_MS, None, None, 1, T0 + HOUR_MS)[0]
    assert last[VOLUME] == 10.5 * 10**8  # of the one candle that the bucket has


def test_longer_candles_add_up(market: Market) -> None:
    row = market.klines("ABCUSDT", 15 * MINUTE_MS, None, None, 2, T0 + HOUR_MS)[0]
    prices = [int(row[column]) / 10**8 for column in (OPEN, HIGH, LOW, CLOSE)]
    assert prices == [100.0, 110.25, 90.0, 105.0]
    assert row[VOLUME] == 31.5 * 10**8


def test_nothing_is_shown_before_its_time(market: Market) -> None:
    assert market.price_e8("ABCUSDT", T0 - 1) is None
    assert not market.trading("ABCUSDT", T0 - 1)
    assert opens(market, 5 * MINUTE_MS, T0 - 1) == []
    assert opens(market, 5 * MINUTE_MS, T0 + 5 * MINUTE_MS - 1) == [0]
    assert market.price_e8("ABCUSDT", T0) == 100 * 10**8


def test_a_rising_candle_dips_first_and_a_falling_one_peaks_first(market: Market) -> None:
    def prices(index: int) -> list[int]:
        start = T0 + index * 5 * MINUTE_MS
        found = [market.price_e8("ABCUSDT", start + second * 1000) for second in range(301)]
        return [price for price in found if price is not None]

    rising, falling = prices(0), prices(1)
    assert rising.index(min(rising)) < rising.index(max(rising))
    assert falling.index(max(falling)) < falling.index(min(falling))
    assert max(rising) <= 110.25 * 10**8
    assert market.price_e8("ABCUSDT", T0 + 5 * MINUTE_MS - 1) == pytest.approx(105 * 10**8, rel=1e-3)


def test_in_a_gap_and_after_the_end_the_last_price_stands(market: Market) -> None:
    assert market.price_e8("ABCUSDT", T0 + 20 * MINUTE_MS) == 105 * 10**8
    end = T0 + 6 * 5 * MINUTE_MS
    for now_ms in (end, end + 40 * DAY_MS):
        assert market.price_e8("ABCUSDT", now_ms) == 92 * 10**8
        assert opens(market, 5 * MINUTE_MS, now_ms) == [0, 1, 2, 5]
    assert len(market.day("ABCUSDT", end + 40 * DAY_MS)) == 0
    assert market.average_price("ABCUSDT", 5, end + DAY_MS) == 92


def test_finer_candles_than_recorded_are_refused(market: Market) -> None:
    for interval in ("1m", "3m"):
        with pytest.raises(ApiError, match="-1120"):
            market.interval_ms("ABCUSDT", interval)
    assert market.interval_ms("ABCUSDT", "5m") == 5 * MINUTE_MS


def test_trading_rules_follow_the_recorded_digits(market: Market, tmp_path: Path) -> None:
    instrument = market.instrument("ABCUSDT")
    assert (instrument.tick, instrument.step, instrument.min_notional) == (Decimal("0.01"), Decimal("0.1"), 5)
    write(tmp_path, "XYZ_BTC-1h.csv.gz", candle(0, "5.3e-05,5.33e-05,5.29e-05,5.3e-05", "431.97869504", HOUR_MS))
    other = ReplayedPrices.read(tmp_path).instruments["XYZBTC"]
    assert (other.tick, other.step, other.min_notional) == (Decimal("0.0000001"), Decimal("0.1"), Decimal("0.0001"))


def test_the_default_origin_lies_where_most_symbols_trade(tmp_path: Path) -> None:
    for name in ("AAA", "BBB"):
        lines = [candle(n, RISING, length_ms=HOUR_MS) for n in range(100)]
        write(tmp_path, f"{name}_USDT-1h.csv.gz", *lines)
    write(tmp_path, "OLD_USDT-1h.csv.gz", candle(0, RISING, length_ms=HOUR_MS, start=T0 - 2000 * DAY_MS))
    assert ReplayedPrices.read(tmp_path).default_origin_ms() == T0 + 60 * HOUR_MS


def test_of_two_recordings_the_finer_counts_and_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "ABC_USDT-1h.csv.gz", candle(0, RISING, length_ms=HOUR_MS))
    write(tmp_path, "ABC_USDT-5m.csv.gz", candle(0, FALLING))
    write(tmp_path, "ABC_USDT-1m-outage.csv.gz", candle(0, RISING))
    (tmp_path / "README.md").write_text("not a candle")
    source = ReplayedPrices.read(tmp_path)
    assert source.base_ms("ABCUSDT") == 5 * MINUTE_MS
    assert list(source.instruments) == ["ABCUSDT"]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "expected the columns"),
        (["1,2"], "expected the columns"),
        ([candle(0, "1,nan,1,1")], "expected the columns"),
        ([candle(1, RISING), candle(0, RISING)], "must ascend"),
        ([candle(0, RISING, start=T0 + 1)], "must ascend"),
        ([candle(0, "100,99,98,100")], "between its low and its high"),
        ([candle(0, "0,0,0,0")], "must be positive"),
        ([candle(0, "1,2,x,1")], "could not convert"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, lines: list[str], complaint: str) -> None:
    write(tmp_path, "ABC_USDT-5m.csv.gz", *lines)
    with pytest.raises(ValueError, match=complaint) as error:
        ReplayedPrices.read(tmp_path)
    assert "ABC_USDT-5m.csv.gz" in str(error.value)


def test_an_empty_or_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file is named like"):
        ReplayedPrices.read(tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        ReplayedPrices.read(tmp_path / "absent")


def test_real_candles(recorded_candles: Path) -> None:
    source = ReplayedPrices.read(recorded_candles)
    assert {"BTCUSDT", "ETHUSDT", "ADABTC", "XMRBTC"} <= source.instruments.keys()
    market, now_ms = Market(source), source.default_origin_ms()
    ada = market.klines("ADABTC", 5 * MINUTE_MS, None, None, 1000, now_ms)
    assert len(ada) == 1000
    hours = market.klines("ADABTC", HOUR_MS, 0, None, 1000, now_ms)
    assert np.all(np.diff(hours[:, OPEN_MS]) % HOUR_MS == 0)
    assert source.instruments["BTCUSDT"].tick == Decimal("0.01")
    assert source.instruments["BTCUSDT"].step == Decimal("0.00001")
    assert source.instruments["ETHBTC"].tick == Decimal("0.00000001")
    gaps = np.diff(source.rows("ADABTC", 5 * MINUTE_MS, 0, 2**62, 10**6, "last")[:, OPEN_MS])
    assert gaps.max() > 2 * HOUR_MS  # the recorded gap of 2 h 50 min is still there
