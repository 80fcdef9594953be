"""What follows a command's name, read; every ValueError is a sentence for whoever typed it."""

from bots.models import Bot
from tradingplatform.telegram_commands.tables import clip

MOST_NAMED = 5


def count(words: tuple[str, ...], usual: int, most: int) -> int:
    """The first word as a whole number from 1 to ``most``; the usual one without a word."""
    if not words:
        return usual
    text = words[0]
    if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= most):
        raise ValueError(f"{clip(text, 32)!r} is not a number from 1 to {most}")
    return int(text)


def bot_named(words: tuple[str, ...], command: str) -> Bot:
    """The bot of that name."""
    if not words:
        raise ValueError(f"Name a bot: /{command} BOT. See /bots")
    name = words[0].lower()
    bot = Bot.objects.select_related("account").filter(name=name[:64]).first()
    if bot is None:
        raise ValueError(f"There is no bot {clip(name, 64)!r}{_perhaps(name)}. See /bots")
    return bot


def _perhaps(name: str) -> str:
    near = Bot.objects.filter(name__contains=name[:64]).values_list("name", flat=True)[:MOST_NAMED]
    return f": perhaps {', '.join(near)}" if near else ""
