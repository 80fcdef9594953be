"""Which Redis is used, and how ours is started."""

import stat
from pathlib import Path

import pytest

from tradingplatform.launcher import broker
from tradingplatform.launcher.refusal import Refusal


@pytest.fixture
def servers(monkeypatch):
    """What is installed and what is packaged, with the versions they tell."""

    def set_up(installed=None, packaged=None, versions=None):
        monkeypatch.setattr(broker.shutil, "which", lambda _name: installed)
        monkeypatch.setattr(broker, "_packaged", lambda: packaged)
        monkeypatch.setattr(broker, "server_version", (versions or {}).get)

    return set_up


@pytest.mark.parametrize(
    ("installed", "version", "chosen"),
    [
        ("/usr/bin/redis-server", (7, 0, 15), "/usr/bin/redis-server"),
        ("/usr/bin/redis-server", (6, 2, 0), "/usr/bin/redis-server"),
        ("/usr/bin/redis-server", (6, 0, 16), "/wheel/redis-server"),  # too old
        ("/usr/bin/redis-server", None, "/wheel/redis-server"),  # does not run
        (None, None, "/wheel/redis-server"),
    ],
)
def test_an_installed_one_goes_first_when_it_is_new_enough(tmp_path, servers, installed, version, chosen):
    servers(installed, "/wheel/redis-server", {"/usr/bin/redis-server": version, "/wheel/redis-server": (6, 2, 14)})

    ours = broker.choose_broker("", tmp_path)

    assert ours.server == Path(chosen)
    assert ours.url == f"unix://{tmp_path}/run/redis.sock"


def test_none_at_all_is_told(tmp_path, servers):
    servers()

    with pytest.raises(Refusal, match=r"no Redis 6\.2 or newer"):
        broker.choose_broker("", tmp_path)


def test_a_url_that_does_not_answer_is_told_without_its_password(tmp_path):
    with pytest.raises(Refusal, match="REDIS_URL does not answer") as refused:
        broker.choose_broker("redis://:hunter2@127.0.0.1:1/0", tmp_path)

    assert "hunter2" not in str(refused.value)


def test_the_packaged_one_runs_here():
    assert broker.server_version(broker._packaged()) >= (6, 2, 0)


@pytest.mark.parametrize("name", ["x" * 100, "with space", "50%"])
def test_a_path_that_no_socket_can_have(tmp_path, name):
    path = broker.socket_path(tmp_path / name)

    assert len(str(path).encode()) <= broker.LONGEST_SOCKET_PATH
    assert not path.is_relative_to(tmp_path / name)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    broker.remove_short_folder(f"unix://{path}", tmp_path / name)
    assert not path.parent.exists()


def test_a_socket_of_somebody_else_stays(tmp_path):
    broker.remove_short_folder(f"unix://{tmp_path}/redis.sock", tmp_path / "var")

    assert tmp_path.exists()


def test_ours_cannot_be_reached_over_the_network(tmp_path):
    arguments = broker.server_arguments(broker.Broker("", "", Path("/r"), tmp_path / "s"))
    settings = dict(zip(arguments[1::2], arguments[2::2], strict=True))

    assert settings["--port"] == "0"
    assert settings["--maxmemory-policy"] == "noeviction"
    assert settings["--appendonly"] == "yes"
