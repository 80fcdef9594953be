"""A question as a tick would put it, of invented figures: to see whether an AI answers, and how."""

import numpy as np

from market.candles import Candles
from tradingplatform.ai.prompt import CANDLES_SENT, Question


def sample_question() -> Question:
    """An entry on a quiet rise: an AI that works mostly allows it."""
    step = np.arange(CANDLES_SENT, dtype=np.float64)
    close = 60_000 + 25 * step + 40 * np.sin(step / 3)
    opening = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opening, close) + 15, np.minimum(opening, close) - 15
    opened = (np.arange(CANDLES_SENT) * 900_000).astype(np.int64)
    return Question(
        base="BTC",
        quote="USDT",
        timeframe="15m",
        strategy="ema_cross",
        signal="the fast EMA crossed above the slow one",
        candles=Candles(opened, opening, high, low, close, 10 + np.cos(step)),
        indicators={"fast": float(close[-9:].mean()), "slow": float(close[-21:].mean()), "atr": 48.0},
        entry={
            "side": "buy",
            "amount": "0.0204",
            "price": "61200",
            "notional": "1248.48",
            "stop": "60600",
            "target": None,
            "stop_distance_percent": "0.98",
        },
        bot={
            "entry_percent_of_capital": "24.97",
            "lost_at_stop_percent_of_capital": "0.24",
            "losing_trades_in_a_row": "0",
            "drawdown_percent": "1.2",
        },
        account={
            "exposure_percent_of_equity": "11.4",
            "exposure_with_this_entry_percent": "12.65",
            "exposure_in_this_asset_percent": "2.5",
            "free_cash_percent": "88.1",
            "drawdown_percent": "0.7",
        },
    )
