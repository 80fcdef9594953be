"""What must be so before anything is started. Each check raises Refusal with one line."""

import difflib
import importlib.util
import socket
import sys
from pathlib import Path

import psutil

from notifications.webhooks.config import BadWebhooks, read_hooks
from tradingplatform.environment import ROOT
from tradingplatform.launcher.folder import OURS
from tradingplatform.launcher.options import Options
from tradingplatform.launcher.refusal import Refusal


def check(options: Options) -> None:
    """All that can be said before VAR is touched. Raises Refusal."""
    check_python(sys.version_info[:2])
    check_speed(options)
    check_market(options)
    check_exchange(options)
    check_fleet(options)
    check_webhooks(options)


def check_python(version: tuple[int, int]) -> None:
    if version < (3, 11):
        raise Refusal(f"Python 3.11 or newer is needed, this is {version[0]}.{version[1]}: make clean run PYTHON3=...")


def check_speed(options: Options) -> None:
    if not options.simulated and options.speed != 1:
        raise Refusal(f"SPEED={options.speed:g}: a real exchange runs at speed 1; leave SPEED out")


def check_market(options: Options) -> None:
    """REPLAY, SEED and MARKET_START shape a simulated market and nothing else."""
    for name in ("REPLAY", "SEED", "MARKET_START"):
        if options.asked_for(name) and not options.simulated:
            raise Refusal(f"{name} is for the simulated exchange, not for {options.EXCHANGE}; leave it out")
    if options.REPLAY and options.SEED is not None:
        raise Refusal("SEED invents a market and REPLAY repeats one; leave one of them out")
    if options.REPLAY and not any(options.REPLAY.glob("*_*-*.csv.gz")):
        raise Refusal(f"REPLAY={options.REPLAY}: no candles there (files named like BTC_USDT-4h.csv.gz)")


def check_exchange(options: Options) -> None:
    """Is there such an exchange? Looked up as a file, because importing ccxt to ask it takes seconds."""
    found = importlib.util.find_spec("ccxt")
    if options.simulated or found is None or not found.submodule_search_locations:
        return
    known = {path.stem for folder in found.submodule_search_locations for path in Path(folder).glob("[a-z0-9]*.py")}
    if options.EXCHANGE not in known:
        near = ", ".join(difflib.get_close_matches(options.EXCHANGE, ["simulated", *known], n=3))
        raise Refusal(
            f"EXCHANGE={options.EXCHANGE} is not known{f' (near: {near})' if near else ''}: "
            "leave it out for the simulated one, or give an id from https://github.com/ccxt/ccxt"
        )


def check_fleet(options: Options) -> None:
    if options.asked_for("FLEET") and not options.FLEET.is_file():
        raise Refusal(f"FLEET={options.FLEET} is not a file; leave it out for the fleet that comes with the platform")


def check_webhooks(options: Options) -> None:
    try:
        read_hooks(options.WEBHOOKS, ROOT)
    except BadWebhooks as error:
        raise Refusal(f"{error}\nLeave WEBHOOKS out to send nothing; docs/webhooks.md has examples") from None


def check_port(port: int) -> None:
    """Free, or told whose it is. In a VAR that ran before it is asked after the lock and once leftovers are gone: our
    own web server is "already running", not a stranger."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise Refusal(f"PORT={port} is reserved for the administrator: make run PORT=8001") from None
        except OSError:
            other = 8001 if port == 8000 else port + 1
            raise Refusal(f"PORT={port} is in use{_holder(port)}: stop it, or make run PORT={other}") from None


def free_port() -> int:
    """A port on 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _holder(port: int) -> str:
    """Who listens there, when the system lets us know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f" by {_called(psutil.Process(connection.pid))} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return ""


def _called(process: psutil.Process) -> str:
    """A program's name; of a platform's process its VAR, which is what one stops it by."""
    try:
        var = process.environ().get(OURS)
    except (psutil.Error, OSError):
        var = None
    return f"the platform on VAR={var}" if var else str(process.name())
