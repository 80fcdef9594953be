"""A receiver of webhooks: a real HTTP server that answers as it is told, and keeps what it got."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.http_server import serving


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float = field(default_factory=time.time)

    @property
    def seq(self) -> int:
        return int(self.headers["X-Event-Seq"])


class Receiver(ThreadingHTTPServer):
    """``answers``: status, and headers, of the coming requests; 204 when there are none left. ``answers_of``: the
    statuses of those for one path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[Got] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.answers_of: dict[str, list[int]] = {}
        self.drip_s = 0.0
        self.said = b"no"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def next_answer(self, path: str) -> tuple[int, dict[str, str]]:
        if of_path := self.answers_of.get(path):
            return of_path.pop(0), {}
        return self.answers.pop(0) if self.answers else (204, {})

    def answer(self, *statuses: int, **headers: str) -> None:
        self.answers += [
            (status, {name.replace("_", "-"): value for name, value in headers.items()}) for status in statuses
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(Got(self.path, dict(self.headers), body))
        status, headers = self.server.next_answer(self.path)
        said = b"" if status == 204 else self.server.said
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            if self.server.drip_s:  # a byte now and then: never the pause that a timeout between two bytes would see
                self.wfile.flush()
                for byte in b"X-Slow: " + b"x" * 1_000:
                    self.wfile.write(bytes([byte]))
                    time.sleep(self.server.drip_s)
            self.end_headers()
            self.wfile.write(said)
        except OSError:
            pass  # the other side has gone

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    with serving(server):
        yield server
