"""Fleets of any size."""

from itertools import product
from pathlib import Path

SYMBOLS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "DOT", "LTC", "TRX", "ATOM")
STRATEGIES = ("rsi_reversal", "ema_cross", "macd_cross", "bollinger_reversion", "donchian_breakout")


def write_fleet(path: Path, bots: int, timeframes: tuple[str, ...] = ("15m",)) -> None:
    """A fleet file of ``bots`` bots over the 13 symbols, the timeframes and the strategies in turn."""
    series = list(product(timeframes, SYMBOLS))
    lines = ["[account]", 'name = "bench"', 'quote = "USDT"', "capital = 100_000", ""]
    for number in range(bots):
        timeframe, symbol = series[number % len(series)]
        strategy = STRATEGIES[(number + number // len(series)) % len(STRATEGIES)]
        lines += ["[[bots]]", f'name = "bot-{number}"', f'strategy = "{strategy}"', f'symbol = "{symbol}/USDT"']
        lines += [f'timeframe = "{timeframe}"', "capital = 5_000", ""]
    path.write_text("\n".join(lines))
