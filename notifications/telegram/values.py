"""What goes out to people and what comes in from them, as frozen values. PURE."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What a person may do. A higher one may do everything that a lower one may."""

    VIEWER = 1  # read
    OPERATOR = 2  # read and act


class Kind(StrEnum):
    """What came in."""

    MESSAGE = "message"  # a new message
    CALLBACK = "callback"  # somebody pressed a button under one of ours
    EDITED = "edited message"  # an old message was changed
    CHANNEL = "channel post"  # written by a channel, not by a person
    OTHER = "something else"  # nothing that was asked for


@dataclass(frozen=True, slots=True)
class Button:
    """``data`` comes back when it is pressed: 64 bytes at most."""

    text: str
    data: str


@dataclass(frozen=True, slots=True)
class Note:
    """A message to a person. ``html`` is Telegram's HTML, everything in it escaped, of any length.

    ``picture``: a PNG, to which the text becomes the caption. ``keyboard``: the rows of the keyboard that stays.
    """

    html: str
    silent: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    keyboard: tuple[tuple[str, ...], ...] = ()
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What somebody did, as far as it could be read. ``sent_at`` is when the message was sent, by Telegram's clock; of
    a pressed button nothing tells when. ``forwarded``: not written by its sender, or not for us."""

    update_id: int
    kind: Kind
    chat_id: int = 0
    chat_type: str = ""
    user_id: int = 0
    user_name: str = ""
    is_bot: bool = False
    text: str = ""
    sent_at: datetime | None = None
    forwarded: bool = False
    message_id: int = 0
    callback_id: str = ""
