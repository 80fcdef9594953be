"""A Bot API of our own: real HTTP, form-encoded bodies as the library sends them, and faults on command."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_server import serving

TOKEN = "123456789:for-tests-only-AAAAAAAAAAAAAAAAAAAA"
ME = {"id": 123456789, "is_bot": True, "first_name": "Test", "username": "test_bot"}


@dataclass(frozen=True)
class Taken:
    """A call that Telegram took."""

    method: str
    values: dict[str, Any]
    at_s: float = field(default_factory=time.time)

    @property
    def chat_id(self) -> int:
        return int(self.values.get("chat_id", 0))

    @property
    def text(self) -> str:
        return str(self.values.get("text") or self.values.get("caption") or "")

    @property
    def buttons(self) -> list[dict[str, str]]:
        markup = json.loads(self.values.get("reply_markup") or "{}")
        return [button for row in markup.get("inline_keyboard", []) for button in row]


@dataclass
class Fault:
    """What the next ``times`` calls of a method meet. ``after``: the call is taken all the same, its answer is lost.
    ``share``: of the calls, which of them is the same in each run."""

    method: str
    status: int
    times: int = 1
    retry_after: int = 0
    description: str = "fault"
    silence_s: float = 0.0
    after: bool = False
    chat_id: int = 0
    only_with: str = ""
    share: float = 1.0
    chance: Random = field(default_factory=lambda: Random(1))


@dataclass
class TelegramApi:
    """The state of it. Times are wall time."""

    port: int = 0
    token: str = TOKEN
    record: Path | None = None
    taken: list[Taken] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    updates: deque[dict[str, Any]] = field(default_factory=deque)
    confirmed: int = 0
    polls: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _update_ids: Iterator[int] = field(default_factory=lambda: count(1000))
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sent(self, chat_id: int | None = None, method: str = "sendMessage") -> list[Taken]:
        with self._changed:
            return [one for one in self.taken if one.method == method and chat_id in (None, one.chat_id)]

    def fault(self, method: str, status: int, **more: Any) -> None:
        with self._changed:
            self.faults.append(Fault(method, status, **more))

    def say(self, user_id: int, text: str, **more: Any) -> int:
        """A private message of a user arrives; ``more`` replaces parts of it. Returns its update's id."""
        message = {
            "message_id": next(self._numbers),
            "date": int(time.time()),
            "chat": {"id": user_id, "type": "private", "first_name": "Ann"},
            "from": {"id": user_id, "is_bot": False, "first_name": "Ann"},
            "text": text,
            **more,
        }
        return self.arrives({"message": message})

    def press(self, user_id: int, data: str, message_id: int = 1, **more: Any) -> int:
        """A button under one of our messages is pressed."""
        pressed = {
            "id": str(next(self._numbers)),
            "from": {"id": user_id, "is_bot": False, "first_name": "Ann"},
            "message": {"message_id": message_id, "date": 1, "chat": {"id": user_id, "type": "private"}, "text": "?"},
            "chat_instance": "1",
            "data": data,
            **more,
        }
        return self.arrives({"callback_query": pressed})

    def arrives(self, update: dict[str, Any], update_id: int | None = None) -> int:
        with self._changed:
            number = next(self._update_ids) if update_id is None else update_id
            self.updates.append({"update_id": number, **update})
            self._changed.notify_all()
        return number

    def until(self, condition: Any, what: str, seconds: float = 20) -> None:
        """Wait for something. Raises TimeoutError naming it."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {seconds} s for {what}")
            time.sleep(0.02)

    def call(self, method: str, values: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and the answer."""
        fault = self._fault(method, values)
        if fault is not None and fault.silence_s:
            time.sleep(fault.silence_s)
        if fault is None or fault.after:
            answer = self._answer(method, values)
            if fault is None:
                return 200, {"ok": True, "result": answer}
        told: dict[str, Any] = {"ok": False, "error_code": fault.status, "description": fault.description}
        if fault.retry_after:
            told["parameters"] = {"retry_after": fault.retry_after}
        return fault.status, told

    def _fault(self, method: str, values: dict[str, Any]) -> Fault | None:
        with self._changed:
            for fault in self.faults:
                fits = fault.method == method and fault.times > 0
                fits = fits and (not fault.chat_id or str(fault.chat_id) == str(values.get("chat_id")))
                fits = fits and fault.only_with in str(values.get("text", ""))
                if fits and (fault.share == 1.0 or fault.chance.random() < fault.share):
                    fault.times -= 1
                    return fault
        return None

    def _answer(self, method: str, values: dict[str, Any]) -> Any:
        if method == "getUpdates":
            return self._poll(values)
        if method == "getMe":
            return ME
        with self._changed:
            self.taken.append(Taken(method, values))
            if self.record is not None:
                with self.record.open("a") as file:
                    file.write(json.dumps({"method": method, **values}) + "\n")
            self._changed.notify_all()
        if method in ("answerCallbackQuery", "setMyCommands"):
            return True
        chat = {"id": int(values.get("chat_id", 0)), "type": "private"}
        return {"message_id": next(self._numbers), "date": int(time.time()), "chat": chat, "text": "..."}

    def _poll(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        """As Telegram does it: an offset confirms what came before it, and the answer waits for news."""
        deadline = time.monotonic() + min(float(values.get("timeout", 0)), 2.0)
        with self._changed:
            self.polls += 1
            offset = int(values.get("offset", 0))
            if offset:
                self.confirmed = max(self.confirmed, offset - 1)
            while self.updates and offset and self.updates[0]["update_id"] < offset:
                self.updates.popleft()
            while not self.updates and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return list(self.updates)[:100]


def _handler(api: TelegramApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            token, _, method = split.path.removeprefix("/bot").partition("/")
            api.paths.append(split.path)
            values = {name: given[-1] for name, given in parse_qs(split.query).items()}
            values |= _form(self.headers.get("Content-Type", ""), body)
            stranger = 401, {"ok": False, "description": "no"}
            status, answer = api.call(method, values) if token == api.token else stranger
            self._reply(status, json.dumps(answer).encode())

        def _reply(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # whoever asked has been killed
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _form(kind: str, body: bytes) -> dict[str, Any]:
    """Form-encoded values; of a multipart body its text parts, and the length of its file."""
    if not kind.startswith("multipart/"):
        return {name: given[-1] for name, given in parse_qs(body.decode()).items()}
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    values: dict[str, Any] = {}
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        values[name] = len(content) if b"filename=" in head else content.decode()
    return values


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """Clients of these tests are killed in the middle of everything."""


@contextmanager
def telegram_api(record: Path | None = None, port: int = 0, token: str = TOKEN) -> Iterator[TelegramApi]:
    """For as long as the block lasts."""
    api = TelegramApi(record=record, token=token)
    server = _Server(("127.0.0.1", port), _handler(api))
    api.port = server.server_address[1]
    with serving(server, 0.05):
        yield api
