"""Fleets of any size."""

from itertools import product
from pathlib import Path

SYMBOLS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "AVAX", "LINK", "DOT", "LTC", "TRX", "ATOM")
STRATEGIES = ("rsi_reversal", "ema_cross", "macd_cross", "bollinger_reversion", "donchian_breakout")


EAGER = {
    "rsi_reversal": "{period = 5, oversold = 45}",
    "ema_cross": "{fast = 3, slow = 6}",
    "macd_cross": "{fast = 3, slow = 6, signal = 3}",
    "bollinger_reversion": "{period = 8, deviations = 1.0}",
    "donchian_breakout": "{entry_period = 4, exit_period = 3}",
}
"""Parameters with which the strategies enter and leave often."""


def write_fleet(
    path: Path, bots: int, timeframes: tuple[str, ...] = ("15m",), account: str = "bench", eager: bool = False
) -> None:
    """A fleet file of ``bots`` bots over the 13 symbols, the timeframes and the strategies in turn."""
    series = list(product(timeframes, SYMBOLS))
    lines = ["[account]", f'name = "{account}"', 'quote = "USDT"', "capital = 100_000", ""]
    for number in range(bots):
        timeframe, symbol = series[number % len(series)]
        strategy = STRATEGIES[(number + number // len(series)) % len(STRATEGIES)]
        lines += ["[[bots]]", f'name = "bot-{number}"', f'strategy = "{strategy}"', f'symbol = "{symbol}/USDT"']
        lines += [f'timeframe = "{timeframe}"', "capital = 5_000"]
        lines += [f"parameters = {EAGER[strategy]}"] if eager else []
        lines += [""]
    path.write_text("\n".join(lines))
