"""Binance's outage of 2018-06-26, replayed candle by candle through every strategy: NEO/BTC shows it as ten candles
without a trade, ETH/USDT as candles that are missing."""

from decimal import Decimal

import numpy as np
import pytest

from bots.strategies.base import Action
from bots.strategies.registry import STRATEGIES, build
from market.hygiene import cleaned, without_bad_prints
from risk.limits import BotLimits
from tests.factories import instrument
from tests.recordings import recorded
from tradingplatform.decide import Enter, Nothing, Subject, decide

HOUR_S = 3600
EAGER = {  # parameters that make a strategy enter often
    "rsi_reversal": {"period": 5, "oversold": 45},
    "ema_cross": {"fast": 3, "slow": 6},
    "macd_cross": {"fast": 3, "slow": 6, "signal": 3},
    "bollinger_reversion": {"period": 8, "deviations": 1.0},
    "donchian_breakout": {"entry_period": 4, "exit_period": 3},
}


def subject(symbol: str) -> Subject:
    return Subject(
        bot_id=1,
        account_id=1,
        instrument=instrument(symbol, tick_size=Decimal("0.000001")),
        interval_s=HOUR_S,
        capital=Decimal(5000),
        equity=Decimal(5000),
        loss_streak=0,
        limits=BotLimits(),
    )


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("name", ["NEO_BTC-1h-outage", "ETH_USDT-1h-outage"])
def test_no_entry_is_decided_on_a_hole_or_a_frozen_price(name, strategy):
    clean = cleaned(recorded(name), HOUR_S)
    candles = without_bad_prints(clean.candles).candles
    made = build(strategy, EAGER[strategy])
    bot = subject(name.partition("-")[0].replace("_", "/"))
    entered = kept_away = 0
    for end in range(made.warmup, len(candles) + 1):
        window = candles[:end]
        choice = decide(bot, None, lambda: made, window)
        looked_at = window[-(made.longest_period + 1) :]
        hole = bool((np.diff(looked_at.opened_ms) > HOUR_S * 1000).any())
        untraded = bool((looked_at.volume == 0).any())
        if isinstance(choice.act, Enter):
            entered += 1
            assert not hole
            assert not untraded
        elif choice.signal is not None and choice.signal.action is Action.ENTER:
            assert isinstance(choice.act, Nothing)
            kept_away += hole or untraded
    assert entered > 0  # the rule keeps away from the outage, not from the market
    assert kept_away > 0  # without it, this strategy would have entered there
