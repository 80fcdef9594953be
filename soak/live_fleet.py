"""A whole fleet that trades live on the simulated exchange; each of its programs may be killed and started again."""

import sys
import time
from collections.abc import Sequence
from typing import Self

from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from soak.fleet import WORKER, Fleet
from tests.fleets import write_fleet
from tests.rig import Rig, free_port, until

ACCOUNT = "live"
SERVICES = ("sweep", "guard", "reconcile")


def go_live(rig: Rig, bots: int) -> None:
    """A live account, and so many bots that enter and leave often on it."""
    rig.environment |= {
        "LIVE_TRADING": "yes",
        "EXCHANGE_API_KEY": DEMO_KEY,
        "EXCHANGE_API_SECRET": DEMO_SECRET,
        "FLEET": str(rig.var / "fleet.toml"),
    }
    write_fleet(rig.var / "fleet.toml", bots, account=ACCOUNT, eager=True)
    rig.manage("connect_account", ACCOUNT, "--capital", "100000", "--confirm", ACCOUNT)
    rig.manage("first_start")
    rig.manage("go_live", "--all", "--account", ACCOUNT, "--confirm", ACCOUNT, "--reason", "a long run")


class LiveFleet(Fleet):
    """45 bots that enter and leave often, a worker for each of ``workers``, and everything else that ``make run``
    starts. ``database_url`` empty: SQLite."""

    def __init__(
        self, speed: float, bots: int = 45, workers: Sequence[str] = ("trading",), database_url: str = ""
    ) -> None:
        super().__init__(speed, bots)
        self.workers = tuple(workers)
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    def __enter__(self) -> Self:
        Rig.__enter__(self)
        go_live(self, self.bots)
        self.before_the_first_tick()
        self._commands = self._all_commands()
        self.programs = {name: self.spawn(*command) for name, command in self._commands.items()}
        until(lambda: self.ticks() >= self.bots, "every bot's first tick", 180)
        return self

    def before_the_first_tick(self) -> None:
        """Nothing has happened yet, and nothing runs but Redis and the exchange."""

    def start_service(self, name: str) -> None:
        """One of our own commands that stays."""
        self.spawn(sys.executable, "manage.py", name)

    @property
    def victims(self) -> list[str]:
        """What may be killed."""
        return [*self.workers, "trading child", "redis", "web", "exchange", *SERVICES, "beat"]

    def kill(self, name: str) -> None:
        """Kill -9, and start it again as a supervisor would."""
        if name == "exchange":
            self.exchange.kill()
            self.exchange.wait()
            self.start_exchange()
            return
        if name == "redis":
            self.redis.kill()
            self.redis.wait()
            self.start_redis()
            return
        program = self.programs[name.partition(" ")[0]]
        children = program.children(recursive=True)
        if name == "trading child":
            if children:
                children[0].kill()  # the pool replaces it
            return
        for process in [program, *children]:
            process.kill()
        program.wait()
        self.programs[name] = self.spawn(*self._commands[name])

    def stop_ticking(self) -> None:
        """No new ticks, and what is under way has ended."""
        for name in ("beat", "sweep"):
            self.programs[name].terminate()
        self.programs["beat"].wait(30)
        self.programs["sweep"].wait(30)
        time.sleep(5)
        for name in self.workers:
            self.programs[name].terminate()
        for name in self.workers:
            self.programs[name].wait(100)

    def _all_commands(self) -> dict[str, Sequence[object]]:
        celery = (sys.executable, "-m", "celery", "-A", "tradingplatform")
        commands: dict[str, Sequence[object]] = {name: (sys.executable, "manage.py", name) for name in SERVICES}
        web = ("uvicorn", "tradingplatform.asgi:application", "--port", str(free_port()), "--lifespan", "off")
        commands["web"] = (sys.executable, "-m", *web)
        for name in self.workers:
            commands[name] = (*celery, *WORKER, "--hostname", f"{name}@%h")
        commands["beat"] = (*celery, "beat", "--pidfile=")
        return commands
