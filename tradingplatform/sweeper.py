"""The sweeper: rings again for bots whose slot nobody has claimed. A small process of its own, next to beat.

Beat alone is not enough: when the database is locked it is the worker's task that fails, and the slot would be lost.
The Bot rows say which slots are unclaimed, so the sweeper needs neither beat nor its tables. It is bounded, because an
unbounded one drowns the workers in messages about what they are too slow for.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any

import structlog
from celery import Celery
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections

from bots.lifecycle import free_lease
from bots.models import Bot, BotStatus
from bots.schedule import TICK_TASK, TRADING_QUEUE
from execution.held import in_use
from market.clock import Clock, Now, load_clock
from market.slots import TIMEFRAMES, slot_at
from risk.decisions import is_decided
from tradingplatform.holder import is_gone
from tradingplatform.phase import due_wall_ms, expires_s

log = structlog.get_logger()

ROUND_S = 2.0  # between two looks
OVERDUE_MS = 3000  # how late a slot may be before it is rung for again
AGAIN_MS = 10_000  # between two rings for one slot of one bot
QUEUE_LIMIT = 200  # messages waiting: beyond this the workers are slow, not uninformed
BROKER_TIMEOUT_S = 0.8  # a hung Redis must not keep a SIGTERM waiting

# All times above are wall time.


@dataclass(frozen=True, slots=True)
class BotState:
    """What the sweeper reads of a bot that is in service."""

    bot_id: int
    interval_s: int
    stagger_s: int
    last_slot: int
    lease_until: datetime | None
    lease_token: str = ""


@dataclass(frozen=True, slots=True)
class Ring:
    """A message to send: this bot's slot has been due since ``due_wall_ms``."""

    bot_id: int
    slot: int
    due_wall_ms: int
    expires_s: float


def overdue(bots: Iterable[BotState], clock: Clock, now: Now) -> list[Ring]:
    """PURE. The bots whose current slot is unclaimed and overdue, the longest overdue first.

    A bot that still ticks is left out: its lease would refuse the message.
    """
    rings = []
    for bot in bots:
        slot = slot_at(now.market_ms, bot.interval_s)
        due = due_wall_ms(slot, bot.interval_s, bot.stagger_s, clock)
        ticking = bot.lease_until is not None and bot.lease_until >= now.wall_at
        if bot.last_slot < slot and now.wall_ms - due > OVERDUE_MS and not ticking:
            rings.append(Ring(bot.bot_id, slot, due, expires_s(slot, bot.interval_s, clock, now)))
    return sorted(rings, key=lambda ring: (ring.due_wall_ms, ring.bot_id))


def permitted(rings: list[Ring], rung: Mapping[tuple[int, int], int], queue_length: int, wall_ms: int) -> list[Ring]:
    """PURE. The rings that may be sent now: none behind a long queue, nor more than fill it, none twice in ten seconds.

    ``rung`` tells when a (bot id, slot) was rung for last, wall ms.
    """
    if queue_length > QUEUE_LIMIT:
        return []
    ripe = [ring for ring in rings if wall_ms - rung.get((ring.bot_id, ring.slot), -AGAIN_MS) >= AGAIN_MS]
    return ripe[: QUEUE_LIMIT + 1 - queue_length]


def read_bots() -> list[BotState]:
    """Every bot that is in service. Raises DatabaseError or InterfaceError."""
    rows = Bot.objects.exclude(status=BotStatus.STOPPED).values_list(
        "pk", "timeframe", "stagger_s", "last_slot", "lease_until", "lease_token"
    )
    return [
        BotState(pk, TIMEFRAMES[timeframe], stagger, last, until, token)
        for pk, timeframe, stagger, last, until, token in rows
    ]


