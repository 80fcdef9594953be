"""The operator's commands: what they do, and one clear line when they do not."""

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from bots import lifecycle
from bots.models import Bot
from notifications.models import Event
from risk.deadman import present_stage
from risk.deadman_stage import Stage
from risk.models import DeadMansSwitch, Halt
from tests.commands import refusal, run
from tests.factories import make_bot, now_at
from tests.fleet.test_load import hold
from tests.fleet.test_read import GOOD
from tradingplatform.passwords import OPERATOR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired_exchange")]


def create(**changes):
    given = {"name": "x", "strategy": "ema_cross", "symbol": "BTC/USDT", "timeframe": "1h", "capital": "500"} | changes
    return ["create_bot", *(f"--{key}={value}" for key, value in given.items())]


@pytest.fixture
def fleet_file(tmp_path, settings):
    path = tmp_path / "my.toml"
    path.write_text(GOOD)
    settings.ENV = settings.ENV.model_copy(update={"FLEET": path})
    return path


def test_a_switch_made_anew_has_triggered(fleet_file):
    """Where there are bots a missing switch had stopped them: only a reset lets them go on, and that is audited."""
    run("first_start")
    DeadMansSwitch.objects.all().delete()
    assert "reset_switch" in run("first_start")
    assert present_stage(timezone.now()) is Stage.TRIGGERED
    run("reset_switch", "--reason=it was lost", "--confirm=RESET")
    assert present_stage(timezone.now()) is Stage.OK
    assert set(Bot.objects.values_list("status", flat=True)) == {"PAUSED"}


def test_first_start_makes_everything_once(fleet_file):
    assert run("first_start", "--needed") == "yes\n"
    told = run("first_start")
    assert "3 bots on 3 series" in told
    password = re.search(r"Password +(\S+)", told)[1]
    user = User.objects.get(username=OPERATOR)
    assert user.check_password(password)
    assert user.is_superuser
    assert DeadMansSwitch.objects.count() == 1
    assert run("first_start", "--needed") == "no\n"
    again = run("first_start")
    assert "assword" not in again
    assert User.objects.get().check_password(password)
    assert Bot.objects.count() == 3


def test_first_start_leaves_existing_bots_alone(fleet_file):
    make_bot()
    run("first_start")
    assert Bot.objects.count() == 1


def test_first_start_with_a_bad_fleet_shows_no_password(fleet_file):
    fleet_file.write_text(GOOD.replace("15m", "5m"))
    assert "my.toml:13: grid.BTC.5m" in refusal("first_start")
    assert not User.objects.exists()
    assert not Bot.objects.exists()


def test_passwords_differ_and_replace_each_other():
    first, second = (re.search(r"Password +(\S+)", run("operator_password"))[1] for _ in range(2))
    assert first != second
    assert User.objects.get().check_password(second)


def test_load_fleet(fleet_file):
    assert "Would do:" in run("load_fleet", "--dry-run")
    assert not Bot.objects.exists()
    assert "3 created" in run("load_fleet")
    assert "Nothing to change." in run("load_fleet", str(fleet_file))


def test_load_fleet_refuses(fleet_file, tmp_path):
    fleet_file.write_text(GOOD.replace('"4h"', '"2h"'))
    assert refusal("load_fleet").startswith("my.toml:19: bots 'mine': timeframe = \"2h\": unknown timeframe")
    assert "cannot read the fleet file" in refusal("load_fleet", str(tmp_path / "none.toml"))
    fleet_file.write_bytes(b"\xff\xfe")
    assert "UTF-8" in refusal("load_fleet")


def test_an_exchange_that_does_not_answer(fleet_file, wired_exchange, monkeypatch):
    from market.exchange import Transient

    def down():
        raise Transient("no route")

    monkeypatch.setattr(wired_exchange, "instruments", down)
    assert refusal("load_fleet").startswith("the platform is not running: start it with make run VAR=/")


