"""One page about a slot: from real rows and from log files as the processes leave them."""

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from execution.drive import leave
from execution.models import Order, Position
from execution.submit import Exit
from risk.exits import ExitReason
from risk.models import Decision
from tests.execution.test_orders_and_money import buy, means
from tests.factories import SLOT_0, make_bot, now_at
from tests.fakes import ScriptedExecutor, filled_at
from tradingplatform.explain.log_files import log_lines
from tradingplatform.explain.pick import MARGIN, Wanted, belongs, read_line

BEGINS = datetime(2026, 1, 31, 3, tzinfo=UTC)
ENDS = BEGINS + timedelta(minutes=15)
WANTED = Wanted("ann", 5, 77, BEGINS, ENDS, frozenset({"x-5-77-e"}))


def line(at=BEGINS, **values):
    return {"timestamp": at.isoformat().replace("+00:00", "Z"), "event": "told", "level": "info", **values}


@pytest.mark.parametrize(
    ("told", "is_its"),
    [
        (line(bot="ann", slot=77), True),
        (line(bot_id=5, slot=77), True),
        (line(bot="ann", slot=77, at=BEGINS - timedelta(days=1)), True),
        (line(bot="ann", slot=78), False),
        (line(bot="bob", slot=77), False),
        (line(order="x-5-77-e", at=ENDS + timedelta(hours=9)), True),
        (line(order="x-5-78-e"), False),
        (line(bot="ann", at=BEGINS + timedelta(minutes=5)), True),
        (line(bot="ann", at=BEGINS - MARGIN), True),
        (line(bot="ann", at=ENDS + MARGIN + timedelta(seconds=1)), False),
        (line(at=BEGINS), False),
        ({"timestamp": "soon", "bot": "ann"}, False),
    ],
    ids=[
        "bot and slot", "id and slot", "slot before time", "next slot", "other bot", "order", "other order",
        "in its time", "at the margin", "after it", "nobody's", "no time",
    ],
)  # fmt: skip
def test_which_lines_belong_to_a_slot(told, is_its):
    assert belongs(told, WANTED) is is_its


def test_without_wall_times_the_slot_itself_still_tells():
    unknown = Wanted("ann", 5, 77, None, None, frozenset())

    assert belongs(line(bot="ann", slot=77), unknown)
    assert not belongs(line(bot="ann"), unknown)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'"x"', b"Traceback:", b"\xff\xfe", b'{"event": "no time"}'])
def test_what_is_no_line_of_ours_is_passed_over(text):
    assert read_line(text) is None


def write(folder, name, *lines):
    (folder / name).write_text("".join(json.dumps(each) + "\n" if isinstance(each, dict) else each for each in lines))


def test_lines_of_all_processes_rotated_ones_too_in_order(tmp_path):
    write(tmp_path, "trading.log", "half of a li", '{"bot": "ann"\n', line(bot="ann", slot=77, n=3, at=ENDS))
    write(tmp_path, "trading.log.2", line(bot="ann", slot=77, n=1), line(bot="ann", slot=76, n=0))
    write(tmp_path, "reconciler.log", line(order="x-5-77-e", n=2, at=BEGINS + timedelta(seconds=1)))
    write(tmp_path, "notes.txt", line(bot="ann", slot=77, n=9))

    found = log_lines(tmp_path, WANTED)
    assert [(each["n"], each["program"]) for each in found] == [(1, "trading"), (2, "reconciler"), (3, "trading")]


def test_what_shares_a_task_or_a_tick_belongs_too(tmp_path):
    write(tmp_path, "beat.log", line(task="t1", n="sent"), line(task="t2", n="other"))
    write(tmp_path, "trading.log", line(task="t1", n="early"), line(task="t1", tick="k", bot="ann", slot=77, n="tick"))

    assert sorted(each["n"] for each in log_lines(tmp_path, WANTED)) == ["early", "sent", "tick"]


def test_files_older_than_the_slot_are_not_read(tmp_path):
    write(tmp_path, "trading.log.3", line(bot="ann", slot=77))
    os.utime(tmp_path / "trading.log.3", (BEGINS.timestamp() - 1, BEGINS.timestamp() - 1))

    assert log_lines(tmp_path, WANTED) == []


def test_no_folder_no_lines(tmp_path):
    assert log_lines(tmp_path / "nowhere", WANTED) == []


