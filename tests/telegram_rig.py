"""The Telegram process's event loop in a thread of the test, against the fake Bot API."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from django.db import transaction

from market.clock import Clock
from notifications.holding import Process
from notifications.models import Event, Severity
from notifications.telegram.commands import Command
from notifications.telegram.delivery import Compose
from notifications.telegram.markup import escape
from notifications.telegram.process import Setup, run
from notifications.telegram.values import Note, Role
from tests.factories import SOME_KIND, make_event
from tests.telegram_api import TOKEN, TelegramApi

ANN, BOB = 1111, 2222
"""An operator and a viewer."""


def plain(event: Event) -> Note | None:
    return None if event.kind == "quiet" else Note(escape(event.text), silent=event.severity == Severity.INFO)


def tell(text: str, kind: str = SOME_KIND, severity: Severity = Severity.INFO) -> Event:
    """An event is committed."""
    now = Clock().now()
    with transaction.atomic():
        return make_event(text, now, kind=kind, severity=severity)


@contextmanager
def running(
    api: TelegramApi,
    people: Mapping[int, Role] | None = None,
    commands: Mapping[str, Command] | None = None,
    compose: Compose = plain,
    name: str = "one",
    is_gone: Callable[[str], bool] = lambda name: False,
) -> Iterator[None]:
    """For as long as the block lasts."""
    chosen = {ANN: Role.OPERATOR} if people is None else people
    setup = Setup(TOKEN, api.url, chosen, commands or {}, compose, Process(name, is_gone), Clock().now)
    begun, ends = threading.Event(), []

    async def main() -> None:
        stop = asyncio.Event()
        ends.append((asyncio.get_running_loop(), stop))
        begun.set()
        await run(setup, stop)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    begun.wait(5)
    try:
        yield
    finally:
        loop, stop = ends[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()
