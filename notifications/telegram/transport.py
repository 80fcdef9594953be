"""The border to Telegram's Bot API (https://core.telegram.org/bots/api): the one file that imports its library.

Answers become values, errors become three kinds: try again, give this one up, somebody else polls.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import telegram
from telegram import error as errors
from telegram.request import HTTPXRequest

from notifications.telegram.markup import LONGEST_CAPTION, cut
from notifications.telegram.values import Incoming, Kind, Note

os.environ.setdefault("PTB_TIMEDELTA", "1")  # retry_after as a duration, and no warning that it will be one some day

API = "https://api.telegram.org"

POLL_S = 10
"""Of one long poll: short beside the poller's lease."""

TOTAL_S = 15
"""Of one call, from its beginning to its end: the library's own limits count from byte to byte."""

ALLOWED = ("message", "edited_message", "channel_post", "edited_channel_post", "callback_query")
"""What may come in; most of it only to be refused and recorded."""

_NEVER_ARRIVED = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
_UNCHANGED = "message is not modified"
_PRESSED_LONG_AGO = "query is too old"


class TelegramTrouble(Exception):
    """The text never holds the token."""


@dataclass(eq=False)
class TryAgain(TelegramTrouble):
    """It may work later. ``wait``: as long as Telegram asked for. ``unclear``: it may have arrived all the same."""

    text: str
    wait: timedelta | None = None
    unclear: bool = False

    def __str__(self) -> str:
        return self.text


class Undeliverable(TelegramTrouble):
    """This message will never be taken by this chat: blocked, not found, not well-formed."""


class OtherPoller(TelegramTrouble):
    """Somebody else asks for updates with the same token, or a webhook is set (409)."""


class Transport:
    """One bot's connection. Made in the event loop that it works in. ``total_s``: how long one call may take."""

    def __init__(self, token: str, api: str = API, total_s: float = TOTAL_S) -> None:
        self._token, self._api, self._total_s = token, api.rstrip("/"), total_s
        self._calls = HTTPXRequest(connection_pool_size=16, read_timeout=TOTAL_S, pool_timeout=TOTAL_S)
        self._polls = HTTPXRequest(connection_pool_size=1, read_timeout=POLL_S + 5)
        self._bot = telegram.Bot(token, f"{self._api}/bot", request=self._calls, get_updates_request=self._polls)

    async def close(self) -> None:
        await self._calls.shutdown()
        await self._polls.shutdown()

    async def send(self, chat_id: int, note: Note) -> None:
        """A new message. Raises TelegramTrouble."""
        async with self._call():
            common: dict[str, Any] = {
                "chat_id": chat_id,
                "parse_mode": "HTML",
                "disable_notification": note.silent,
                "reply_markup": _markup(note),
            }
            if note.picture is not None:
                caption = cut(note.html, LONGEST_CAPTION)
                await self._bot.send_photo(photo=note.picture, filename="chart.png", caption=caption, **common)
            else:
                preview = telegram.LinkPreviewOptions(is_disabled=True)
                await self._bot.send_message(text=cut(note.html), link_preview_options=preview, **common)

    async def replace(self, chat_id: int, message_id: int, note: Note) -> None:
        """Another text in place of one of ours. Raises TelegramTrouble."""
        try:
            async with self._call():
                await self._bot.edit_message_text(
                    text=cut(note.html),
                    chat_id=chat_id,
                    message_id=message_id,
                    parse_mode="HTML",
                    reply_markup=_buttons(note),
                    link_preview_options=telegram.LinkPreviewOptions(is_disabled=True),
                )
        except Undeliverable as error:
            if _UNCHANGED not in str(error).lower():
                raise

    async def pressed(self, callback_id: str, toast: str) -> None:
        """Let the button stop spinning. Raises TelegramTrouble."""
        try:
            async with self._call():
                await self._bot.answer_callback_query(callback_id, text=toast[:200])
        except Undeliverable as error:
            if _PRESSED_LONG_AGO not in str(error).lower():
                raise

    async def menu(self, chat_id: int, commands: Mapping[str, str]) -> None:
        """What the chat's command menu shows: names and what they do. Raises TelegramTrouble."""
        shown = [telegram.BotCommand(name, does[:256]) for name, does in commands.items()]
        async with self._call():
            await self._bot.set_my_commands(shown, scope=telegram.BotCommandScopeChat(chat_id))

    async def updates(self, after: int | None) -> list[Incoming]:
        """What came in since the update ``after``, which is forgotten by this; waits ``POLL_S`` for it. None: whatever
        Telegram has kept. Raises TelegramTrouble.

        Read one by one from the plain answer: what one of them looks like must not keep the others.
        """
        asked: dict[str, object] = {"timeout": POLL_S, "allowed_updates": json.dumps(ALLOWED)}
        if after is not None:
            asked["offset"] = after + 1
        async with self._call(POLL_S):
            answer: Any = await self._polls.post(f"{self._api}/bot{self._token}/getUpdates?{urlencode(asked)}")
        updates = answer if isinstance(answer, list) else []
        return [read_update(one) for one in updates if isinstance(one, dict) and _is_number(one.get("update_id"))]

    @asynccontextmanager
    async def _call(self, waits_s: float = 0) -> AsyncIterator[None]:
        seconds = waits_s + self._total_s
        try:
            async with asyncio.timeout(seconds):
                yield
        except errors.RetryAfter as error:
            wait = error.retry_after
            seconds_asked = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            raise TryAgain("too many messages (429)", seconds_asked) from None
        except errors.Conflict as error:
            raise OtherPoller(self._safe(error)) from None
        except (errors.BadRequest, errors.Forbidden, errors.ChatMigrated) as error:
            raise Undeliverable(self._safe(error)) from None
        except errors.InvalidToken:
            raise TryAgain("Telegram does not know the token: see TELEGRAM_TOKEN") from None
        except errors.TelegramError as error:
            unclear = type(error.__cause__).__name__ not in _NEVER_ARRIVED
            raise TryAgain(self._safe(error), unclear=unclear) from None
        except TimeoutError:
            raise TryAgain(f"no answer within {seconds:g} s", unclear=True) from None

    def _safe(self, error: Exception) -> str:
        return " ".join(str(error).replace(self._token, "***").split())[:300]


