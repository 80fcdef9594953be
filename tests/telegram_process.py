"""``manage.py telegram`` as a process of its own over a database of its own, to be killed at any moment.

``python -m tests.telegram_process HOW_MANY PER_SECOND`` writes numbered events at a pace into that database.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rig import ROOT, lone_environment, write_clock
from tests.telegram_api import TOKEN, TelegramApi


class TelegramRig:
    """``log`` is what all its processes wrote to stderr."""

    def __init__(self, var: Path, api: TelegramApi, operators: str, **more: str) -> None:
        self.log = var / "telegram.log"
        write_clock(var)
        theirs = {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API": api.url, "TELEGRAM_OPERATORS": operators}
        self.environment = lone_environment(var, **theirs, **more)
        self.process: subprocess.Popen[bytes] | None = None
        self.run(sys.executable, "manage.py", "migrate", "-v0")

    def run(self, *command: str) -> None:
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "manage.py", "telegram"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> float:
        """As the supervisor does it; the seconds that it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        self.process.wait(15)
        return time.monotonic() - begun

    def write_beside(self, how_many: int, per_second: float) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.telegram_process", str(how_many), str(per_second)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment)


@contextmanager
def telegram_rig(var: Path, api: TelegramApi, operators: str, **more: str) -> Iterator[TelegramRig]:
    rig = TelegramRig(var, api, operators, **more)
    try:
        yield rig
    finally:
        if rig.process is not None and rig.process.poll() is None:
            rig.kill()


def write(how_many: int, per_second: float) -> None:
    import django

    django.setup()
    from django.db import transaction

    from market.clock import Clock
    from tests.factories import make_event

    begun, now = time.monotonic(), Clock().now()
    for number in range(how_many):
        time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        with transaction.atomic():
            make_event(f"number {number}.", now)


if __name__ == "__main__":
    write(int(sys.argv[1]), float(sys.argv[2]))
