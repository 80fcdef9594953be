"""The exchange in this process (fast) and as a process of its own (real)."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end."""

    status: int
    headers: Message
    content: bytes


@dataclass
class Running:
    """A simulated exchange in its own process."""

    process: subprocess.Popen[str]
    host: str
    port: int
    greeting: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def request(self, method: str, path: str, *, signed: bool = False, **params: Any) -> tuple[int, Any]:
        """Status and decoded body of one request; ``signed`` adds timestamp and signature."""
        answer = self.raw(method, path, signed=signed, **params)
        return answer.status, json.loads(answer.content)

    def raw(
        self, method: str, path: str, *, signed: bool = False, wait_s: float = 10, content: Any = None, **params: Any
    ) -> Answer:
        """One request as it is answered; raises what the socket or http.client raise. ``content`` is sent as JSON."""
        if signed:
            params |= {"timestamp": time.time_ns() // 1_000_000}
        query = urlencode(params)
        if signed:
            query += "&signature=" + hmac.new(DEMO_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=wait_s)
        body = None if content is None else json.dumps(content)
        try:
            connection.request(method, f"{path}?{query}" if query else path, body, headers={"X-MBX-APIKEY": DEMO_KEY})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def fault(self, what: Any, where: Any = None, **more: Any) -> int:
        """Script one fault; its id."""
        answer = self.raw("POST", "/sim/faults", content={"what": what, "where": where, **more})
        assert answer.status == 200, answer.content
        return int(json.loads(answer.content)["ids"][0])

    def struck(self, fault_id: int) -> int:
        """How often a fault has struck so far."""
        report = self.request("GET", "/sim/faults")[1]
        return next(int(fault["struck"]) for fault in report["active"] + report["past"] if fault["id"] == fault_id)


@dataclass
class Starter:
    """Starts exchanges on free ports."""

    directory: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *arguments: str, data: Path | None = None) -> Running:
        command = [sys.executable, "-m", "simexchange", "--port", "0", "--data", str(data or self.directory)]
        process = self.spawn([*command, *arguments])
        assert process.stdout is not None
        greeting = process.stdout.readline()
        assert "listening on http://" in greeting, greeting
        address = greeting.split("http://")[1].split()[0]
        host, port = address.rsplit(":", 1)
        return Running(process, host, int(port), greeting)

    def spawn(self, command: list[str]) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, cwd=self.directory, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.started.append(process)
        return process


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    for process in starter.started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One exchange shared by the tests of a module that do not disturb each other."""
    starter = Starter(tmp_path_factory.mktemp("simexchange"))
    yield starter("--seed", "7", "--balance", "USDT=100000", "--balance", "BTC=2")
    for process in starter.started:
        process.kill()
        process.communicate(timeout=10)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Any]:
    """Recorded answers of Binance, by file name; the test is skipped where they are not at hand."""

    def load(name: str) -> Any:
        path = ROOT.parent / "shared" / "data" / "binance" / name
        if not path.exists():
            pytest.skip("the recorded answers of Binance are not here")
        return json.loads(path.read_text())

    return load


@pytest.fixture(scope="session")
def recorded_candles() -> Path:
    """Folder of real candles; the test is skipped where it is not at hand."""
    path = ROOT.parent / "shared" / "data" / "candles"
    if not path.is_dir():
        pytest.skip("the recorded candles are not here")
    return path
