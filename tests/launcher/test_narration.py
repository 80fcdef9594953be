"""What the terminal is told."""

from datetime import UTC, datetime

import pytest

from tradingplatform.environment import ROOT
from tradingplatform.launcher import journal
from tradingplatform.launcher.household import TELL_DEATHS, Household
from tradingplatform.launcher.journal import Event
from tradingplatform.launcher.narrator import greeting
from tradingplatform.launcher.programs import Program
from tradingplatform.launcher.summary import summary

AT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
STATUS = {
    "bots": {"RUNNING": 44, "PAUSED": 1, "HALTED": 0},
    "ticks": 12345,
    "ticks_failed": 2,
    "positions": {"OPEN": 3, "CLOSING": 1, "CLOSED": 30},
    "orders": 64,
    "equity": "100123.45",
    "starting_capital": "100000",
    "halts": 1,
    "exchange": {"weight_1m": 152},
}


@pytest.fixture
def household():
    return Household([Program("web", "the console", [], "work", 4), Program("narrator", "these lines", [], "front", 2)])


def test_a_start_is_told_once(household):
    assert list(household.happened(Event(0, "web", 11))) == []
    assert [member.pid for member in household.waiting()] == [11]

    assert "web" in household.works("web", 1)
    assert household.works("web", 2) == ""


def test_a_death_is_told_with_its_cause_and_the_return_with_its_delay(household):
    list(household.happened(Event(0, "web", 11)))
    household.works("web", 1)

    [died] = household.happened(Event(3600, "web", 11, "signal 9, SIGKILL"))
    list(household.happened(Event(3600.2, "web", 12)))

    assert died == "1970-01-01 01:00:00 UTC web died (signal 9, SIGKILL), restarting it"
    assert household.works("web", 3601.2) == "1970-01-01 01:00:01 UTC web is back with pid 12 after 1.2 s"


def test_one_that_keeps_dying_is_pointed_at_once(household):
    told = [line for at in range(20) for line in household.happened(Event(at, "web", at, "exit code 1"))]

    assert len(told) == TELL_DEATHS + 1
    assert told[-1].endswith("web keeps dying and is restarted each time: see log/web.log")


def test_a_new_narrator_does_not_repeat_the_old_one(household):
    household.catch_up(
        [Event(0, "web", 11), Event(0, "narrator", 12), Event(5, "narrator", 12, "signal 9"), Event(6, "narrator", 13)]
    )

    assert household.works("web", 7) == ""
    assert household.works("narrator", 7.5) == "1970-01-01 00:00:07 UTC narrator is back with pid 13 after 2.5 s"


def test_the_journal_gives_each_event_once_and_no_half_line(tmp_path):
    (tmp_path / "run").mkdir()
    journal.begin(tmp_path)
    reader = journal.Reader(tmp_path)
    events = [Event(1.5, "web", 11), Event(2.5, "web", 11, journal.cause_of(9))]
    for event in events:
        journal.append(tmp_path, event)
    with journal.journal_path(tmp_path).open("a") as file:
        file.write('{"at": 3,')

    assert list(reader.news()) == events
    assert list(reader.news()) == []
    with journal.journal_path(tmp_path).open("a") as file:
        file.write('"name": "web", "pid": 4}\n')
    assert [event.pid for event in reader.news()] == [4]


@pytest.mark.parametrize(("status", "told"), [(9, "signal 9, SIGKILL"), (1 << 8, "exit code 1"), (0, "exit code 0")])
def test_causes(status, told):
    assert journal.cause_of(status) == told


def test_the_live_line():
    assert summary(STATUS, AT) == (
        "market 2026-01-31 12:30 · 44 running, 1 paused · 1 HALTED · equity 100,123.45 (+0.12 %) · 4 open, 30 closed"
        " · 12,345 ticks, 2 failed · 64 orders · exchange weight 152/min"
    )


def test_an_account_that_is_halted_is_named_in_the_live_line():
    halts = [
        {"scope": "account main", "cause": "portfolio_drawdown", "text": "t", "raised_at": ""},
        {"scope": "bot btc", "cause": "bot_drawdown", "text": "t", "raised_at": ""},
    ]

    told = summary({**STATUS, "halts": 2, "halts_in_force": halts}, AT)

    assert " 12:30 · ACCOUNT main HALTED: portfolio_drawdown · 44 running, 1 paused · 1 HALTED · equity" in told
    assert "ACCOUNT main HALTED: portfolio_drawdown" in summary({"halts_in_force": halts}, AT, 79)


@pytest.mark.parametrize(
    ("switch", "told"),
    [
        ({"stage": "OK", "seconds_left": 9}, ""),
        ({"stage": "WARNING", "seconds_left": 14_400}, "SWITCH WARNING, 4 h left"),
        ({"stage": "TRIGGERED", "seconds_left": 0}, "SWITCH TRIGGERED"),
        ({"stage": "MISSING", "seconds_left": None}, "SWITCH MISSING"),
    ],
)
def test_a_switch_that_is_not_well_is_in_the_live_line(switch, told):
    parts = summary({**STATUS, "dead_mans_switch": switch}, AT).split(" · ")

    assert [part for part in parts if "SWITCH" in part] == ([told] if told else [])


def test_what_lasts_comes_first_by_its_kind():
    kinds = ["exchange_down", *["stale_candles"] * 39]
    told = summary({**STATUS, "conditions": [{"kind": kind} for kind in kinds]}, AT).split(" · ")
    assert told[1:3] == ["EXCHANGE DOWN", "39 STALE CANDLES"]


def test_the_greeting_names_a_var_that_is_not_the_default():
    assert "  Status    make status, in a second terminal" in greeting("8000", ROOT / "var", 9)
    assert "  Status    make status VAR=v1, in a second terminal" in greeting("8000", ROOT / "v1", 9)


@pytest.mark.parametrize("width", range(1, 180, 7))
def test_the_live_line_never_wraps(width):
    assert len(summary(STATUS, AT, width)) <= width


@pytest.mark.parametrize("status", [{}, {"bots": None, "equity": "?", "exchange": None}, {"starting_capital": "0"}])
def test_the_live_line_lives_with_what_is_missing(status):
    assert summary(status, AT).startswith("market 2026-01-31 12:30 · no bots")
