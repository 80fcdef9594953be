"""One hook's way along the log of events: in order, each until it is taken or refused for good."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event as Signal

import structlog
from django.db import DatabaseError, close_old_connections, connection

from notifications import conditions
from notifications.cursors import Reader, bury, delivered, due_events, failed, open_cursor
from notifications.event_kinds import WEBHOOK_FAILING, WEBHOOK_REFUSING
from notifications.holding import Holding, Process
from notifications.models import Cursor, Event
from notifications.webhooks.config import Hook
from notifications.webhooks.sending import Attempt, Later, Never, Taken, send

log = structlog.get_logger()

PATIENCE = timedelta(minutes=5)
"""So long a receiver may be away before that is told."""

POLL_S, RETRY_S = 0.5, 1.0
"""Wall time between two looks at the log, and after a database that could not be asked."""

MOVE_TRIES = 20

Clocks = Callable[[], tuple[datetime, datetime]]
"""Market time and wall time now."""

Post = Callable[[Hook, Event, datetime], Attempt]


@dataclass
class Delivery:
    """One hook, in a thread of its own: one that is away delays nobody. ``process``: which one this is."""

    hook: Hook
    process: Process
    clocks: Clocks
    post: Post = send
    holding: Holding = field(init=False)
    _opened: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.holding = Holding(self.hook.subscriber, self.process)

    @property
    def reader(self) -> Reader:
        return self.holding.reader

    def run(self, stop: Signal) -> None:
        """Deliver until told to stop; an attempt that is under way ends first."""
        failing = False
        while not stop.is_set():
            try:
                close_old_connections()
                pause_s = 0.0 if self.round(stop) else POLL_S
            except Exception as error:  # the database is away, or locked: what is due stays due
                if not failing:
                    log.exception("webhook_failed", hook=self.hook.name, error=f"{type(error).__name__}: {error}")
                failing, pause_s = True, RETRY_S
            else:
                failing = False
            stop.wait(pause_s)
        try:
            self.holding.let_go()
        except Exception:  # the lease runs out by itself
            log.info("webhook_lease_not_given_back", hook=self.hook.name)
        finally:
            connection.close()  # this thread's own

    def round(self, stop: Signal) -> bool:
        """Deliver what is due, until one fails. Whether there may be more at once."""
        _, now = self.clocks()
        if not self._hold(now):
            return False
        events = due_events(self.reader, now)
        unwanted: Event | None = None
        for event in events:
            if stop.is_set():
                break
            if not self.hook.wants(event.kind, event.severity):
                unwanted = event  # passed over with the next one that is wanted, in one step
                continue
            self._pass_over(unwanted)
            unwanted = None
            if not self._deliver(event):
                return False
        self._pass_over(unwanted)
        return bool(events)

    def _pass_over(self, event: Event | None) -> None:
        if event is not None:
            delivered(self.reader, event, self.clocks()[1])

    def _deliver(self, event: Event) -> bool:
        """One attempt. False when it has to be repeated, or somebody else delivers now."""
        _, now = self.clocks()
        if not self._hold(now):
            return False
        began_s = time.monotonic()
        attempt = self.post(self.hook, event, now)
        market_at, now = self.clocks()
        name, ms = self.hook.name, round((time.monotonic() - began_s) * 1000)
        match attempt:
            case Taken():
                log.info("webhook_delivered", hook=name, seq=event.seq, ms=ms)
                moved = self._move_on(event)
                self._tell_if_it_is_over(market_at, now)
                return moved
            case Later(error, wait):
                attempts = failed(self.reader, event, error, now, wait)
                log.warning("webhook_not_delivered", hook=name, seq=event.seq, ms=ms, attempts=attempts, error=error)
                self._tell_if_it_lasts(market_at, now)
                return False
            case Never(error):
                log.error("webhook_refused", hook=name, seq=event.seq, ms=ms, error=error)
                moved = bury(self.reader, event, error, now)
                text = f"Webhook {name} refuses events, which it will not get again: {error}"
                conditions.begin(WEBHOOK_REFUSING, name, text, market_at=market_at, wall_at=now)
                return moved

    def _move_on(self, event: Event) -> bool:
        """Insist: what was taken once must not be sent again because the database was busy."""
        for attempt in range(1, MOVE_TRIES + 1):
            try:
                return delivered(self.reader, event, self.clocks()[1])
            except DatabaseError as error:
                if attempt == MOVE_TRIES:
                    raise
                log.warning("webhook_cursor_waits", hook=self.hook.name, seq=event.seq, error=str(error))
                time.sleep(RETRY_S)
                close_old_connections()
        raise AssertionError("the last try either returns or raises")

    def _hold(self, now: datetime) -> bool:
        """Whether this process reads for the hook, for as long as an attempt takes."""
        if not self._opened:
            open_cursor(self.reader.subscriber, now)
            self._opened = True
        try:
            return self.holding.take(now) is not None
        except Cursor.DoesNotExist:  # somebody deleted it meanwhile: the hook goes on from the end of the log
            self._opened = False
            raise

    def _tell_if_it_is_over(self, market_at: datetime, now: datetime) -> None:
        name = self.hook.name
        told = set(conditions.lasting().filter(subject=name).values_list("kind", flat=True))
        for kind in (WEBHOOK_FAILING, WEBHOOK_REFUSING):
            if kind in told:
                text = f"Webhook {name} takes events again"
                conditions.end(kind, name, text, market_at=market_at, wall_at=now)

    def _tell_if_it_lasts(self, market_at: datetime, now: datetime) -> None:
        cursor = Cursor.objects.get(pk=self.reader.subscriber)
        if cursor.failing_since is not None and now - cursor.failing_since >= PATIENCE:
            text = f"Webhook {self.hook.name} has taken nothing since {cursor.failing_since:%H:%M} UTC: {cursor.error}"
            conditions.begin(WEBHOOK_FAILING, self.hook.name, text, market_at=market_at, wall_at=now)
