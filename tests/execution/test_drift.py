"""Where books and exchange disagree, to the last digit, and what is nobody's business."""

from decimal import Decimal as D

import pytest

from execution.drift import Drift, drift


def money(**amounts):
    return {asset: D(amount) for asset, amount in amounts.items()}


# books, exchange, in flight, traded, tolerance -> assets that drifted, with the difference
TABLE = {
    "all agree": (money(USDT="10", BTC="1"), money(USDT="10.0", BTC="1"), (), (), {}, {}),
    "the last digit": (money(BTC="1"), money(BTC="1.000000000000000000000000000001"), (), (), {}, {"BTC": "1e-30"}),
    "less there": (money(BTC="1"), money(BTC="0.4"), (), (), {}, {"BTC": "-0.6"}),
    "not there at all": (money(BTC="1"), {}, (), (), {}, {"BTC": "-1"}),
    "nothing booked, nothing there": (money(BTC="0"), {}, (), (), {}, {}),
    "a fee below zero by our books": (money(BNB="-0.5"), money(BNB="2"), (), (), {}, {"BNB": "2.5"}),
    "an asset in flight": (money(BTC="1", USDT="5"), money(BTC="2", USDT="5"), {"BTC"}, (), {}, {}),
    "one in flight, one not": (money(BTC="1", USDT="5"), money(BTC="2", USDT="6"), {"BTC"}, (), {}, {"USDT": "1"}),
    "an asset nobody tracks": (money(USDT="5"), money(USDT="5", SHIB="9"), (), {"USDT", "BTC"}, {}, {}),
    "an asset that bots trade": (money(USDT="5"), money(USDT="5", BTC="9"), (), {"USDT", "BTC"}, {}, {"BTC": "9"}),
    "the quote before any capital": ({}, money(USDT="5"), (), {"USDT"}, {}, {"USDT": "5"}),
    "within its tolerance": (money(BTC="1"), money(BTC="1.001"), (), (), money(BTC="0.001"), {}),
    "beyond its tolerance": (money(BTC="1"), money(BTC="0.9989"), (), (), money(BTC="0.001"), {"BTC": "-0.0011"}),
    "another's tolerance": (money(BTC="1"), money(BTC="1.001"), (), (), money(ETH="1"), {"BTC": "0.001"}),
}


@pytest.mark.parametrize(("booked", "there", "flying", "traded", "limits", "found"), TABLE.values(), ids=TABLE.keys())
def test_what_drifted(booked, there, flying, traded, limits, found):
    drifts = drift(booked, there, flying, traded, limits)
    assert {one.asset: one.difference for one in drifts} == {asset: D(change) for asset, change in found.items()}
    for one in drifts:
        assert (one.booked, one.at_exchange) == (booked.get(one.asset, 0), there.get(one.asset, 0))


def test_by_name_and_in_words():
    first, second = drift(money(USDT="1000.50", BTC="2"), money(USDT="1000", BTC="2.00000001"), ())
    assert str(first) == "the exchange has 2.00000001 BTC, our books 2: 0.00000001 more"
    assert str(second) == "the exchange has 1000 USDT, our books 1000.5: 0.5 less"
    assert second == Drift("USDT", D("1000.50"), D(1000), D("-0.5"))
