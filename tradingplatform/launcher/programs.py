"""Every process of the platform: what it does, how it is started, what it waits for, how long it may take to stop."""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from market.clock import Clock
from tradingplatform.environment import ROOT
from tradingplatform.launcher.broker import Broker, server_arguments
from tradingplatform.launcher.identity import Identity
from tradingplatform.launcher.options import Options

# Stopped from the last to the first, one group after the other: who asks for work, who does it, what they stand on.
# An idle Celery worker takes 3.5 s to leave (sleeps in its pool), and the whole must be gone in 10.
GROUPS = ("base", "market", "work", "front")


@dataclass(frozen=True, slots=True)
class Program:
    """``after`` are addresses (``redis:PATH``, ``http:PORT``) that must answer before it starts.

    ``sign`` is how it is seen to be at work: an address that answers, ``worker`` for one that answers Celery's ping,
    empty for a process without an ear, which counts when it has lived for a moment.
    """

    name: str
    does: str
    arguments: list[str]
    group: str
    stop_s: int
    after: list[str] = field(default_factory=list)
    sign: str = ""
    folder: str = str(ROOT)
    on_terminal: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What this run consists of."""

    options: Options
    identity: Identity
    broker: Broker
    clock: Clock
    exchange_port: int


def programs(plan: Plan) -> list[Program]:
    """In the order in which they are told about."""
    redis = [f"redis:{plan.broker.socket}"] if plan.broker.socket else []
    exchange = [f"http:{plan.exchange_port}"] if plan.options.simulated else []
    both = redis + exchange
    port = str(plan.options.PORT)
    everything = [
        _worker("trading", "ticks of the bots, exits and stops", both, children=2),
        _worker("housekeeping", "snapshots, marks, the dead man's switch", both),
        Program("beat", "rings for each bot when its candle closes", _celery("beat", "--pidfile="), "front", 2, both),
        Program("guard", "marks what is held, tells of stale data and trouble", _manage("guard"), "work", 6, both),
        Program("reconciler", "settles orders, keeps stops in place", _manage("reconcile"), "work", 8, both),
        Program("sweeper", "rings again where a ring was lost", _manage("sweep"), "front", 2, both),
        Program("web", f"the console on http://127.0.0.1:{port}/", _uvicorn(port), "work", 4, redis, f"http:{port}"),
        Program("narrator", "these lines", _module("tradingplatform.launcher.narrator"), "front", 2, on_terminal=True),
    ]
    if plan.options.simulated:
        everything.insert(0, exchange_program(plan))
    if plan.broker.server:
        everything.insert(0, _redis(plan.broker, plan.options.VAR))
    if plan.options.WEBHOOKS:
        everything.append(Program("webhooks", "events to your webhooks", _manage("webhooks"), "front", 4))
    if plan.options.TELEGRAM_TOKEN:
        everything.append(Program("telegram", "alerts and commands by Telegram", _manage("telegram"), "front", 4))
    return everything


def exchange_program(plan: Plan, origin: bool = True) -> Program:
    """The simulated exchange; without ``origin`` it chooses where the market begins (a replay knows its data)."""
    market = ["--replay", plan.identity.replay] if plan.identity.replay else ["--seed", str(plan.identity.seed)]
    clock = ["--origin-wall-ms", str(plan.clock.origin_wall_ms), "--origin-market-ms", str(plan.clock.origin_market_ms)]
    arguments = _module("simexchange", "--port", str(plan.exchange_port), "--speed", f"{plan.clock.speed:g}", *market)
    arguments += ["--data", str(plan.options.VAR / "simexchange"), *(clock if origin else [])]
    return Program(
        "exchange",
        f"the simulated exchange on 127.0.0.1:{plan.exchange_port}",
        arguments,
        "market",
        2,
        [],
        f"http:{plan.exchange_port}",
    )


def write_programs(var: Path, chosen: list[Program]) -> None:
    """For ``child``, which becomes them, and for the narrator, which tells about them."""
    (var / "run" / "programs.json").write_text(json.dumps({program.name: asdict(program) for program in chosen}))


def read_programs(var: Path) -> list[Program]:
    return [Program(**stored) for stored in json.loads((var / "run" / "programs.json").read_text()).values()]


def _redis(broker: Broker, var: Path) -> Program:
    arguments = server_arguments(broker)
    return Program("redis", "queues and caches", arguments, "base", 3, [], f"redis:{broker.socket}", str(var))


def _worker(queue: str, does: str, after: list[str], children: int = 1) -> Program:
    """One queue, one worker: housekeeping must never keep an exit waiting."""
    arguments = _celery(
        "worker", "-Q", queue, "-n", f"{queue}@%h", "--pool", "prefork", "-c", str(children),
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    )  # fmt: skip
    return Program(queue, does, arguments, "work", 6, after, "worker")


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _celery(*arguments: str) -> list[str]:
    return _module("celery", "--quiet", "-A", "tradingplatform", *arguments)


def _manage(command: str) -> list[str]:
    return [sys.executable, "manage.py", command]


def _uvicorn(port: str) -> list[str]:
    # The grace is short because an open event stream would keep the server alive for ever.
    return _module(
        "uvicorn", "tradingplatform.asgi:application", "--host", "127.0.0.1", "--port", port, "--lifespan", "on",
        "--timeout-graceful-shutdown", "3", "--no-access-log", "--no-server-header", "--log-level", "warning",
    )  # fmt: skip
