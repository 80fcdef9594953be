"""A start that cannot work says why in one line, and what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tradingplatform.environment import ROOT, BadEnvironment
from tradingplatform.launcher import preflight
from tradingplatform.launcher.options import Options, fleet_file, read_options
from tradingplatform.launcher.refusal import Refusal
from tradingplatform.launcher.runtime_env import write_runtime_env

VARIABLES = (*Options.model_fields, "PLATFORM_RUN", "PLATFORM_TERMINAL")


def launch(**variables: str) -> subprocess.CompletedProcess[str]:
    """The real program, with nothing but these variables."""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        [sys.executable, "-m", "tradingplatform.launcher"],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def options(monkeypatch):
    def build(**variables: str) -> Options:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return read_options()

    return build


REFUSED = [
    ({"PORT": "eighty"}, "PORT=eighty: input should be a valid integer"),
    ({"PORT": "70000"}, "PORT=70000: input should be less than or equal to 65535"),
    ({"SPEED": "0"}, "SPEED=0: input should be greater than or equal to 1"),
    ({"SPEED": "fast"}, "SPEED=fast: input should be a valid number"),
    ({"EXCHANGE": "Bin ance"}, "EXCHANGE=Bin ance: "),
    ({"EXCHANGE": "binanse"}, "EXCHANGE=binanse is not known (near: binance"),
    ({"EXCHANGE": "__init__"}, "EXCHANGE=__init__ is not known"),
    ({"EXCHANGE": "binance", "SPEED": "60"}, "SPEED=60: a real exchange runs at speed 1"),
    ({"EXCHANGE": "binance", "SEED": "3"}, "SEED is for the simulated exchange"),
    ({"REPLAY": "/nowhere/at/all"}, "REPLAY=/nowhere/at/all: no candles there"),
    ({"REPLAY": "/nowhere", "SEED": "3"}, "leave one of them out"),
    ({"MARKET_START": "yesterday"}, "MARKET_START=yesterday: "),
    ({"FLEET": "/nowhere/fleet.toml"}, "FLEET=/nowhere/fleet.toml is not a file"),
    ({"REDIS_URL": "unix:///nowhere/redis.sock"}, "REDIS_URL does not answer"),
    ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL=LOUD: "),
]


@pytest.mark.parametrize(("variables", "told"), REFUSED, ids=[told[:30] for _, told in REFUSED])
def test_a_bad_variable_is_one_line_and_a_failure(tmp_path, variables, told):
    ended = launch(**{"VAR": str(tmp_path / "var"), "PORT": str(preflight.free_port()), **variables})

    assert ended.returncode == 1
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith("make run: ")
    assert told in line


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")

    ended = launch(VAR=str(tmp_path / "file" / "var"))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "cannot be written (Not a directory): choose another folder" in ended.stderr


def test_a_port_in_use_names_the_holder(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = launch(VAR=str(tmp_path / "var"), PORT=str(port))

    assert ended.returncode == 1
    assert f"PORT={port} is in use by " in ended.stderr
    assert f"(pid {os.getpid()})" in ended.stderr
    assert f"make run PORT={port + 1}" in ended.stderr
    assert not (tmp_path / "var").exists()


def test_a_port_that_another_platform_holds_names_its_var():
    holder = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holder],
        env={**os.environ, "PLATFORM_RUN": "/srv/v1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        port = int(process.stdout.readline())
        with pytest.raises(Refusal) as refused:
            preflight.check_port(port)
        process.kill()

    assert f"PORT={port} is in use by the platform on VAR=/srv/v1 (pid {process.pid}): stop it" in str(refused.value)


def test_every_mistake_is_told_at_once(options):
    with pytest.raises(BadEnvironment) as refused:
        options(PORT="x", SPEED="y")

    assert len(str(refused.value).splitlines()) == 2


def test_a_wrong_secret_is_not_repeated(options):
    with pytest.raises(BadEnvironment) as refused:
        options(DEBUG="hunter2-in-the-wrong-place", LOG_FORMAT="x")

    assert "LOG_FORMAT=x" in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "speed"),
    [({}, 60), ({"SPEED": "1"}, 1), ({"EXCHANGE": "binance"}, 1), ({"EXCHANGE": "binance", "SPEED": "1"}, 1)],
)
def test_the_speed_nobody_asked_for(options, variables, speed):
    asked = options(**variables)

    preflight.check(asked)

    assert asked.speed == speed


def test_an_old_python():
    with pytest.raises(Refusal, match=r"3\.11 or newer is needed, this is 3\.10"):
        preflight.check_python((3, 10))


def test_market_start_is_utc(options):
    assert options(MARKET_START="2026-01-31T00:00").MARKET_START.isoformat() == "2026-01-31T00:00:00+00:00"


def test_paths_are_below_the_project(options):
    asked = options(VAR="elsewhere", REPLAY="candles")

    assert (asked.VAR, asked.REPLAY) == (ROOT / "elsewhere", ROOT / "candles")
    assert Path(asked.VAR).is_absolute()


def test_the_fleet_file_of_the_last_run_is_kept(options, tmp_path):
    fleet, other = tmp_path / "my.toml", tmp_path / "other.toml"
    fleet.touch()
    write_runtime_env(tmp_path, {"FLEET": str(fleet)})

    assert fleet_file(options(VAR=str(tmp_path))) == fleet
    assert fleet_file(options(VAR=str(tmp_path), FLEET=str(other))) == other
    fleet.unlink()
    assert fleet_file(options(VAR=str(tmp_path))) == ROOT / "fleet.toml"


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment["DJANGO_SETTINGS_MODULE"] = "tradingplatform.settings"
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_where_nothing_has_run_is_one_line(tmp_path):
    ended = manage("status", VAR=str(tmp_path / "var"))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"nothing has run in VAR={tmp_path / 'var'} yet: make run, or name the folder: make status VAR=v1\n"
    )


def test_a_command_with_a_bad_variable_is_one_line(tmp_path):
    ended = manage("status", VAR=str(tmp_path), SECRET_KEY="x", PORT="eighty")

    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("PORT='eighty': ")


def test_every_variable_is_in_the_example():
    example = (ROOT / ".env.example").read_text()

    assert [name for name in Options.model_fields if f"\n#{name}=" not in example] == []
