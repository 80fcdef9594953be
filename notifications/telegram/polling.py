"""What people send: one process asks for it, each update is taken once, and nothing is thrown away unread."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import Q

from notifications.holding import Holding, Process
from notifications.models import Cursor
from notifications.telegram.conflict import Conflict
from notifications.telegram.database import DatabaseThread
from notifications.telegram.desk import Desk, Response
from notifications.telegram.menus import Menus
from notifications.telegram.refusals import Moment
from notifications.telegram.transport import OtherPoller, TelegramTrouble, Transport, TryAgain
from notifications.telegram.values import Incoming, Kind
from notifications.telegram.waiting import pause, unless

log = structlog.get_logger()

WAIT_S, LONGEST_S = 1.0, 60.0
CONFLICT_S = 15.0
ANSWER_S, ANSWER_TRIES = 20.0, 3
LONGEST_ANSWER_WAIT = timedelta(seconds=5)

NUMBERED_ANEW = timedelta(days=6)
"""After a week of silence Telegram numbers updates from anywhere: a smaller number is a new one then."""


@dataclass(frozen=True, slots=True)
class PollerMeans:
    """What the poller works with. ``bot_id`` tells one token's updates from another's."""

    bot_id: str
    transport: Transport
    database: DatabaseThread
    desk: Desk
    process: Process
    clock: Callable[[], Moment]


class Poller:
    """One per process; of all processes, the one that holds the cursor asks."""

    def __init__(self, means: PollerMeans, menus: Menus) -> None:
        self.means, self.menus = means, menus
        self.holding = Holding(f"telegram-poller:{means.bot_id}", means.process)
        self.conflict = Conflict(means.bot_id)
        self._after: int | None = None
        self._pause_s = WAIT_S

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``."""
        while not stop.is_set():
            try:
                wait_s = await self._round(stop)
            except Exception as error:  # the database is away, or it is our own fault: what came in is kept for us
                log.warning("telegram_polling_waits", error=f"{type(error).__name__}: {error}")
                wait_s = WAIT_S
            await pause(stop, wait_s)
        if self.holding.held:
            await self.means.database(self.holding.let_go)

    async def _round(self, stop: asyncio.Event) -> float:
        """Ask once and answer; the seconds to wait before the next time."""
        if not await self.means.database(self._hold):
            return WAIT_S
        try:
            await self.menus.show(self.means.transport)
            incoming = await unless(stop, self.means.transport.updates(self._after))
        except OtherPoller as trouble:
            error = str(trouble)
            await self.means.database(lambda: self.conflict.met(error, self.means.clock()))
            return CONFLICT_S
        except TelegramTrouble as trouble:
            return self._longer(trouble)
        self._pause_s = WAIT_S
        await self.means.database(lambda: self.conflict.not_met(self.means.clock()))
        for one in incoming or ():
            if stop.is_set() or not await self._take_on(one):
                break
        return 0.0

    def _longer(self, trouble: TelegramTrouble) -> float:
        """A pause that doubles, and at least what was asked for."""
        log.warning("telegram_not_polled", error=str(trouble))
        asked = trouble.wait.total_seconds() if isinstance(trouble, TryAgain) and trouble.wait else 0.0
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_S)
        return max(asked, pause_s)

    async def _take_on(self, incoming: Incoming) -> bool:
        """Take one update, then answer it: a command that was cut off is given again by its sender, never by us."""
        if not await self.means.database(self._hold):
            return False
        fresh = await self.means.database(lambda: self._claim(incoming.update_id))
        self._after = incoming.update_id
        if not fresh:
            return True
        response = await self.means.database(lambda: self.means.desk.respond(incoming))
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._respond(incoming, response)
        except (TelegramTrouble, TimeoutError) as trouble:
            log.warning("telegram_not_answered", chat=incoming.chat_id, error=str(trouble))
        if incoming.text.startswith("/start"):
            self.menus.wanted_by(incoming.chat_id)
        return True

    def _hold(self) -> bool:
        now = self.means.clock().wall_at
        Cursor.objects.get_or_create(name=self.holding.reader.subscriber, defaults={"seq": 0, "moved_at": now})
        return self.holding.take(now) is not None

    def _claim(self, update_id: int) -> bool:
        """Whether nobody has taken this update before."""
        now, reader = self.means.clock().wall_at, self.holding.reader
        new = Q(seq__lt=update_id) | Q(moved_at__lt=now - NUMBERED_ANEW)
        mine = Cursor.objects.filter(new, pk=reader.subscriber, holder=reader.holder)
        return mine.update(seq=update_id, moved_at=now) == 1

    async def _respond(self, incoming: Incoming, response: Response | None) -> None:
        transport = self.means.transport
        if incoming.kind is Kind.CALLBACK and incoming.callback_id and response is not None:
            toast = response.toast
            await _insist(lambda: transport.pressed(incoming.callback_id, toast))
        if response is None or response.note is None:
            return
        note, replaces = response.note, response.replaces
        if replaces:
            await _insist(lambda: transport.replace(incoming.chat_id, replaces, note))
        else:
            await _insist(lambda: transport.send(incoming.chat_id, note))


async def _insist(call: Callable[[], Awaitable[None]]) -> None:
    """Raises TelegramTrouble after a few tries, or when Telegram wants a longer pause than an answer is worth."""
    for attempt in range(1, ANSWER_TRIES + 1):
        try:
            return await call()
        except TryAgain as trouble:
            wait = trouble.wait or timedelta(seconds=attempt)
            if attempt == ANSWER_TRIES or wait > LONGEST_ANSWER_WAIT:
                raise
            await asyncio.sleep(wait.total_seconds())
    raise AssertionError("the last try either returns or raises")