def free_leases_of_the_dead(bots: Iterable[BotState]) -> int:
    """Free the bots whose tick was killed. Returns how many. Raises DatabaseError or InterfaceError.

    The slot is given back and rung for again when it was not decided, or when there is something held to see to.
    """
    freed = 0
    for bot in bots:
        if bot.lease_token and is_gone(bot.lease_token):
            again = in_use(bot.bot_id) is not None or not is_decided(bot.bot_id, bot.last_slot)
            if free_lease(bot.bot_id, bot.lease_token, again=again):
                log.warning("tick_was_killed", bot_id=bot.bot_id, slot=bot.last_slot, again=again)
                freed += 1
    return freed


class Doorbell:
    """The broker, with one short attempt per call. Every method raises what kombu and Redis raise."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Any = None

    def queue_length(self) -> int:
        """Messages waiting in the trading queue."""
        return int(self._connected().default_channel.client.llen(TRADING_QUEUE))

    def ring(self, ring: Ring) -> None:
        """Send the bot's tick message."""
        self._app.send_task(
            TICK_TASK,
            kwargs={"bot_id": ring.bot_id},
            queue=TRADING_QUEUE,
            expires=ring.expires_s,
            retry=False,
            connection=self._connected(),
        )

    def hang_up(self) -> None:
        """Forget the connection, broken or not; the next call makes a new one."""
        broken, self._connection = self._connection, None
        if broken is not None:
            with suppress(Exception):
                broken.release()

    def _connected(self) -> Any:
        if self._connection is None:
            options = {"socket_timeout": BROKER_TIMEOUT_S, "socket_connect_timeout": BROKER_TIMEOUT_S}
            self._connection = self._app.connection_for_write(transport_options=options)
        return self._connection.ensure_connection(max_retries=0)


class Sweeper:
    """The loop. Survives a database or a broker that is away, and says so once."""

    def __init__(self, app: Celery) -> None:
        self._doorbell = Doorbell(app)
        self._rung: dict[tuple[int, int], int] = {}
        self._failing: set[str] = set()

    def run(self, stop: Event) -> None:
        """Sweep every two seconds until ``stop`` is set."""
        while not stop.is_set():
            self.sweep(stop)
            stop.wait(ROUND_S)
        self._doorbell.hang_up()

    def sweep(self, stop: Event | None = None) -> int:
        """One round. Returns how many messages were sent."""
        rings = self._look()
        return self._ring(rings, stop) if rings else 0

    def _look(self) -> list[Ring]:
        try:
            close_old_connections()
            clock = load_clock(settings.CLOCK_FILE)
            bots = read_bots()
            if free_leases_of_the_dead(bots):
                bots = read_bots()
        except (DatabaseError, InterfaceError) as error:
            self._note("database", error)
            return []
        except (OSError, ValueError) as error:
            self._note("clock", error)
            return []
        self._note("database")
        self._note("clock")
        return overdue(bots, clock, clock.now())

    def _ring(self, rings: list[Ring], stop: Event | None) -> int:
        wall_ms = Clock().now().wall_ms
        self._rung = {key: at for key, at in self._rung.items() if wall_ms - at < AGAIN_MS}
        sent = 0
        try:
            waiting = self._doorbell.queue_length()
            for ring in permitted(rings, self._rung, waiting, wall_ms):
                if stop is not None and stop.is_set():
                    break
                self._doorbell.ring(ring)
                self._rung[ring.bot_id, ring.slot] = wall_ms
                sent += 1
        except Exception as error:  # what kombu, redis-py and the socket raise has no common parent
            self._note("broker", error)
            self._doorbell.hang_up()
        else:
            self._note("broker")
            say = log.info if sent else log.debug
            say("sweeper_rang", overdue=len(rings), sent=sent, waiting=waiting)
        return sent

    def _note(self, what: str, error: Exception | None = None) -> None:
        """Say once that something fails, and once that it works again."""
        if error is not None and what not in self._failing:
            self._failing.add(what)
            log.error(f"sweeper_{what}_failed", error=str(error))
        elif error is None and what in self._failing:
            self._failing.remove(what)
            log.info(f"sweeper_{what}_works_again")
