"""A web process over a database of its own, and clients that listen to its stream of events."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.rig import ROOT, free_port, lone_environment, until, write_clock

WRITERS = "tests.notifications.event_writers"


@dataclass
class Listener:
    """One browser: it connects again whenever its connection ends, from what it had last."""

    port: int
    cookie: str
    query: str = ""
    last: int | None = None
    connections: int = 0
    got: dict[int, int] = field(default_factory=dict)  # number of the event -> wall ns of its arrival
    twice: int = 0
    _told: int | None = None
    _data: bytes = b""
    _new: bool = True

    async def listen(self) -> None:
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                await self._listen_once()
            await asyncio.sleep(0.1)

    async def _listen_once(self) -> None:
        self._new, self._data = True, b""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        try:
            resume = f"Last-Event-ID: {self.last}\r\n" if self.last is not None else ""
            head = f"GET /events/stream{self.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {self.cookie}\r\n"
            writer.write(f"{head}{resume}\r\n".encode())
            while line := await reader.readline():
                self._take(line)
        finally:
            writer.close()

    def _take(self, line: bytes) -> None:
        """One line; those of the chunks around them are none of these. As a browser does: an event counts, and its
        number is kept, when the empty line after it has come; what the end of a connection cut off was not there."""
        if line.startswith(b"id: "):
            self._told = int(line[4:])
        elif line.startswith(b"data: "):
            self._data = line[6:]
        elif line == b"\n":
            self._dispatch()

    def _dispatch(self) -> None:
        data = json.loads(self._data or b"{}")
        if "seq" in data:
            number = data["payload"].get("number")
            self.twice += number in self.got
            self.got.setdefault(number, time.time_ns())
        elif self._new:  # the first of a connection says where it begins; others are pings
            self.connections += self.last is None or self._told == self.last
        self.last, self._data, self._new = self._told, b"", False


class StreamRig:
    """``serve`` starts the web process, and ``stop`` ends it as a supervisor would."""

    def __init__(self, var: Path) -> None:
        self.port = free_port()
        write_clock(var)
        (var / "static").mkdir()
        self.environment = lone_environment(var)
        self.run(sys.executable, "manage.py", "migrate", "-v0")
        self.cookie = f"sessionid={self.write('session', 'ann')}"
        self.serve()

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout

    def write(self, *words: object) -> str:
        return self.run(sys.executable, "-m", WRITERS, *(str(word) for word in words))

    def write_beside(self, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", WRITERS, *(str(word) for word in words)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)

    def serve(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "tradingplatform.asgi:application", "--port", str(self.port)]
        options = ["--lifespan", "off", "--timeout-graceful-shutdown", "1", "--log-level", "warning"]
        self.web = subprocess.Popen([*command, *options], cwd=ROOT, env=self.environment)
        until(self._answers, "the web process to answer")

    def stop(self) -> None:
        self.web.terminate()
        self.web.wait(15)

    def listener(self, query: str = "") -> Listener:
        return Listener(self.port, self.cookie, query)

    def _answers(self) -> bool:
        try:
            urlopen(f"http://127.0.0.1:{self.port}/admin/login/", timeout=2).close()
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True


@contextmanager
def stream_rig(var: Path) -> Iterator[StreamRig]:
    rig = StreamRig(var)
    try:
        yield rig
    finally:
        rig.stop()


def committed(printed: str) -> dict[int, int]:
    """What ``pace`` printed: the wall ns at which each event was committed, by its number."""
    return {int(number): int(at_ns) for number, at_ns in (line.split() for line in printed.splitlines())}
