"""Beat on the market clock: django-celery-beat's scheduler, phase-anchored.

A bot's entry is due at ``slot start + stagger`` and not at ``last run + interval``: nothing drifts, slots missed in an
outage coalesce into the current one, and the bots stay spread out. A slot counts as sent only after the send, so a dead
broker loses none; a database error is survived on the schedule in memory. Ticks are idempotent per slot, therefore two
beats may run side by side: that is how beat is made highly available. All other entries keep their stock rule.

One dispatch costs the same with 45 bots and with 4,500: a heap of due times replaces the comparison of all entries.
"""

import time
from contextlib import suppress
from datetime import datetime
from heapq import heapify, heapreplace
from typing import Any

import structlog
from celery.signals import beat_init
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from bots.schedule import STAGGER_SHARE, TICK_TASK, sync_all
from market.clock import Now, load_clock
from market.slots import slot_at
from tradingplatform.patience import wait_briefly_for_the_database
from tradingplatform.phase import coming_slot, due_wall_ms, expires_s, owed_slot
from tradingplatform.presence import leave

log = structlog.get_logger()

POLL_S = 1.0  # how often changes of schedule and clock are looked for, wall time
RELOAD_S = 300.0  # reload this often unasked: rows changed by QuerySet.update() set no change stamp
FLUSH_S = 15  # how often last_run_at and the run counts are written
RETRY_MS = 1000  # after a send that failed
SPREAD_MS = 500  # bots first seen when already due are sent over this time, by stagger; shorter than a poll, or changes
# that follow each other closely would put them off again and again
NOT_LOADED = object()

_COUNT_RUNS = (
    f"UPDATE {PeriodicTask._meta.db_table} SET last_run_at = %s, total_run_count = total_run_count + %s WHERE id = %s"
)


class PhaseAnchoredEntry(ModelEntry):  # type: ignore[misc]
    """One PeriodicTask. ``anchored``: it ticks a bot, at ``slot * interval_s + stagger_s`` of market time."""

    def __init__(self, model: Any, app: Any = None) -> None:
        self.never_ran = model.last_run_at is None  # asked first: the parent fills in a date long past
        super().__init__(model, app=app)
        self.pk: int = model.pk
        self.anchored = model.task == TICK_TASK and model.interval is not None and model.start_time is not None
        self.interval_s, self.stagger_s = 0, 0
        if self.anchored:
            self.interval_s = round(self.schedule.run_every.total_seconds())
            self.stagger_s = round(model.start_time.timestamp()) % self.interval_s
        self.options["retry"] = False  # the scheduler itself tries again, and sends the others meanwhile

    def ran(self, at: datetime) -> None:
        """Remember a send at this wall time, for the stock rule."""
        self.last_run_at = self.model.last_run_at = at
        self.model.total_run_count += 1

    def _disable(self, model: Any) -> None:
        """Leave a broken row alone: the parent would write all of it back and revert an operator's change."""
        raise ValueError("its schedule or its arguments cannot be read")


