"""What an operator must not overlook in the status: a platform that does not run, the switch, the halts."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from market.clock import Clock, load_clock, save_clock
from notifications.conditions import begin, end
from notifications.models import Severity
from risk.models import DeadMansSwitch, Halt
from tests.factories import make_bot, now_at
from tradingplatform.alarm_texts import heartbeats_text
from tradingplatform.environment import ROOT
from tradingplatform.event_kinds import EXCHANGE_DOWN, STALE_CANDLES, STALE_PRICES
from tradingplatform.heartbeats import GUARD, beat
from tradingplatform.launcher import folder, marketclock
from tradingplatform.management.base import now as read_now
from tradingplatform.running import platform_state
from tradingplatform.status import read_status
from tradingplatform.status_table import status_table
from tradingplatform.typed import make, manage

NOW = now_at()
WALL_MS = 1_700_000_000_000
CLOCK = Clock(WALL_MS, WALL_MS, 60)

db = pytest.mark.django_db


@pytest.fixture
def var(tmp_path, settings):
    settings.VAR = tmp_path
    settings.CLOCK_FILE = tmp_path / "clock.json"
    return tmp_path


def state(var, clock=CLOCK):
    return platform_state(var, clock)["platform"]


def test_running_stopped_killed_on_the_simulated_exchange(var):
    save_clock(var / "clock.json", CLOCK)
    assert platform_state(var, CLOCK) == {"platform": "stopped", "stopped_at": None}

    lock = folder.take_lock(var)
    marketclock.mark_ahead(var, CLOCK, WALL_MS)
    assert platform_state(var, CLOCK) == {"platform": "running", "stopped_at": None}

    os.close(lock)
    assert state(var) == "killed"

    marketclock.stand_still(var, WALL_MS + 1000)
    stopped = Clock(WALL_MS, WALL_MS, 60, WALL_MS + 60_000)
    assert platform_state(var, stopped) == {"platform": "stopped", "stopped_at": "2023-11-14T22:14:20+00:00"}


def test_a_start_that_was_refused_is_no_killed_one(var):
    marketclock.write_mark(var, WALL_MS)

    assert state(var, Clock(WALL_MS + 5000, WALL_MS, 60)) == "stopped"


def test_stopped_and_killed_on_a_real_exchange(var):
    marketclock.mark_ahead(var, Clock(), marketclock.wall_now_ms())
    assert state(var, Clock()) == "killed"

    marketclock.stand_still(var, marketclock.wall_now_ms())
    assert state(var, Clock()) == "stopped"


@db
def test_a_stopped_platform_says_so_first(var):
    save_clock(var / "clock.json", Clock(WALL_MS, WALL_MS, 60, WALL_MS + 60_000))
    status = read_status()

    lines = status_table(status).splitlines()
    assert lines[0] == f"STOPPED since market time 2023-11-14T22:14:20 UTC: start it with make run VAR={var}"
    assert "exchange   not running" in lines
    assert any(line.endswith("no tick yet") for line in lines)
    assert "never ago" not in "\n".join(lines)


@db
def test_a_platform_that_never_ran_says_so(var):
    assert status_table(read_status()).startswith(f"STOPPED and never ran: start it with make run VAR={var}\n")


@db
def test_a_killed_platform_says_so_first(var):
    save_clock(var / "clock.json", CLOCK)
    marketclock.mark_ahead(var, CLOCK, WALL_MS)

    first = status_table(read_status()).splitlines()[0]
    assert first.startswith("KILLED, not stopped in order, last seen at market time 2023-11-14T22:15:20 UTC: ")
    assert first.endswith(f"make run VAR={var}")


@db
def test_a_running_platform_begins_with_its_market(var):
    lock = folder.take_lock(var)
    try:
        status = read_status()
    finally:
        os.close(lock)

    assert status["platform"] == "running"
    assert status_table(status).startswith("simulated exchange, ")
    assert "watch      beat NEVER, guard NEVER, reconciler NEVER" in status_table(status).splitlines()


@db
def test_heartbeats_are_shown():
    beat(GUARD, load_clock(Path("none")).now())
    assert read_status()["heartbeats_age_s"]["guard"] < 10
    assert heartbeats_text({"guard": 3.2, "beat": 600, "reconciler": None}) == (
        "guard 3 s ago, beat 10 min ago, reconciler NEVER"
    )


def switch(**changes):
    now = datetime.now(UTC)
    values = {"last_checkin_at": now, "last_checkin_by": "t", "high_water_at": now, "timeout_s": 86_400, **changes}
    DeadMansSwitch.objects.update_or_create(pk=1, defaults=values)


def ago(hours):
    return datetime.now(UTC) - timedelta(hours=hours, seconds=-20)


def switch_line():
    status = read_status()
    [line] = [line for line in status_table(status).splitlines() if line.startswith("switch")]
    return status["dead_mans_switch"]["stage"], line


@db
def test_the_dead_mans_switch(var):
    stage, line = switch_line()
    assert (stage, line[:18]) == ("MISSING", "switch     MISSING")

    switch(last_checkin_at=ago(3))
    prefix = f"VAR={var} .venv/bin/python manage.py"
    assert switch_line() == ("OK", f"switch     armed, 21 h left ({prefix} checkin)")
    assert 75_600 <= read_status()["dead_mans_switch"]["seconds_left"] <= 75_620

    switch(last_checkin_at=ago(23.5))
    assert switch_line() == ("CRITICAL", f"switch     CRITICAL, 30 min left: {prefix} checkin")

    switch(last_checkin_at=ago(25))
    triggered = f'switch     TRIGGERED, nothing may enter: {prefix} reset_switch --reason "..." --confirm RESET'
    assert switch_line() == ("TRIGGERED", triggered)

    switch(latched_at=ago(1))
    assert switch_line() == ("TRIGGERED", triggered)
    assert read_status()["dead_mans_switch"]["seconds_left"] == 0


@db
def test_a_clock_set_back_gives_the_switch_no_time(var):
    switch(last_checkin_at=ago(1), high_water_at=ago(-30))

    assert switch_line()[0] == "TRIGGERED"


@db
def test_each_halt_in_force_with_what_clears_it(var):
    bot = make_bot()
    moments = {"market_at": NOW.market_at, "raised_at": NOW.wall_at}
    Halt.objects.create(account=bot.account, bot=bot, cause="bot_drawdown", text="lost 21 %", **moments)
    Halt.objects.create(account=bot.account, cause="portfolio_drawdown", text="lost 11 %", **moments)
    Halt.objects.create(
        account=bot.account, cause="c", text="t", cleared_at=NOW.wall_at, cleared_by="x", clear_reason="y", **moments
    )
    status = read_status()

    account, name = bot.account.name, bot.name
    assert [(halt["scope"], halt["cause"], halt["text"]) for halt in status["halts_in_force"]] == [
        (f"account {account}", "portfolio_drawdown", "lost 11 %"),
        (f"bot {name}", "bot_drawdown", "lost 21 %"),
    ]
    assert status["halts_in_force"][0]["raised_at"] == NOW.wall_at.isoformat()
    first, second = (line for line in status_table(status).splitlines() if line.startswith("HALTED"))
    assert first.endswith(f'.venv/bin/python manage.py clear_halt {account} --reason "..."')
    assert second.endswith(f'.venv/bin/python manage.py reset_bot {name} --reason "..."')


@db
def test_halts_of_all_scopes_the_widest_first_and_none_that_is_over(var):
    bot = make_bot()
    now = read_now()
    moments = {"market_at": now.market_at, "raised_at": now.wall_at}
    later, before = now.market_at + timedelta(hours=9), now.market_at - timedelta(seconds=1)
    on_bot = {"account": bot.account, "bot": bot, "text": "t", **moments}
    Halt.objects.create(cause="daily_loss", until=later, **on_bot)
    Halt.objects.create(cause="other", until=before, **on_bot)
    Halt.objects.create(cause="operator", **on_bot)
    Halt.objects.create(account=bot.account, cause="operator", text="t", **moments)
    Halt.objects.create(cause="operator", text="t", closes=True, **moments)
    status = read_status()

    assert status["halts"] == len(status["halts_in_force"]) == 4
    lines = [line for line in status_table(status).splitlines() if line.startswith("HALTED")]
    assert [line.split(":")[0].split(maxsplit=1)[1] for line in lines] == [
        "everything",
        f"account {bot.account.name}",
        f"bot {bot.name}",
        f"bot {bot.name}",
    ]
    assert "sells what is held" in lines[0]
    ends = [
        'manage.py resume_trading --all --reason "..."',
        f'manage.py resume_trading --account {bot.account.name} --reason "..."',
        f"over at {later.isoformat()[:16]} UTC of market time",
        f'manage.py resume_trading {bot.name} --reason "..."',
    ]
    assert [line.endswith(end) for line, end in zip(lines, ends, strict=True)] == [True] * 4


@db
def test_what_lasts_is_told_with_its_beginning_and_much_of_one_kind_briefly(var):
    at = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
    begin(EXCHANGE_DOWN, "binance", "It answers nothing", severity=Severity.CRITICAL, **at)
    for number in range(5):
        begin(STALE_CANDLES, f"C{number}/USDT 15m", f"No fresh candles of C{number}/USDT", **at)
    begin(STALE_PRICES, "binance", "No live prices", **at)
    end(STALE_PRICES, "binance", "They come again", **at)
    status = read_status()

    assert [condition["kind"] for condition in status["conditions"]] == ["exchange_down"] + ["stale_candles"] * 5
    lines = status_table(status).splitlines()
    since = f"(since {NOW.wall_at:%H:%M:%S} UTC)"
    told = [line for line in lines if line.startswith("TROUBLE")]
    assert told[0] == f"TROUBLE    It answers nothing {since}"
    assert [line[11:] for line in told[1:]] == [f"No fresh candles of C{number}/USDT {since}" for number in range(3)]
    assert "           and 2 more of stale candles" in lines


@pytest.mark.parametrize(
    ("var", "typed"),
    [
        (ROOT / "var", "make status"),
        (ROOT / "v1", "make status VAR=v1"),
        (Path("/srv/my var"), "make status VAR='/srv/my var'"),
    ],
)
def test_commands_can_be_pasted(var, typed):
    assert make("status", var) == typed


def test_a_command_of_manage_can_be_pasted():
    assert manage("checkin", ROOT / "var") == ".venv/bin/python manage.py checkin"
    assert manage("checkin", ROOT / "v1") == "VAR=v1 .venv/bin/python manage.py checkin"
