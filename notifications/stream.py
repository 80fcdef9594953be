"""The live stream of events: one reader of the log per web process, fanned out to any number of clients.

A client's queue is bounded. One that does not keep up is let go: it connects again and says what it had last, which
costs it nothing; everybody else notices nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from django.db import close_old_connections

from notifications.models import Event
from notifications.sequence import events_after, number_events
from notifications.subscribers import Subscriber, Way, register

register(Subscriber("stream", "whoever is logged in and listens to /events/stream", Way.FOLLOWER))

POLL_S = 0.04  # wall time between two looks at the log, while anybody listens
QUEUE = 2_000
"""Messages that a client may be behind."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events a client wants; an empty set means all."""

    bots: frozenset[int] = frozenset()
    kinds: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()

    def wants(self, message: "Message") -> bool:
        return (
            (not self.bots or message.bot_id in self.bots)
            and (not self.kinds or message.kind in self.kinds)
            and (not self.severities or message.severity in self.severities)
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One event, as it goes over the wire (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    seq: int
    kind: str
    severity: str
    bot_id: int | None
    frame: bytes


NUDGE = Message(0, "", "", None, b"")
"""Put into a client's queue so that it asks at once whether it may stay. Never sent."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which one client is served. ``session`` names the login that it came with, so that a browser notices when it
    is another one's by now; ``may_stay`` is asked before each ping, of which there is one every ``ping_s`` seconds."""

    session: str
    ping_s: float
    may_stay: Callable[[], Awaitable[bool]]


def data_of(event: Event) -> dict[str, object]:
    """A numbered event, for programs elsewhere."""
    return {
        "seq": event.seq,
        "kind": event.kind,
        "severity": event.severity,
        "bot_id": event.bot_id,
        "text": event.text,
        "payload": event.payload,
        "market_at": event.market_at.isoformat(),
        "wall_at": event.wall_at.isoformat(),
    }


def message_of(event: Event) -> Message:
    """A numbered event as a message: its number is the id that a client resumes from."""
    frame = f"id: {event.seq}\ndata: {json.dumps(data_of(event), separators=(',', ':'))}\n\n"
    return Message(event.seq or 0, event.kind, event.severity, event.bot_id, frame.encode())


@dataclass(eq=False)
class Client:
    """One who listens. ``joined``: the last event that is not in its queue."""

    wish: Wish
    joined: int
    queue: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    behind: bool = False

    def offer(self, message: Message) -> None:
        if not self.behind and (message is NUDGE or self.wish.wants(message)):
            try:
                self.queue.put_nowait(message)
            except asyncio.QueueFull:
                self.behind = True


class Hub:
    """The one reader of this process. Made in the event loop that it works in."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._clients: set[Client] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream")  # one database connection
        self._task: asyncio.Task[None] | None = None
        self._last = 0

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    def nudge(self, in_s: float) -> None:
        """Let every client be asked in a moment whether it may stay. From any thread."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.call_later, in_s, self._nudge)

    def _nudge(self) -> None:
        for client in self._clients:
            client.offer(NUDGE)

    async def join(self, wish: Wish) -> Client:
        """Listen from now on."""
        if self._task is None or self._task.done():
            last = await self._read(number_events)
            if self._task is None or self._task.done():  # nobody else has begun meanwhile
                self._last = last  # where somebody has, what came since then is still to be handed out
                self._task = self.loop.create_task(self._follow())
        client = Client(wish, self._last)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    async def replay(self, client: Client, after: int) -> AsyncIterator[Message]:
        """What the client missed between ``after`` and its joining, the oldest first."""
        while after < client.joined:
            messages = await self._read(lambda: messages_after(after))  # noqa: B023 - awaited in this round
            for message in messages:
                if message.seq > client.joined:
                    return
                after = message.seq
                if client.wish.wants(message):
                    yield message
            if not messages:
                return  # thinned meanwhile

    async def _follow(self) -> None:
        """Hand out what comes, until nobody listens. A database that is away is waited for."""
        idle = 0
        while self._clients or idle < 2:  # the first client joins just after the start
            try:
                messages = await self._read(lambda: messages_after(self._last))
            except Exception:  # the clients stay, and get everything once it is back
                messages = []
                await asyncio.sleep(1)
            for message in messages:
                self._last = message.seq
                for client in self._clients:
                    client.offer(message)
            if not messages:
                idle = 0 if self._clients else idle + 1
                await asyncio.sleep(POLL_S)

    async def _read(self, work: Callable[[], T]) -> T:
        def read() -> T:
            close_old_connections()
            return work()

        return await self.loop.run_in_executor(self._thread, read)


def messages_after(seq: int) -> list[Message]:
    """The next messages after a number."""
    number_events()
    return [message_of(event) for event in events_after(seq)]


async def frames(hub: Hub, wish: Wish, after: int | None, terms: Terms) -> AsyncIterator[bytes]:
    """What one client is sent: a hello, what it missed since ``after`` (None: nothing), then what comes.

    Hello and pings are named events, which a browser tells apart from those of the log: so it knows that the
    connection lives. Ends when the client may not stay, or does not keep up.
    """
    client = await hub.join(wish)
    try:
        yield _hello(client.joined if after is None else after, terms.session)
        if after is not None:
            async for message in hub.replay(client, after):
                yield message.frame
        pinged = hub.loop.time()
        while not client.behind:
            if hub.loop.time() - pinged >= terms.ping_s:
                if not await terms.may_stay():
                    return
                pinged = hub.loop.time()
                yield b"event: ping\ndata: {}\n\n"
            try:
                async with asyncio.timeout(max(0.0, pinged + terms.ping_s - hub.loop.time())):
                    first = await client.queue.get()
            except TimeoutError:
                continue
            ready = [first, *islice(iter(lambda: _next(client.queue), None), QUEUE)]
            if NUDGE in ready:
                pinged = float("-inf")
            if any(message.frame for message in ready):
                yield b"".join(message.frame for message in ready)
    finally:
        hub.leave(client)


def _hello(after: int, session: str) -> bytes:
    return f"retry: 1000\nid: {after}\nevent: hello\ndata: {json.dumps({'session': session})}\n\n".encode()


def _next(queue: asyncio.Queue[Message]) -> Message | None:
    return None if queue.empty() else queue.get_nowait()
