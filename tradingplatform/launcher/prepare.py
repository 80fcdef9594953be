"""Before the processes start: the database's schema, the console's static files, and what a first start needs."""

import io
import logging
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson

from market.clock import Clock
from tradingplatform.launcher.child import answers
from tradingplatform.launcher.programs import Program
from tradingplatform.launcher.refusal import Refusal

EXCHANGE_PATIENCE_S = 30.0
MOST_COMPLAINTS = 6


def prepare_database() -> None:
    """Load Django, migrate, gather static files. Raises Refusal when the database cannot be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")
    import django
    from django.core.management import call_command
    from django.db import Error

    django.setup()
    logging.disable(logging.INFO)  # the terminal is for people; this process ends with the preparation
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except Error as error:
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Refusal(f"the database cannot be used ({first_line}): see DATABASE_URL, or is the disk full?") from None
    call_command("collectstatic", interactive=False, verbosity=0)
    _nothing_is_clean_yet()


def _nothing_is_clean_yet() -> None:
    """Whatever was found when the platform ran last: no live account enters before it was reconciled anew."""
    from execution.models import Reconciliation

    Reconciliation.objects.update(clean_at=None)


def first_start_needed() -> bool:
    """Are there no bots yet? The command knows."""
    from django.core.management import call_command, get_commands

    if "first_start" not in get_commands():
        return False
    answer = io.StringIO()
    call_command("first_start", needed=True, stdout=answer)
    return answer.getvalue().strip().lower().startswith("yes")


def first_start() -> None:
    """Create the account, the fleet and the operator; prints the one-time password. Raises Refusal."""
    from django.core.management import CommandError, call_command

    try:
        call_command("first_start")
    except CommandError as error:
        raise Refusal(f"the first start failed: {_short(str(error))}") from None


@contextmanager
def running(program: Program, var: Path, port: int) -> Iterator[None]:
    """The exchange, for as long as the block lasts: a first start asks it for its symbols."""
    with (var / "log" / f"{program.name}.log").open("ab") as log:
        process = _spawn(program, log)
        try:
            _wait(process, port, Path(log.name))
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _short(text: str) -> str:
    """The first complaints: the rest of a fleet that does not fit the exchange reads the same."""
    lines = text.splitlines()
    more = [f"... and {len(lines) - MOST_COMPLAINTS} more lines"] if len(lines) > MOST_COMPLAINTS else []
    return "\n".join(lines[:MOST_COMPLAINTS] + more)


def exchange_clock(port: int, speed: float) -> Clock:
    """The clock that the exchange chose by itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sim/clock", timeout=10) as answer:
        told = orjson.loads(answer.read())
    return Clock(int(told["origin_wall_ms"]), int(told["origin_market_ms"]), speed)


def _spawn(program: Program, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # A group of its own: Ctrl-C is for the launcher, which then stops it.
    return subprocess.Popen(
        program.arguments, cwd=program.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
    )


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + EXCHANGE_PATIENCE_S
    while not answers(f"http:{port}"):
        if process.poll() is not None or time.monotonic() > deadline:
            last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise Refusal(f"the simulated exchange did not start: {last} (see {log})")
        time.sleep(0.05)
