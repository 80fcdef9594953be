"""Alerts to one chat: in order, at least once, never lost.

The cursor moves when Telegram has taken a message, or will never take it. A process that is killed between the two
leaves it where it was: the next one sends again, and says so.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from notifications.cursors import bury, close_cursors, delivered, due_events, failed, open_cursor
from notifications.holding import Holding, Process
from notifications.models import Event
from notifications.telegram.batches import MOST, Batch, next_batch
from notifications.telegram.database import DatabaseThread
from notifications.telegram.markup import escape
from notifications.telegram.pace import Pace
from notifications.telegram.refusals import Moment
from notifications.telegram.transport import Transport, TryAgain, Undeliverable
from notifications.telegram.values import Note
from notifications.telegram.waiting import pause

log = structlog.get_logger()

LOOK_S = 0.5
"""Between two looks for something new, wall time."""

TROUBLE_S = 1.0
MOVE_TRIES = 20
SHORTEST_WAIT = timedelta(seconds=1)

Compose = Callable[[Event], Note | None]
"""What an event says to people; None where nobody wants to know."""


SUBSCRIBERS = "telegram:"
"""How the names of all of ours begin."""


def subscriber(chat_id: int) -> str:
    return f"{SUBSCRIBERS}{chat_id}"


def forget_others(chat_ids: Iterable[int]) -> None:
    """Whoever is on no list any more begins at the end of the log, should it come back: what it was not meant to read
    is not sent to it later, and a month of alerts tells nobody anything. Where nobody is on any list, the lists were
    rather lost than emptied: nobody is forgotten."""
    keep = [subscriber(chat_id) for chat_id in chat_ids]
    forgotten = close_cursors(SUBSCRIBERS, keep) if keep else 0
    if forgotten:
        log.info("telegram_chats_forgotten", count=forgotten)


@dataclass(frozen=True, slots=True)
class Means:
    """What every chat's delivery works with."""

    transport: Transport
    database: DatabaseThread
    compose: Compose
    process: Process
    clock: Callable[[], Moment]


class Delivery:
    """One chat's. Its trouble is nobody else's."""

    def __init__(self, chat_id: int, means: Means) -> None:
        self.chat_id, self.means = chat_id, means
        self.holding = Holding(subscriber(chat_id), means.process)
        self._pace = Pace()
        self._opened = False
        self._doubtful = False  # the next message may have arrived before
        self._one_by_one_until = 0  # a batch with a bad one in it is taken apart

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. Gives the cursor back, unless it is torn out of a send: the next process must know that."""
        while not stop.is_set():
            try:
                busy = await self._look(stop)
            except Exception as error:  # the database is away, or it is our own fault: nothing is lost by waiting
                log.warning("telegram_delivery_waits", chat=self.chat_id, error=f"{type(error).__name__}: {error}")
                busy = False
                await pause(stop, TROUBLE_S)
            if not busy:
                await pause(stop, LOOK_S)
        if self.holding.held and not self._doubtful:
            await self.means.database(self.holding.let_go)

    async def _look(self, stop: asyncio.Event) -> bool:
        """Tell everything that is due now. Whether there was anything, and all of it went."""
        due = await self.means.database(self._due)
        begun = bool(due)
        while due and not stop.is_set():
            batch = next_batch(due, 1 if _number(due[0][0]) <= self._one_by_one_until else MOST)
            if batch.note is not None:
                await pause(stop, self._pace.wait_s(asyncio.get_running_loop().time()))
            if not await self._tell(batch):
                return False
            due = [pair for pair in due if _number(pair[0]) > _number(batch.last)]
        return begun

    def _due(self) -> list[tuple[Event, Note | None]]:
        now, held = self.means.clock().wall_at, self.holding.held
        if not self._opened:
            open_cursor(self.holding.reader.subscriber, now)
            self._opened = True
        before = self.holding.take(now)
        if before is None:
            return []
        if not held:  # whoever read before was cut off, perhaps between a send and the move of the cursor
            self._doubtful = before.holder not in ("", self.holding.reader.holder) or before.attempts > 0
        return [(event, self._compose(event)) for event in due_events(self.holding.reader, now)]

    def _compose(self, event: Event) -> Note | None:
        try:
            return self.means.compose(event)
        except Exception:  # an alert that cannot be dressed is told as it is
            log.exception("telegram_text_failed", kind=event.kind, event_id=event.pk)
            return Note(escape(event.text))

    async def _tell(self, batch: Batch) -> bool:
        """Whether the next one may follow."""
        if batch.note is None:
            return await self._move_on(batch.last)
        if not await self.means.database(self._renew):
            return False
        note = batch.marked() if self._doubtful else batch.note
        before, self._doubtful = self._doubtful, True  # from here until it is known what became of it
        try:
            await self.means.transport.send(self.chat_id, note)
        except TryAgain as trouble:
            self._doubtful = before or trouble.unclear
            await self._failed(batch, trouble)
            return False
        except Undeliverable as trouble:
            self._doubtful = before
            return await self._give_up(batch, str(trouble))
        moved = await self._move_on(batch.last)
        self._doubtful = not moved
        return moved

    def _renew(self) -> bool:
        """Hold the cursor for the time that a send may take."""
        return self.holding.take(self.means.clock().wall_at) is not None

    async def _failed(self, batch: Batch, trouble: TryAgain) -> None:
        wait = None if trouble.wait is None else max(trouble.wait, SHORTEST_WAIT)
        now = self.means.clock().wall_at
        times = await self.means.database(lambda: failed(self.holding.reader, batch.last, str(trouble), now, wait))
        log.warning("telegram_not_sent", chat=self.chat_id, times=times, error=str(trouble))

    async def _give_up(self, batch: Batch, error: str) -> bool:
        """The one event is buried; of several it is found out which is the bad one."""
        if batch.told > 1:
            self._one_by_one_until = _number(batch.last)
            return False
        now = self.means.clock().wall_at
        log.warning("telegram_undeliverable", chat=self.chat_id, event_id=batch.last.pk, error=error)
        buried = await self.means.database(lambda: bury(self.holding.reader, batch.last, error, now))
        self._doubtful = self._doubtful and not buried
        return buried

    async def _move_on(self, event: Event) -> bool:
        """Insist: what was taken once must not be sent again because the database was busy."""
        for attempt in range(1, MOVE_TRIES + 1):
            try:
                now = self.means.clock().wall_at
                return await self.means.database(lambda: delivered(self.holding.reader, event, now))  # noqa: B023
            except Exception as error:
                if attempt == MOVE_TRIES:
                    raise
                log.warning("telegram_cursor_waits", chat=self.chat_id, error=str(error))
                await asyncio.sleep(TROUBLE_S)
        raise AssertionError("the last try either returns or raises")


def _number(event: Event) -> int:
    """An event's place in the log; one that was read from there has one."""
    return event.seq or 0
