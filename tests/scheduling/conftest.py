"""A Celery application on a real Redis, a clock file, and schedulers driven step by step."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from market.clock import Clock, save_clock
from tests.redis_server import redis_url  # noqa: F401  (a fixture)
from tradingplatform.beat import PhaseAnchoredScheduler


class Bell:
    """The broker as the tests see it: an application to send with, and the queue to count in."""

    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url, socket_timeout=5)
        broker = url.replace("unix://", "redis+socket://", 1)
        self.app = Celery("tests", broker=broker, set_as_current=False)
        self.app.conf.update(
            result_expires=None,
            beat_max_loop_interval=1,
            broker_transport_options={"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        )

    def messages(self, queue: str = "trading") -> list[dict[str, Any]]:
        """Take all messages out of the queue, oldest first: their headers, and ``bot_id`` from the body."""
        raw = self.redis.lrange(queue, 0, -1)
        self.redis.delete(queue)
        return [json.loads(message) for message in reversed(raw)]

    def bots(self) -> Counter[int]:
        """Take the messages; how many there were for each bot."""
        return Counter(bot_of(message) for message in self.messages())


def bot_of(message: dict[str, Any]) -> int:
    return int(message["headers"]["kwargsrepr"].removeprefix("{'bot_id': ").removesuffix("}"))


@pytest.fixture
def bell(redis_url: str) -> Iterator[Bell]:  # noqa: F811
    bell = Bell(redis_url)
    bell.redis.flushdb()
    yield bell
    bell.redis.close()


@pytest.fixture
def set_clock(settings: Any, tmp_path: Path) -> Callable[..., Clock]:
    """Write the platform's clock: this market time now, running at this speed."""
    settings.CLOCK_FILE = tmp_path / "clock.json"

    def write(market_ms: int, speed: float = 1.0) -> Clock:
        clock = Clock().resumed(Clock().now().wall_ms, market_ms, speed)
        save_clock(settings.CLOCK_FILE, clock)
        return clock

    return write


@pytest.fixture
def beats(bell: Bell) -> Iterator[Callable[[], PhaseAnchoredScheduler]]:
    """Start schedulers; all are closed in the end."""
    started = []

    def start() -> PhaseAnchoredScheduler:
        started.append(PhaseAnchoredScheduler(app=bell.app))
        return started[-1]

    yield start
    for scheduler in started:
        scheduler.close()


def step(scheduler: PhaseAnchoredScheduler, poll: bool = True) -> None:
    """Look for changes, then send all that is due now, without waiting for the spread."""
    if poll:
        scheduler._polled_at = float("-inf")
    deadline = time.monotonic() + 5
    while (wait := scheduler.tick()) <= 0.6:
        assert time.monotonic() < deadline, "the scheduler never comes to rest"
        time.sleep(wait)


def run_for(schedulers: list[PhaseAnchoredScheduler], seconds: float) -> None:
    """Let the schedulers run as beat's own loop would, for some wall time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        wait = min(scheduler.tick() for scheduler in schedulers)
        time.sleep(max(0.0, min(wait, end - time.monotonic())))
