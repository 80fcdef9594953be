"""Advice that leads somewhere: near names, quoted numbers, one telling of what was told."""

from datetime import timedelta

import pytest
from django.core.management import CommandError

from bots.definition import judge
from bots.models import Bot
from notifications.models import Event
from risk.models import DeadMansSwitch
from tests.commands import run
from tests.factories import make_account, make_bot
from tests.fleet.test_read import GOOD, problems_of, read
from tests.wired import INSTRUMENTS
from tradingplatform.fleet.source import read_source
from tradingplatform.symbols import why_unknown


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[defaults]", "[defualts]", "defualts = {...}: unknown key: perhaps defaults; use one of account"),
        ("[account]", "[acount]", "acount = {...}: unknown key: perhaps account; use one of account"),
        ("[grid]", "[gird]", "gird = {...}: unknown key: perhaps grid; use one of account"),
        ("[[bots]]", "[[bot]]", "unknown key: perhaps bots; use one of account"),
        ('timeframe = "4h"', 'timefram = "4h"', "bots 'mine': timefram = \"4h\": unknown key: perhaps timeframe;"),
        ("capital = 500\n", "captial = 500\n", "defaults.captial = 500: unknown key: perhaps capital;"),
    ],
)
def test_a_misspelt_key_is_told_once(old, new, words):
    (problem,) = problems_of(GOOD.replace(old, new, 1))
    assert words in str(problem)


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = tmp_path / "fleet.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert len(read(read_source(path)).bots) == 3


def test_a_list_is_given_once():
    many = GOOD.replace("BTC =", "FOO =").replace("ETH/USDT", "BAR/USDT")
    first, *others = [problem.text for problem in problems_of(many)]
    assert "use one of BTC/USDT, ETH/USDT" in first
    assert len(others) == 2
    assert all(text.endswith("use one of those listed above") for text in others)


@pytest.mark.parametrize("symbol", ["btc/usdt", "Btc/Usdt", "BTC/usdt", "btc/USDT"])
def test_symbols_are_written_in_capitals(symbol):
    told = judge(strategy=None, parameters={}, symbol=symbol, quote="USDT").get("symbol", [])
    told = told or [why_unknown(symbol, INSTRUMENTS)]
    assert told == ["symbols are written in capitals: use BTC/USDT"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("capital = 500\n", "capital = 10_000.01\n", 7), ("1234.56789012345678", "1e30", 20)],
)
def test_a_share_above_the_accounts_capital_is_told_once(old, new, line):
    (problem,) = problems_of(GOOD.replace(old, new))
    assert problem.line == line
    assert "is above the account's capital of 10000 USDT" in problem.text


def create(*params, capital="500"):
    given = {"name": "x", "strategy": "rsi_reversal", "symbol": "BTC/USDT", "timeframe": "1h", "capital": capital}
    return run("create_bot", *(f"--{key}={value}" for key, value in given.items()), *(f"--param={p}" for p in params))


@pytest.mark.django_db
@pytest.mark.usefixtures("wired_exchange")
class TestCommands:
    def test_parameters_are_read_as_numbers(self):
        make_account()
        create("oversold=+25", "overbought=75.5", "period=1_0", "stop_type=percent")
        assert Bot.objects.get().parameters == {
            "oversold": 25,
            "overbought": 75.5,
            "period": 10,
            "stop_type": "percent",
        }

    @pytest.mark.parametrize("value", ["true", '"35"', "nan", "much"])
    def test_what_is_no_number_is_refused(self, value):
        make_account()
        with pytest.raises(CommandError, match="oversold may not be"):
            create(f"oversold={value}")

    def test_no_more_than_the_account_has(self):
        make_account()
        with pytest.raises(CommandError, match=r"capital: 99999999 is above the account's capital of 100000 USDT"):
            create(capital="99999999")

    def test_a_pause_needs_no_reason(self):
        make_bot(name="a")
        assert run("pause_bot", "a") == "Bot a is PAUSED\n"
        with pytest.raises(CommandError, match="cannot pause bot a: it is PAUSED, use resume_bot or stop_bot"):
            run("pause_bot", "a")

    def test_nothing_to_clear(self):
        account = make_account()
        with pytest.raises(CommandError, match="is not halted: there is nothing to clear"):
            run("clear_halt", account.name, "--reason=x")

    def test_a_new_password_is_an_event(self):
        told = run("operator_password")
        event = Event.objects.get(kind="operator_password_changed")
        assert event.severity == "WARNING"
        assert event.payload["user"] == "operator"
        assert "command line" in event.payload["actor"]
        (password,) = (line.split()[2] for line in told.splitlines() if "Password" in line)
        assert password not in f"{event.text} {event.payload}"

    def test_an_overdue_switch_is_reset_though_nobody_has_asked_it_yet(self):
        make_account()
        switch = DeadMansSwitch.objects.get()
        long_ago = switch.last_checkin_at - timedelta(days=36500)
        DeadMansSwitch.objects.update(last_checkin_at=long_ago, high_water_at=long_ago)
        assert "armed again" in run("reset_switch", "--reason=slept", "--confirm=RESET")
        kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
        assert kinds == ["dead_man_triggered", "dead_man_reset"]
