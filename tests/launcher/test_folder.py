"""VAR: private, owned by one run at a time, of one market."""

import stat

import pytest

from tradingplatform.launcher import folder
from tradingplatform.launcher.identity import Identity, keep_identity, same_market
from tradingplatform.launcher.options import Options
from tradingplatform.launcher.refusal import Refusal
from tradingplatform.launcher.runtime_env import write_runtime_env


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def var(tmp_path):
    folder.make_folder(tmp_path / "var")
    return tmp_path / "var"


def options(monkeypatch, **variables):
    for name in Options.model_fields:
        monkeypatch.delenv(name, raising=False)
    return Options(_env_file=None, **variables)


def test_the_secret_key_is_made_once_and_private(var):
    folder.keep_secret_key(var)
    first = (var / "secret_key").read_text()
    folder.keep_secret_key(var)

    assert mode(var / "secret_key") == 0o600
    assert len(first) >= 64
    assert (var / "secret_key").read_text() == first


def test_a_secret_key_that_others_can_read_is_closed(var):
    (var / "secret_key").write_text("k" * 64)
    (var / "secret_key").chmod(0o644)

    folder.keep_secret_key(var)

    assert mode(var / "secret_key") == 0o600


def test_the_folder_of_the_socket_is_private(var):
    assert mode(var / "run") == 0o700


def test_a_second_run_is_told_where_the_first_is(var):
    lock = folder.take_lock(var)
    folder.sign_lock(lock, 8000)

    assert folder.is_running(var)
    with pytest.raises(Refusal, match=r"already running on VAR=.*http://127\.0\.0\.1:8000/.*VAR=var2 PORT=8001"):
        folder.take_lock(var)


def test_nobody_runs_on_a_folder_that_was_left(var):
    import os

    assert not folder.is_running(var)
    os.close(folder.take_lock(var))
    assert not folder.is_running(var)


def test_runtime_env_is_private_and_reads_back(var):
    from dotenv import dotenv_values

    values = {"REDIS_URL": "redis://:p'a\\ss#w@h:1/0", "SIM_URL": "", "PORT": "8000"}
    write_runtime_env(var, values)

    assert mode(var / "runtime.env") == 0o600
    assert dotenv_values(var / "runtime.env") == {"REDIS_URL": "redis://:p'a\\ss#w@h:1/0", "PORT": "8000"}


def test_a_folder_belongs_to_the_market_it_began_with(var, monkeypatch):
    keep_identity(var, same_market(var, options(monkeypatch, SEED=7)))

    assert same_market(var, options(monkeypatch)) == Identity("simulated", None, 7)
    for other in ({"EXCHANGE": "binance"}, {"SEED": 8}, {"REPLAY": "candles"}):
        with pytest.raises(Refusal, match=r"belongs to .*give it a folder of its own: make run VAR=var-"):
            same_market(var, options(monkeypatch, **other))


def test_a_replay_goes_on_without_being_named_again(var, monkeypatch, tmp_path):
    keep_identity(var, same_market(var, options(monkeypatch, REPLAY=str(tmp_path))))

    assert same_market(var, options(monkeypatch)).replay == str(tmp_path)


def test_a_damaged_identity_is_told(var, monkeypatch):
    (var / "platform.json").write_text("{")

    with pytest.raises(Refusal, match="cannot be read"):
        same_market(var, options(monkeypatch))