class PhaseAnchoredScheduler(DatabaseScheduler):  # type: ignore[misc]
    """See the module. The parent's heap, its comparison of schedules and its row-by-row sync are not used."""

    Entry = PhaseAnchoredEntry
    sync_every = FLUSH_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: list[tuple[int, int, PhaseAnchoredEntry]] = []  # (wall ms, pk, entry), a heap
        self._sent: dict[int, int] = {}  # pk -> the last slot sent; outlives reloads
        self._runs: dict[int, tuple[datetime, int]] = {}  # pk -> (last run, runs) not yet written
        self._stamp: object = NOT_LOADED
        self._polled_at = self._loaded_at = float("-inf")
        self._repaired = self._busy = self._writing = self._closing = False
        self._failing: set[str] = set()
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Raises ValueError when the clock's anchor is broken: beat must not ring by a wrong time."""
        self._schedule: dict[str, PhaseAnchoredEntry] = {}
        self._clock = load_clock(settings.CLOCK_FILE)
        self._poll()

    @property
    def schedule(self) -> dict[str, PhaseAnchoredEntry]:
        """The entries by name, as loaded last; reading it costs nothing."""
        return self._schedule

    def tick(self, *_: Any, **__: Any) -> float:
        """Send at most one due entry. Returns the wall seconds until the next call is worth while."""
        if self._closing:
            raise SystemExit  # the one raised by the signal handler was swallowed on its way up
        self._busy = True
        try:
            return self._step()
        finally:
            self._busy = False

    def _step(self) -> float:
        if time.monotonic() - self._polled_at >= POLL_S:
            self._poll()
        now = self._clock.now()
        if not self._due:
            return float(self.max_interval)
        due, pk, entry = self._due[0]
        if due > now.wall_ms:
            return min((due - now.wall_ms) / 1000, float(self.max_interval))
        next_due = self._serve(entry, now) if entry.anchored else self._serve_stock(entry, now)
        heapreplace(self._due, (next_due, pk, entry))
        return 0.0

    # --- sending

    def _serve(self, entry: PhaseAnchoredEntry, now: Now) -> int:
        """Send the bot's current slot if it is owed. Returns when to look again, wall ms."""
        sent = self._sent.get(entry.pk)
        slot = self._owed(entry, now)
        if slot is not None:
            if not self._send(entry, now, expires=expires_s(slot, entry.interval_s, self._clock, now)):
                return now.wall_ms + RETRY_MS
            self._sent[entry.pk] = sent = slot
        coming = coming_slot(now.market_ms, entry.interval_s, -1 if sent is None else sent)
        return due_wall_ms(coming, entry.interval_s, entry.stagger_s, self._clock)

    def _owed(self, entry: PhaseAnchoredEntry, now: Now) -> int | None:
        sent = self._sent.get(entry.pk)
        if sent is None and entry.never_ran:  # at once, also in the first seconds of a slot
            return slot_at(now.market_ms, entry.interval_s)
        return owed_slot(now.market_ms, entry.interval_s, entry.stagger_s, -1 if sent is None else sent)

    def _serve_stock(self, entry: PhaseAnchoredEntry, now: Now) -> int:
        """The parent's rule, on wall time, except that a failed send is not counted as a run."""
        try:
            is_due, delay_s = entry.is_due()
        except Exception:
            log.exception("beat_entry_failed", entry=entry.name)
            is_due, delay_s = False, None
        if is_due and not self._send(entry, now):
            return now.wall_ms + RETRY_MS
        wait_s = self.max_interval if delay_s is None else delay_s
        return now.wall_ms + max(10, round(float(wait_s) * 1000))

    def _send(self, entry: PhaseAnchoredEntry, now: Now, **options: float) -> bool:
        """One attempt. False when it failed; the connection is built anew for the next one."""
        entry.options.update(options)
        try:
            self.apply_async(entry, producer=self.producer, advance=False)
        except Exception as error:
            self._note("broker", error, entry=entry.name)
            self._drop_connection()
            return False
        self._note("broker")
        entry.ran(now.wall_at)
        self._runs[entry.pk] = (now.wall_at, self._runs.get(entry.pk, (None, 0))[1] + 1)
        return True

    def _ensure_connected(self) -> Any:
        """One attempt; the parent tries for ever, and a SIGTERM meanwhile would not end it."""
        return self.connection.ensure_connection(max_retries=0)

    def _drop_connection(self) -> None:
        self.__dict__.pop("producer", None)
        broken = self.__dict__.pop("connection", None)
        if broken is not None:
            with suppress(Exception):
                broken.release()

    # --- reading

    def _poll(self) -> None:
        """Follow changes of the clock and of the rows. Stamps differ or not: a wall clock set back hides none."""
        self._polled_at = time.monotonic()
        self._read_clock()
        try:
            close_old_connections()
            stamp = self.Changes.last_change()
            if stamp != self._stamp or self._polled_at - self._loaded_at >= RELOAD_S:
                self._load()
                self._stamp, self._loaded_at = stamp, self._polled_at
            if not self._repaired:
                self._repair()
        except (DatabaseError, InterfaceError) as error:
            self._note("read", error, entries=len(self._schedule))
        else:
            self._note("read")

    def _read_clock(self) -> None:
        try:
            clock = load_clock(settings.CLOCK_FILE)
        except (OSError, ValueError) as error:
            self._note("clock", error)
            return
        self._note("clock")
        if clock != self._clock:
            log.info("beat_clock_changed", speed=clock.speed)
            self._clock = clock
            self._build_heap()

    def _load(self) -> None:
        """Raises DatabaseError or InterfaceError; the old schedule stays in force then."""
        self.sync()
        rows = self.Model.objects.filter(enabled=True).select_related("interval", "crontab", "solar", "clocked")
        entries = {entry.name: entry for row in rows if (entry := self._entry(row)) is not None}
        self._schedule = entries
        live = {entry.pk for entry in entries.values()}
        self._sent = {pk: slot for pk, slot in self._sent.items() if pk in live}
        self._build_heap()
        log.info("beat_loaded", entries=len(entries))

    def _entry(self, row: Any) -> PhaseAnchoredEntry | None:
        try:
            return self.Entry(row, app=self.app)
        except Exception as error:
            log.error("beat_entry_refused", entry=row.name, error=str(error))
            return None

    def _build_heap(self) -> None:
        now = self._clock.now()
        self._due = [(self._first_due(entry, now), entry.pk, entry) for entry in self._schedule.values()]
        heapify(self._due)

    def _first_due(self, entry: PhaseAnchoredEntry, now: Now) -> int:
        """When to look at the entry first, wall ms."""
        if not entry.anchored:
            return now.wall_ms
        if self._owed(entry, now) is not None:
            return now.wall_ms + round(SPREAD_MS * entry.stagger_s * STAGGER_SHARE / entry.interval_s)
        coming = coming_slot(now.market_ms, entry.interval_s, self._sent.get(entry.pk, -1))
        return due_wall_ms(coming, entry.interval_s, entry.stagger_s, self._clock)

    # --- writing

    def _repair(self) -> None:
        """Once per start: make the rows agree with the bots, and store the entries of the settings."""
        self._writing = True
        try:
            sync_all()
            for name, fields in self.app.conf.beat_schedule.items():
                self.Entry.from_entry(name, app=self.app, **fields)
            self._repaired = True
        finally:
            self._writing = False

    def sync(self) -> None:
        """Write the runs since the last time, added to what is stored: another beat may count too."""
        if self._writing or not self._runs:
            return
        self._writing = True
        runs, self._runs = self._runs, {}
        stored_at = connection.ops.adapt_datetimefield_value
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(_COUNT_RUNS, [(stored_at(at), count, pk) for pk, (at, count) in runs.items()])
        except (DatabaseError, InterfaceError) as error:
            self._runs = {**runs, **self._runs}
            self._note("write", error, rows=len(runs))
        else:
            self._note("write")
        finally:
            self._writing = False

    def close(self) -> None:
        """Called by the signal handler and again on the way out; amid a step only the second call writes."""
        self._closing = True
        if self._busy or self._writing:
            return
        try:
            self.sync()
        finally:
            self._drop_connection()
            leave()

    # --- saying so, once per change

    def _note(self, what: str, error: Exception | None = None, **facts: object) -> None:
        if error is not None and what not in self._failing:
            self._failing.add(what)
            log.error(f"beat_{what}_failed", error=str(error), **facts)
        elif error is None and what in self._failing:
            self._failing.remove(what)
            log.info(f"beat_{what}_works_again")


@beat_init.connect
def _be_impatient(**_: Any) -> None:
    """A locked database must not keep beat from ringing."""
    wait_briefly_for_the_database()
