"""Who may talk to us, and what of all that comes in is not answered. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.telegram.values import Incoming, Kind, Role

OLDEST = timedelta(seconds=60)
"""A message from before that was meant for a moment that is over: after an outage Telegram hands in hours of them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is done. ``told`` is what its sender is told; empty: nothing, a stranger learns not even that."""

    why: str
    told: str = ""


def read_ids(text: str) -> frozenset[int]:
    """``1234, 5678``. Raises ValueError naming what is no numeric id."""
    words = text.replace(",", " ").split()
    for word in words:
        if not (word.isascii() and word.isdigit() and 0 < len(word) < 16 and int(word)):
            raise ValueError(f"{word!r} is not a numeric user id: ask @userinfobot for yours, names can be taken over")
    return frozenset(int(word) for word in words)


def roles(viewers: frozenset[int], operators: frozenset[int]) -> dict[int, Role]:
    """Everybody who may talk to us; empty means nobody."""
    return {**dict.fromkeys(viewers, Role.VIEWER), **dict.fromkeys(operators, Role.OPERATOR)}


def judge(incoming: Incoming, people: Mapping[int, Role], now: datetime) -> Refusal | None:
    """None when it may be answered. In the order of how little its sender is trusted."""
    if incoming.kind is Kind.OTHER:
        return Refusal("not a message")
    if incoming.kind is Kind.CHANNEL or incoming.chat_type == "channel":
        return Refusal("from a channel")
    if incoming.user_id not in people or incoming.is_bot:
        return Refusal("from a stranger")
    if incoming.chat_type != "private" or incoming.chat_id != incoming.user_id:
        return Refusal("not in a private chat")
    if incoming.kind is Kind.EDITED:
        return Refusal("an edited message", "Edited messages are not read: send a new one.")
    if incoming.forwarded:
        return Refusal("a forwarded message", "Forwarded messages are not read: type the command.")
    return _judge_age(incoming, now) if incoming.kind is Kind.MESSAGE else None


def _judge_age(incoming: Incoming, now: datetime) -> Refusal | None:
    if incoming.sent_at is None:
        return Refusal("a message without its time")
    if now - incoming.sent_at > OLDEST:
        return Refusal("an old message", "Your message was older than a minute when it arrived: send it again.")
    if incoming.sent_at - now > OLDEST:
        told = "The platform's clock is behind Telegram's by more than a minute: set it, then try again."
        return Refusal("a message from the future", told)
    return None
