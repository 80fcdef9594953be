"""The platform wired to an exchange in memory, for what asks the composition root for its instruments."""

import pytest

from market.clock import Clock
from tests.factories import instrument
from tests.fakes import FakeMarket
from tradingplatform import wiring

BASES = ["BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "DOT", "LTC", "TRX", "ATOM"]
INSTRUMENTS = {f"{base}/USDT": instrument(f"{base}/USDT") for base in BASES}


@pytest.fixture
def wired_exchange(monkeypatch):
    """The thirteen symbols of the simulated exchange."""
    market = FakeMarket(dict(INSTRUMENTS))
    monkeypatch.setattr(wiring, "platform", lambda: wiring.Platform(clock=Clock(), exchange=market))
    return market
