"""One hook's way along the log of events: in order, each until it is taken or refused for good."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event as Signal

import structlog
from django.db import close_old_connections, connection

from notifications import conditions
from notifications.cursors import Reader, bury, delivered, due_events, failed, hold, let_go, open_cursor
from notifications.event_kinds import WEBHOOK_FAILING, WEBHOOK_REFUSING
from notifications.models import Cursor, Event
from notifications.webhooks.config import Hook
from notifications.webhooks.sending import Attempt, Later, Never, Taken, send

log = structlog.get_logger()

PATIENCE = timedelta(minutes=5)
"""So long a receiver may be away before that is told."""

POLL_S, RETRY_S, RENEW_S = 0.5, 5.0, 10.0
"""Wall time between two looks at the log, after a database that could not be asked, and between two renewals of the
lease: a third of it, so that an attempt begun just before the next one is over in time."""

Clocks = Callable[[], tuple[datetime, datetime]]
"""Market time and wall time now."""

Post = Callable[[Hook, Event, datetime], Attempt]


@dataclass
class Delivery:
    """One hook, in a thread of its own: one that is away delays nobody. ``holder``: which process this is."""

    hook: Hook
    holder: str
    clocks: Clocks
    post: Post = send
    reader: Reader = field(init=False)
    _held_s: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.hook.subscriber, self.holder)

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
            let_go(self.reader)
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
                moved = delivered(self.reader, event, now)
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

    def _hold(self, now: datetime) -> bool:
        """The lease is renewed now and then only: each renewal is a write, and no attempt takes as long as it lasts."""
        if time.monotonic() - self._held_s < RENEW_S:
            return True
        open_cursor(self.reader.subscriber, now)
        held = hold(self.reader, now)
        self._held_s = time.monotonic() if held else float("-inf")
        return held

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