def test_create_bot():
    make_bot(name="other")
    assert "x is STOPPED" in run(*create(), "--param", "fast=5", "--param", "stop_type=percent")
    assert Bot.objects.get(name="x").parameters == {"fast": 5, "stop_type": "percent"}
    assert "y is RUNNING" in run(*create(name="y"), "--start")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "other"}, "name: there is a bot 'other' already"),
        ({"name": "No Name"}, "name: 'No Name' is not a name: use lower-case"),
        ({"strategy": "emma"}, "strategy: unknown strategy 'emma': use one of rsi_reversal, ema_cross"),
        ({"symbol": "FOO/USDT"}, "symbol: the exchange has no 'FOO/USDT': use one of BTC/USDT"),
        ({"symbol": "BTC/EUR"}, "symbol: BTC/EUR is not quoted in the account's currency USDT"),
        ({"timeframe": "2h"}, "timeframe: unknown timeframe '2h': use one of 15m, 1h, 4h"),
        ({"capital": "0"}, "capital: capital must be above 0, not 0"),
        ({"capital": "-1"}, "capital: capital must be above 0, not -1"),
        ({"capital": "much"}, "capital: 'much' is not a number"),
        ({"capital": "NaN"}, "capital: 'NaN' is not a number"),
        ({"capital": "1" + "0" * 60}, "capital: 1"),
        ({"param": "fast=1"}, "parameters: ema_cross: fast may not be 1: use a whole number from 2 to 71"),
        ({"param": "speed=1"}, "parameters: ema_cross: unknown parameter 'speed': use fast, slow"),
        ({"param": "fast"}, "--param 'fast' is not of the form NAME=VALUE"),
        ({"account": "nope"}, "there is no account 'nope': give --account, one of "),
    ],
)
def test_create_bot_refuses(changes, words):
    make_bot(name="other")
    assert words in refusal(*create(**changes))
    assert Bot.objects.count() == 1


def test_create_bot_without_an_account():
    assert "load a fleet first" in refusal(*create())


def test_pause_resume_stop_start():
    make_bot(name="a")
    assert run("pause_bot", "a", "--reason=odd") == "Bot a is PAUSED\n"
    assert "cannot pause bot a: it is PAUSED" in refusal("pause_bot", "a", "--reason=odd")
    assert run("resume_bot", "a") == "Bot a is RUNNING\n"
    assert run("stop_bot", "a") == "Bot a is STOPPED\n"
    assert run("start_bot", "a") == "Bot a is RUNNING\n"
    assert Event.objects.filter(kind="bot_paused", text__endswith=": odd").count() == 1


def test_all_bots_at_once():
    for name in ("a", "b"):
        make_bot(name=name)
    lifecycle.halt(make_bot(name="c").pk, "drawdown", now=now_at(), actor="risk")
    assert run("pause_bot", "--all", "--reason=storm") == "2 bots paused\n"
    assert run("resume_bot", "--all") == "2 bots resumed\n"
    assert Bot.objects.get(name="c").status == "HALTED"


def test_a_bot_that_holds_something_is_not_stopped():
    make_bot(name="a")
    hold("a")
    assert "cannot stop bot a: it has a live position in BTC/USDT (OPEN)" in refusal("stop_bot", "a")
    assert Bot.objects.get().status == "RUNNING"


def test_a_halt_is_reset_for_a_reason():
    bot = make_bot(name="a")
    lifecycle.halt(bot.pk, "drawdown", now=now_at(), actor="risk")
    Halt.objects.create(
        account=bot.account,
        bot=bot,
        cause="drawdown",
        text="t",
        market_at=now_at().market_at,
        raised_at=now_at().wall_at,
    )
    assert "give one" in refusal("reset_bot", "a", "--reason= ")
    assert run("reset_bot", "a", "--reason=looked at it") == "Bot a is PAUSED\n"
    assert Halt.objects.get().clear_reason == "looked at it"


def test_an_unknown_bot():
    make_bot(name="btc-15m-rsi")
    assert refusal("start_bot", "btc") == "there is no bot 'btc': perhaps btc-15m-rsi"


@pytest.mark.parametrize(
    ("old", "new", "whose"),
    [
        ("capital = 500\n", "capital = 600\n", "bot btc-15m-rsi and 1 more"),
        ("capital = 10_000", "capital = 10_001", "account main"),
    ],
)
def test_a_file_that_raises_capital_is_confirmed(fleet_file, old, new, whose):
    run("load_fleet")
    fleet_file.write_text(GOOD.replace(old, new))
    text = f"to raise the capital of {whose}, which loosens limits that are parts of it, give --confirm main"
    assert refusal("load_fleet") == f"not confirmed: {text}"
    assert "Would do" in run("load_fleet", "--dry-run")
    assert "Done" in run("load_fleet", "--confirm=main")
    fleet_file.write_text(GOOD)
    assert "Done" in run("load_fleet"), "less of it tightens them"
