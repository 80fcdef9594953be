"""The list of all kinds: nothing is published that is not on it, and nothing is on it that nobody publishes."""

import ast
import json
import subprocess
import sys
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory

from bots.models import Bot
from notifications.kinds import Payload, kinds
from tests.test_architecture import FLOORS, ROOT, sources
from tradingplatform.console.audit import EDITS, AuditedAdmin
from tradingplatform.kinds_table import markdown
from tradingplatform.risk_kinds import ALL_RISK_KINDS
from tradingplatform.telegram_kinds import USUAL
from tradingplatform.telegram_texts import _TEXTS
from tradingplatform.why.absent_facts import MOVED
from tradingplatform.why.find import TOLD_ELSEWHERE

DECLARED_IN = {f"{floor}/event_kinds.py" for floor in FLOORS} | {"notifications/kinds.py"}

REQUIRED = {
    "signals and orders": {
        "signal", "order_placed", "order_filled", "order_rejected", "order_canceled", "order_unknown", "order_resolved",
    },
    "positions": {"position_opened", "position_closed"},
    "risk": {"breaker_fired", "risk_refused", "halt_raised", "halt_cleared"},
    "the dead man's switch": {
        "dead_man_warning", "dead_man_critical", "dead_man_triggered", "dead_man_reset", "checked_in",
    },
    "the market": {"stale_candles", "stale_prices", "exchange_limited", "exchange_banned", "exchange_down"},
    "bots and processes": {"bot_started", "bot_paused", "bot_resumed", "tick_failed", "process_up", "process_down"},
    "operators": {"bot_created", "close_asked", "limit_changed", "dead_man_changed", "bot_edited", "bot_gone_live"},
}  # fmt: skip

WHOLE = [(path.relative_to(ROOT).as_posix(), tree) for path, tree in sources(*FLOORS)]


def names_used(outside: set[str]) -> set[str]:
    return {
        node.id if isinstance(node, ast.Name) else node.attr
        for path, tree in WHOLE
        if path not in outside
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }


def shapes(of: type = Payload) -> list[type]:
    return [found for one in of.__subclasses__() for found in (one, *shapes(one))]


def calls(of: str):
    for path, tree in WHOLE:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == of:
                yield path, node


def test_kinds_are_declared_in_their_place():
    elsewhere = [
        f"{path}:{node.lineno}"
        for path, tree in WHOLE
        if path not in DECLARED_IN
        for node in ast.walk(tree)
        if (isinstance(node, ast.ClassDef) and any(keyword.arg == "kind" for keyword in node.keywords))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("Lasting.declare", "new_class"))
    ]
    assert elsewhere == []


def test_no_kind_is_published_that_is_not_declared():
    """Whatever is published is a payload (mypy sees to that), so it is enough that no shape without a kind is built,
    and that nobody writes an event past ``publish``."""
    without_kind = {shape.__name__ for shape in shapes() if not shape.kind}
    built = [f"{path}:{node.lineno}" for name in without_kind for path, node in calls(name)]
    assert built == []
    text = ast.Constant | ast.JoinedStr | ast.Dict
    assert [f"{path}:{node.lineno}" for path, node in calls("publish") if isinstance(node.args[0], text)] == []
    events = [path for path, node in calls("create") if ast.unparse(node.func) == "Event.objects.create"]
    events += [path for path, node in calls("Event") if any(word.arg == "kind" for word in node.keywords)]
    assert events == ["notifications/events.py"]


def test_every_kind_is_published():
    used = names_used(DECLARED_IN)
    lasting = {
        node.targets[0].id
        for path, tree in WHOLE
        if path in DECLARED_IN
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Lasting.declare(")
    }
    assert len(lasting) > 10
    assert lasting - used == set()
    classes = {kind.__name__ for kind in kinds().values()} - {"Began", "Ended"}
    assert classes - used == set()


def test_whoever_reads_events_names_kinds_that_there_are():
    named = {*ALL_RISK_KINDS, *USUAL, *_TEXTS, *MOVED, *TOLD_ELSEWHERE}
    for _, tree in WHOLE:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and "Event.objects" in ast.unparse(node.func):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "kind"]
                named |= {value.value for value in values if isinstance(value, ast.Constant)}
    assert named - kinds().keys() == set()


def test_everything_significant_has_its_kind():
    assert set().union(*REQUIRED.values()) - kinds().keys() == set()


def test_each_says_in_one_sentence_what_it_tells():
    for name, kind in kinds().items():
        assert 10 < len(kind.tells()) < 150, name
        assert kind.tells().endswith("."), name
        assert "|" not in kind.tells(), name


def test_the_table_of_the_docs_is_true():
    """``manage.py event_kinds --markdown`` makes it."""
    assert markdown() in (ROOT / "docs" / "events.md").read_text()


def test_the_command_lists_them():
    out = StringIO()
    call_command("event_kinds", "--json", stdout=out)
    told = {row["kind"]: row for row in json.loads(out.getvalue())}
    assert told.keys() == kinds().keys()
    assert told["order_filled"]["telegram"] == "off"
    amount = next(field for field in told["order_filled"]["payload"] if field["name"] == "amount")
    assert amount == {"name": "amount", "type": amount["type"], "optional": False, "spread": False}
    assert amount["type"].startswith("string: a decimal number")
    out = StringIO()
    call_command("event_kinds", stdout=out)
    assert "halt_raised  [by severity]" in out.getvalue()


@pytest.mark.parametrize("form", ["check", "start"])
def test_a_misspelt_kind_stops_the_start(form, tmp_path):
    """At its settings, which every process of the platform reads first."""
    command = [sys.executable, "manage.py", "check"] if form == "check" else [sys.executable, "manage.py", "telegram"]
    env = {"PATH": "", "VAR": str(tmp_path), "SECRET_KEY": "x", "TELEGRAM_ALERTS": "order_fileld=on"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "there is no kind of event 'order_fileld': perhaps order_filled" in done.stderr


def test_every_edit_in_the_console_has_its_kind():
    request = RequestFactory().get("/")
    request.user = User(username="ann", is_active=True, is_superuser=True)
    for model, page in admin.site._registry.items():
        if isinstance(page, AuditedAdmin):
            made = {"created"} if page.has_add_permission(request) and model is not Bot else set()
            gone = {"deleted"} if page.has_delete_permission(request) else set()
            assert {"edited", *made, *gone} <= EDITS[model].keys(), model