@pytest.mark.django_db
def test_the_page(settings, tmp_path):
    settings.VAR = tmp_path
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60012.34")))
    order = Order.objects.get().client_order_id
    (tmp_path / "log").mkdir()
    at = now_at().wall_at
    raised = [{"exc_type": "ValueError", "exc_value": "no"}]
    write(
        tmp_path / "log",
        "trading.log",
        line(at, bot=bot.name, slot=SLOT_0, tick="k", event="tick", outcome="APPROVED", reason="a test"),
        line(at, order=order, event="order", status="FILLED", level="warning", exception=raised),
    )
    asked = {"at": "2024-03-09T16:03"}

    page, told = StringIO(), StringIO()
    call_command("explain", bot.name, **asked, stdout=page)
    call_command("explain", bot.name, **asked, json=True, stdout=told)

    text = page.getvalue()
    assert text.startswith(f"{bot.name} bought 0.01 BTC at 60,012.34 USDT")
    assert "position_opened" in text
    assert "trading  tick  tick=k  outcome=APPROVED  reason='a test'" in text
    assert f"trading WARNING  order  order={order}  status=FILLED" in text
    assert "ValueError: no" in text
    seen = json.loads(told.getvalue())
    assert {"order_filled", "position_opened"} <= {event["kind"] for event in seen["all_events"]}
    assert sorted(each["event"] for each in seen["log"]) == ["order", "tick"]


@pytest.mark.django_db
def test_without_logs_the_page_says_so(settings, tmp_path):
    settings.VAR = tmp_path
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60012.34")))
    page = StringIO()
    call_command("explain", bot.name, at="2024-03-09T16:03", stdout=page)

    assert f"log lines, wall time: none is left in {tmp_path / 'log'}" in page.getvalue()


# --- by the name of an order


def explained(**asked):
    page, told = StringIO(), StringIO()
    call_command("explain", stdout=page, **asked)
    call_command("explain", json=True, stdout=told, **asked)
    return page.getvalue(), json.loads(told.getvalue())


@pytest.fixture
def round_trip(settings, tmp_path):
    """A position that was entered by a decision, and left two slots later by an order of no decision; their lines."""
    settings.VAR = tmp_path
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60012.34")))
    Decision.objects.update(signal={"action": "ENTER", "reason": "the close came back", "indicators": {}})
    Order.objects.update(exchange_order_id="1871")
    wish = Exit(ExitReason.STOP, "enough", Decimal(61000))
    leave(Position.objects.get(), wish, None, means(ScriptedExecutor(filled_at("61000")), now=now_at(SLOT_0 + 2)))
    (tmp_path / "log").mkdir()
    entry, left = Order.objects.order_by("pk")
    Order.objects.filter(pk=left.pk).update(exchange_order_id="1873", answer="-2010 nonsense")
    later = now_at(SLOT_0 + 8).wall_at
    write(tmp_path / "log", "reconciler.log", *(line(later, order=one.client_order_id) for one in (entry, left)))
    return entry, left


@pytest.mark.django_db
def test_an_entry_says_its_bot_signal_checks_and_answers(round_trip):
    entry, _ = round_trip
    page, told = explained(order=entry.client_order_id)

    assert page.startswith(f"order {entry.client_order_id}, 1871 at the exchange: ENTRY of position #")
    assert "ENTER: the close came back" in page
    assert "✓ passed" in page
    assert "entered by" not in page
    assert (told["bot"], told["slot"]["number"]) == (entry.bot.name, SLOT_0)
    assert [one["order"] for one in told["log"]] == [entry.client_order_id]


@pytest.mark.django_db
def test_an_order_that_no_tick_decided_says_what_had_entered(round_trip):
    entry, left = round_trip
    page, told = explained(order=left.client_order_id)

    first, because, entered = page.split("\n")[:3]
    assert first.endswith("FILLED (-2010 nonsense)")
    assert because == f"  because: {left.reason}"
    assert entered.startswith(f"  entered by {entry.client_order_id} at 2024-03-09 16:")
    passed = sum(check["passed"] for check in entry.decision.checks)
    assert entered.endswith(f"the close came back; {passed} checks passed (explain --order {entry.client_order_id})")
    assert told["slot"]["number"] == SLOT_0 + 2
    assert [one["order"] for one in told["log"]] == [left.client_order_id]


@pytest.mark.django_db
def test_the_exchanges_number_does_as_well(round_trip):
    entry, _ = round_trip
    assert explained(order="1871")[1]["order_asked"]["client_order_id"] == entry.client_order_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"order": "nobody's"}, "there is no order"),
        ({}, "name a bot, or an order"),
        ({"order": "1871", "at": "03:00"}, "give --order alone"),
    ],
    ids=["unknown", "nothing", "both"],
)
def test_what_does_not_fit_is_said(round_trip, asked, why):
    with pytest.raises(CommandError, match=why):
        call_command("explain", **asked)


@pytest.mark.django_db
def test_a_number_that_two_orders_have_is_not_guessed(round_trip):
    Order.objects.update(exchange_order_id="7")
    with pytest.raises(CommandError, match="several orders"):
        call_command("explain", order="7")
