"""An AI: a real HTTP server that speaks as OpenAI's does, and answers, or fails to, as it is told."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.http_server import serving


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def question(self) -> dict[str, Any]:
        """What the user's message holds."""
        return json.loads(self.body["messages"][1]["content"])


Act = Callable[["_Handler"], None]


class Ai(ThreadingHTTPServer):
    """``acts``: what becomes of the coming requests; ``usual`` when there are none left."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.acts: list[Act] = []
        self.usual: Act = says(verdict="allow", reason="nothing stands out")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def will(self, *acts: Act) -> None:
        self.acts += acts


def says(**answer: object) -> Act:
    """An answer as it was asked for."""
    return says_text(json.dumps(answer))


def says_text(content: object, **usage: object) -> Act:
    """A completion with this content."""
    message = {"role": "assistant", "content": content}
    completion = {"choices": [{"index": 0, "message": message}], "usage": usage or {"prompt_tokens": 900}}
    return sends(200, json.dumps(completion).encode())


def sends(status: int, body: bytes = b"", **headers: str) -> Act:
    """A status and a body, whatever they are."""

    def act(to: "_Handler") -> None:
        to.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            to.send_header(name.replace("_", "-"), value)
        to.end_headers()
        to.wfile.write(body)

    return act


def drips(seconds: float, *, headers: bool = False) -> Act:
    """A byte every so often, for ever: never the pause that a timeout between two bytes would see."""

    def act(to: "_Handler") -> None:
        if headers:
            to.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            to.send_response(200)
            to.send_header("Content-Length", "100000")
            to.end_headers()
        for _ in range(1_000):
            to.wfile.write(b" ")
            to.wfile.flush()
            time.sleep(seconds)

    return act


def hangs(seconds: float) -> Act:
    """Not a word."""
    return lambda _: time.sleep(seconds)


def pours(megabytes: int) -> Act:
    """More than anybody asked for, without saying how much."""

    def act(to: "_Handler") -> None:
        to.send_response(200)
        to.end_headers()
        for _ in range(megabytes * 16):
            to.wfile.write(b"x" * 65_536)

    return act


class _Handler(BaseHTTPRequestHandler):
    server: Ai

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(Asked(self.path, dict(self.headers), body))
        act = self.server.acts.pop(0) if self.server.acts else self.server.usual
        self.close_connection = True
        with suppress(OSError):  # the other side has gone
            act(self)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def ai_server() -> Iterator[Ai]:
    server = Ai()
    with serving(server):
        yield server
