"""What the start says about Telegram. PURE."""

from notifications.telegram.people import read_ids
from tradingplatform.launcher.options import Options

HOW = "docs/telegram.md"


def telegram_line(options: Options) -> str:
    """Whether anybody is told, and how that is changed."""
    operators, viewers = read_ids(options.TELEGRAM_OPERATORS), read_ids(options.TELEGRAM_VIEWERS)
    if not options.TELEGRAM_TOKEN:
        return f"Telegram is off: no alerts and no commands there. TELEGRAM_TOKEN turns it on ({HOW})"
    if not operators | viewers:
        return f"Telegram tells and obeys NOBODY: name yourself in TELEGRAM_OPERATORS ({HOW})"
    return f"Telegram: {len(operators)} who may act, {len(viewers - operators)} who may read"
