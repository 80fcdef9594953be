"""A proposal and an exposure that every check passes, to be spoilt one figure at a time."""

from decimal import Decimal as D

import pytest

from market.clock_offset import Offset
from market.instruments import Instrument
from risk.limits import BotLimits, PortfolioLimits
from risk.verdicts import Entry, Exposure, Proposal


@pytest.fixture
def instrument():
    return Instrument("BTC/USDT", "BTC", "USDT", D("0.01"), D("0.001"), D("0.001"), D(100), D(5))


@pytest.fixture
def proposal():
    """A notional of 1,000."""
    return Proposal(
        bot_id=1,
        account_id=1,
        slot=1000,
        symbol="BTC/USDT",
        base="BTC",
        quote="USDT",
        amount=D(10),
        normal_amount=D(10),
        reference_price=D(100),
        stop_price=D(95),
        target_price=D(110),
        reason="test",
    )


@pytest.fixture
def exposure(instrument):
    """A bot of 5,000 on an account of 100,000, nothing held."""
    return Exposure(
        bot_capital=D(5000),
        bot_equity=D(5000),
        bot_peak_equity=D(5000),
        bot_day_start_equity=D(5000),
        bot_position_notional=D(0),
        loss_streak=0,
        account_equity=D(100_000),
        account_peak_equity=D(100_000),
        total_exposure=D(0),
        asset_exposure=D(0),
        free_cash=D(100_000),
        halts=(),
        trusted_price=D(100),
        bid=D(100),
        priced_at_ms=1_000_000,
        clock=Offset(ahead_ms=-20, within_ms=5),
        now_ms=1_000_000,
        stale_after_ms=60_000,
        holds=True,
        marked_at_ms=1_000_000,
        marks_stale_after_ms=30_000,
        bot_live_positions=0,
        last_entry=Entry(slot=999, candle_ms=898_200_000),
        candle_ms=899_100_000,
        bot_orders=0,
        account_orders=0,
        dead_man_triggered=False,
        bot_limits=BotLimits(),
        portfolio_limits=PortfolioLimits(),
        limit_faults=(),
        instrument=instrument,
    )