def read_update(update: Mapping[str, Any]) -> Incoming:
    """As far as it can be read; Kind.OTHER for the rest."""
    try:
        return _read(update)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        return Incoming(int(update["update_id"]), Kind.OTHER)


def _read(update: Mapping[str, Any]) -> Incoming:
    number = _number(update["update_id"])
    for name, kind in (
        ("message", Kind.MESSAGE),
        ("edited_message", Kind.EDITED),
        ("channel_post", Kind.CHANNEL),
        ("edited_channel_post", Kind.CHANNEL),
    ):
        if name in update:
            return _message(number, kind, update[name])
    pressed = update["callback_query"]
    message, sender = pressed["message"], pressed["from"]
    return Incoming(
        number,
        Kind.CALLBACK,
        chat_id=_number(message["chat"]["id"]),
        chat_type=str(message["chat"]["type"]),
        user_id=_number(sender["id"]),
        user_name=_name(sender),
        is_bot=bool(sender.get("is_bot")),
        text=str(pressed["data"]),
        message_id=_number(message["message_id"]),
        callback_id=str(pressed["id"]),
    )


def _message(number: int, kind: Kind, message: Mapping[str, Any]) -> Incoming:
    sender = message.get("from") or {}
    second_hand = ("forward_origin", "forward_date", "forward_from", "via_bot", "sender_chat")
    return Incoming(
        number,
        kind,
        chat_id=_number(message["chat"]["id"]),
        chat_type=str(message["chat"]["type"]),
        user_id=_number(sender.get("id", 0)),
        user_name=_name(sender),
        is_bot=bool(sender.get("is_bot")),
        text=str(message.get("text") or ""),
        sent_at=datetime.fromtimestamp(_number(message["date"]), tz=UTC),
        forwarded=any(message.get(name) for name in second_hand),
        message_id=_number(message["message_id"]),
    )


def _number(value: Any) -> int:
    """Raises TypeError: a number that is written as a text is none of Telegram's."""
    if not _is_number(value):
        raise TypeError(f"{value!r} is not a whole number")
    return int(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _name(sender: Mapping[str, Any]) -> str:
    name = sender.get("username") or sender.get("first_name") or ""
    return " ".join(str(name).split())[:64]


def _markup(note: Note) -> telegram.InlineKeyboardMarkup | telegram.ReplyKeyboardMarkup | None:
    if note.keyboard:
        rows: Sequence[Sequence[str]] = note.keyboard
        return telegram.ReplyKeyboardMarkup(rows, resize_keyboard=True, is_persistent=True)
    return _buttons(note)


def _buttons(note: Note) -> telegram.InlineKeyboardMarkup | None:
    if not note.buttons:
        return None
    rows = [[telegram.InlineKeyboardButton(one.text, callback_data=one.data) for one in row] for row in note.buttons]
    return telegram.InlineKeyboardMarkup(rows)
