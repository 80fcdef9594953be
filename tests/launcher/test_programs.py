"""What is started, in which order it stops, and what the supervisor is told."""

import configparser
from pathlib import Path

import pytest

from market.clock import Clock
from tradingplatform.environment import BadEnvironment
from tradingplatform.launcher.broker import Broker
from tradingplatform.launcher.identity import Identity
from tradingplatform.launcher.options import Options, read_options
from tradingplatform.launcher.programs import Plan, exchange_program, programs, read_programs, write_programs
from tradingplatform.launcher.supervisord_conf import render
from tradingplatform.launcher.telegram_line import telegram_line

OURS = Broker("unix:///v/run/redis.sock", "7", Path("/usr/bin/redis-server"), Path("/v/run/redis.sock"))


TOKEN = "123456789:for-tests-only-AAAAAAAAAAAAAAAAAAAA"


def plan(exchange="simulated", broker=OURS, replay=None, var="/v", **more):
    options = Options(_env_file=None, VAR=var, EXCHANGE=exchange, PORT=8001, **more)
    identity = Identity(exchange, replay, None if replay else 5)
    return Plan(options, identity, broker, Clock(11, 22, 60), 9000 if exchange == "simulated" else 0)


def parsed(chosen, as_root=False):
    config = configparser.RawConfigParser(strict=True)
    config.read_string(render(chosen, as_root))
    return config


def test_one_worker_for_each_queue():
    workers = [program.arguments for program in programs(plan()) if program.sign == "worker"]

    assert [words[words.index("-Q") + 1] for words in workers] == ["trading", "housekeeping"]


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (plan(), set()),
        (plan(exchange="binance"), {"exchange"}),
        (plan(broker=Broker("redis://h/0", "7")), {"redis"}),
        (plan(exchange="binance", broker=Broker("redis://h/0", "7")), {"redis", "exchange"}),
    ],
    ids=["all", "real exchange", "REDIS_URL", "both"],
)
def test_what_others_run_is_neither_started_nor_waited_for(given, missing):
    chosen = programs(given)
    waited_for = {address.partition(":")[0] for program in chosen for address in program.after}

    workers = {"trading", "housekeeping"}
    everything = {"redis", "exchange", *workers, "beat", "guard", "reconciler", "sweeper", "web", "narrator"}
    assert {program.name for program in chosen} == everything - missing
    assert waited_for == {"redis", "http"} - {{"redis": "redis", "exchange": "http"}[name] for name in missing}


def test_they_stop_from_the_bell_to_the_ground():
    config = parsed(programs(plan()))
    groups = sorted(
        (section for section in config.sections() if section.startswith("group:")),
        key=lambda section: -config.getint(section, "priority"),
    )

    assert [config.get(group, "programs").split(",") for group in groups] == [
        ["beat", "sweeper", "narrator"],
        ["trading", "housekeeping", "guard", "reconciler", "web"],
        ["exchange"],
        ["redis"],
    ]


def test_a_dead_program_is_always_started_again():
    config = parsed(programs(plan()))

    for section in config.sections():
        if section.startswith("program:"):
            assert config.get(section, "autorestart") == "true"
            assert config.get(section, "startsecs") == "0"
            assert config.get(section, "killasgroup") == "true"


def test_no_value_of_the_users_is_in_the_configuration():
    chosen = programs(plan(var="/home/odd % path;#"))

    assert "odd" not in render(chosen, as_root=False)


@pytest.mark.parametrize(("as_root", "told"), [(True, True), (False, False)])
def test_root_is_named(as_root, told):
    assert parsed(programs(plan()), as_root).has_option("supervisord", "user") is told


def test_the_exchange_gets_the_clock_and_the_seed():
    words = exchange_program(plan()).arguments

    assert words[words.index("--seed") + 1] == "5"
    assert words[words.index("--origin-wall-ms") + 1] == "11"
    assert words[words.index("--origin-market-ms") + 1] == "22"


def test_a_replay_may_choose_its_own_beginning():
    words = exchange_program(plan(replay="/candles"), origin=False).arguments

    assert words[words.index("--replay") + 1] == "/candles"
    assert "--origin-market-ms" not in words
    assert "--seed" not in words


def test_programs_are_read_as_they_were_written(tmp_path):
    (tmp_path / "run").mkdir()
    chosen = programs(plan())

    write_programs(tmp_path, chosen)

    assert read_programs(tmp_path) == chosen


def test_telegram_runs_where_there_is_a_token_and_stops_first():
    assert "telegram" not in {program.name for program in programs(plan())}

    chosen = programs(plan(TELEGRAM_TOKEN=TOKEN))

    assert "telegram" in parsed(chosen).get("group:front", "programs").split(",")
    assert TOKEN not in render(chosen, as_root=False)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Telegram is off"),
        ({"TELEGRAM_TOKEN": TOKEN}, "NOBODY"),
        (
            {"TELEGRAM_TOKEN": TOKEN, "TELEGRAM_OPERATORS": "5", "TELEGRAM_VIEWERS": "5, 6"},
            "1 who may act, 1 who may read",
        ),
    ],
    ids=["off", "nobody", "two"],
)
def test_the_start_says_whether_telegram_tells_anybody(given, told):
    assert told in telegram_line(plan(**given).options)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TELEGRAM_TOKEN", "secret-of-mine"), ("TELEGRAM_OPERATORS", "@ann"), ("TELEGRAM_ALERTS", "signal=loud")],
)
def test_what_does_not_fit_is_named_and_a_token_is_not_repeated(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadEnvironment, match=name) as refused:
        read_options()
    assert (value in str(refused.value)) is (name != "TELEGRAM_TOKEN")
