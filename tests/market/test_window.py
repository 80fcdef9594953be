"""What is asked for, and what the answer says of itself."""

import pytest

from market.window import KEPT, NOTHING, OVERLAP, Source, Wanted
from tests.market.invented import HOUR_MS, SLOT, candles_between

WANTED = Wanted("BTC/USDT", "1h", SLOT, 100)
EXPECTED_MS = (SLOT - 1) * HOUR_MS


def known(last_slot: int, count: int = 50):
    return candles_between((last_slot - count + 1) * HOUR_MS, last_slot * HOUR_MS, HOUR_MS)


def test_the_expected_candle_closes_when_the_slot_begins():
    assert WANTED.expected_ms == EXPECTED_MS
    assert WANTED.closed_ms == SLOT * HOUR_MS
    assert WANTED.closed(known(SLOT + 1)).last_opened_ms == EXPECTED_MS


@pytest.mark.parametrize(
    ("candles", "settled"),
    [
        (NOTHING, False),
        (known(SLOT - 2), False),
        (known(SLOT - 1), True),
        (known(SLOT + 5), True),  # another bot is further on
        (known(SLOT + 500), False),  # all of it lies in our future
    ],
)
def test_settled(candles, settled):
    assert WANTED.settled_by(candles) is settled


@pytest.mark.parametrize(
    ("last_slot", "limit"),
    [
        (SLOT - 2, 2 + OVERLAP),  # the last known ones, the wanted, the open one
        (SLOT - 10, 10 + OVERLAP),
        (SLOT - 1000 + OVERLAP, KEPT),
        (SLOT - 1001 + OVERLAP, KEPT),  # too far back: all of it anew
    ],
)
def test_only_what_is_missing_is_asked_for(last_slot, limit):
    kept = WANTED.worth_keeping(known(last_slot))
    since_ms, asked = WANTED.missing_after(kept)
    assert asked == limit
    assert since_ms + (asked - 2) * HOUR_MS == EXPECTED_MS
    assert len(kept) == (0 if last_slot == SLOT - 1001 + OVERLAP else 50)


def test_no_more_is_asked_for_again_than_is_known():
    since_ms, asked = WANTED.missing_after(known(SLOT - 2, count=3))
    assert (since_ms, asked) == ((SLOT - 4) * HOUR_MS, 5)


def test_a_window_tells_its_age():
    window = WANTED.window(known(SLOT - 4), Source.LAST_KNOWN, "the network is down")
    assert window.age_ms(SLOT * HOUR_MS + 7) == 3 * HOUR_MS + 7
    assert WANTED.window(NOTHING, Source.LAST_KNOWN).age_ms(SLOT * HOUR_MS) is None


def test_a_fresh_window():
    window = WANTED.window(known(SLOT - 1, count=200), Source.CACHE, "no reason is due")
    assert (window.fresh, window.behind, window.gaps, window.reason) == (True, 0, 0, "")
    assert len(window.candles) == 100


def test_an_old_window_says_how_old_and_why():
    window = WANTED.window(known(SLOT - 4), Source.LAST_KNOWN, "the network is down")
    assert (window.fresh, window.behind, window.reason) == (False, 3, "the network is down")


def test_an_empty_window():
    window = WANTED.window(NOTHING, Source.LAST_KNOWN)
    assert (window.fresh, window.behind, window.gaps) == (False, None, 0)
    assert "no closed 1h candle of BTC/USDT" in window.reason


def test_gaps_are_counted():
    candles = known(SLOT - 5).merged(known(SLOT - 1, count=2), KEPT)
    assert WANTED.window(candles, Source.CACHE).gaps == 2


@pytest.mark.parametrize(("timeframe", "count"), [("7m", 5), ("1h", 0), ("1h", -1), ("1h", KEPT + 1)])
def test_nonsense_is_refused(timeframe, count):
    with pytest.raises(ValueError):
        Wanted("BTC/USDT", timeframe, SLOT, count)
