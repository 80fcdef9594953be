"""The law of imports, and the rules that a linter does not see. Who may send orders: test_one_way_to_send.py."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bots import schedule
from tradingplatform.celery import app

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("tradingplatform", "execution", "risk", "bots", "market", "notifications")


def sources(*floors: str):
    for floor in floors:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text())


def test_imports_run_down():
    lint = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["_REVIEW_SEAL", "_send"])
def test_private_keys_stay_private(name):
    """Only the review approves, only submit.py sends."""
    homes = {"_REVIEW_SEAL": {"risk/review.py", "risk/verdicts.py"}, "_send": {"execution/submit.py"}}
    users = {
        path.relative_to(ROOT).as_posix()
        for path, tree in sources("tradingplatform", "execution", "risk")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.alias) and node.name == name)
        or (isinstance(node, ast.Attribute) and node.attr == name and name == "_REVIEW_SEAL")
    }
    assert users <= homes[name]


def test_statuses_are_written_by_their_one_writer():
    """Order and position status columns are written in record.py and, for the intent itself, in intents.py."""
    writers = {
        path.relative_to(ROOT).as_posix()
        for path, tree in sources("tradingplatform", "execution")
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "status"
        and isinstance(node.value, ast.Attribute)
        and ast.unparse(node.value.value) in ("OrderStatus", "PositionStatus")
        and ast.unparse(node.value) != "PositionStatus.OPEN"
    }
    assert writers <= {"execution/intents.py", "execution/record.py"}


def test_only_submit_writes_intents():
    """A row that says "about to be sent" is made where sending is decided, or where a human's own sale is booked, which
    is over before its transaction ends."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path, tree in sources("tradingplatform", "execution")
        for node in ast.walk(tree)
        if isinstance(node, ast.alias) and node.name in ("write_entry", "write_exit", "write_stop")
    }
    assert users == {"execution/submit.py", "execution/by_hand.py"}


def test_the_scheduled_task_exists():
    """The schedule names its task in a string, which no import checks."""
    app.loader.import_default_modules()
    assert schedule.TICK_TASK in app.tasks
