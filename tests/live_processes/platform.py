"""A platform that trades live on the simulated exchange, made of real processes each of which a test may kill."""

import hashlib
import hmac
import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import psutil
import redis

from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from soak.live_fleet import ACCOUNT, LiveFleet
from tests.fleets import write_fleet
from tests.rig import ROOT, Rig, until

SPEED = 5.0
ORDER = "/api/v3/order"
POST_ORDER = f"POST {ORDER}"
PROGRAMS = ("trading", "beat", "sweep", "guard", "reconcile")


class Hand:
    """The operator's process (see hand.py)."""

    def __init__(self, rig: Rig) -> None:
        self._log = (rig.var / "hand.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live_processes.hand"],
            cwd=ROOT,
            env=rig.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __call__(self, act: str, **arguments: Any) -> Any:
        """Do it, and return its result. Raises RuntimeError with what it raised."""
        self.begin(act, **arguments)
        return self.result()

    def begin(self, act: str, **arguments: Any) -> None:
        """Begin an act; others may begin theirs before its result is asked for."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([act, arguments]) + "\n")
        self._process.stdin.flush()

    def result(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the operator's process has ended")
        result = json.loads(line)
        if isinstance(result, dict) and "error" in result:
            raise RuntimeError(result["error"])
        return result

    def command(self, *argv: str) -> str:
        """A management command in that process."""
        return str(self("command", argv=list(argv)))

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            assert pipe is not None
            pipe.close()


class LivePlatform(LiveFleet):
    """Started with ``with``: everything that ``make run`` starts but the console, and an account found clean."""

    def __init__(self, speed: float = SPEED) -> None:
        super().__init__(speed, bots=0)
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.live_processes.settings",
            "LIVE_TRADING": "yes",
            "EXCHANGE_API_KEY": DEMO_KEY,
            "EXCHANGE_API_SECRET": DEMO_SECRET,
            "FLEET": str(self.var / "fleet.toml"),
        }

    def __enter__(self) -> "LivePlatform":
        Rig.__enter__(self)
        write_fleet(self.var / "fleet.toml", 1)
        self.hand = Hand(self)
        self.hand.command("connect_account", ACCOUNT, "--capital", "100000", "--confirm", ACCOUNT)
        self.hand.command("first_start")
        self.hand.command("stop_bot", "bot-0")
        self._numbers = count(1)
        commands = self._all_commands()
        self._commands = {name: commands[name] for name in PROGRAMS}
        self.programs: dict[str, psutil.Popen] = {}
        self.start_programs()
        self.until_clean()
        return self

    def __exit__(self, *exception: object) -> None:
        self.hand.end()
        super().__exit__(*exception)

    def start_programs(self) -> None:
        """Start all of them; returns when a new bot, which may not enter, has ticked: beat, broker and worker work."""
        self.programs = {name: self.spawn(*command) for name, command in self._commands.items()}
        canary = f"canary-{next(self._numbers)}"
        self.hand("watch", name=canary)
        until(lambda: self.query(f"SELECT ticks FROM bots_bot WHERE name = '{canary}'") == [(1,)], "the first tick")
        self.hand.command("stop_bot", canary)

    def put_back(self, backup: Path) -> None:
        """Replace the database, while none of our programs runs."""
        self.hand.end()
        database = self.var / "platform.sqlite3"
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        shutil.copy(backup, database)
        self.hand = Hand(self)

    def start_program(self, name: str) -> None:
        """Start one that has ended."""
        self.programs[name] = self.spawn(*self._commands[name])

    def kill_programs(self) -> None:
        """Kill -9, all of them, the operator's process too; it is there anew."""
        for program in self.programs.values():
            for process in [*program.children(recursive=True), program]:
                process.kill()
            program.wait()
        self.hand.end()
        self.hand = Hand(self)

    def restart(self) -> None:
        """Start all programs as ``make run`` would: nothing is clean yet."""
        prepare = "from tradingplatform.launcher.prepare import prepare_database; prepare_database()"
        subprocess.run([sys.executable, "-c", prepare], cwd=ROOT, env=self.environment, check=True, capture_output=True)
        self.start_programs()

    def restart_exchange(self, *more: object) -> None:
        """Kill -9, and start it anew with the ledger it had."""
        self.exchange.kill()
        self.exchange.wait()
        self.start_exchange(*more)

    def let_pass(self, minutes: int) -> None:
        """So much market time passes at once, while none of our programs runs."""
        clock = json.loads((self.var / "clock.json").read_text())
        wall_ms = time.time_ns() // 1_000_000
        market_ms = clock["origin_market_ms"] + round((wall_ms - clock["origin_wall_ms"]) * self.speed)
        clock |= {"origin_wall_ms": wall_ms, "origin_market_ms": market_ms + minutes * 60_000}
        (self.var / "clock.json").write_text(json.dumps(clock))
        self._origin = ["--origin-wall-ms", wall_ms, "--origin-market-ms", clock["origin_market_ms"]]
        self.restart_exchange()

    def restart_redis(self) -> None:
        self.redis.kill()
        self.redis.wait()
        self.start_redis()

    def flush_redis(self) -> None:
        with closing(redis.Redis(unix_socket_path=f"{self.var}/redis.sock")) as client:
            client.flushall()

    def until_clean(self) -> None:
        """Wait until the books were found to agree."""
        clean = "SELECT 1 FROM execution_reconciliation WHERE clean_at > '' AND problem = ''"
        until(lambda: bool(self.query(clean)), "the account to be found clean", 90)

    @staticmethod
    def let_go_by(seconds: float) -> None:
        """Wall time in which something must not happen, or not often."""
        time.sleep(seconds)

    def until_compared(self) -> None:
        """Wait until the books are compared anew."""
        compared = "SELECT ran_at FROM execution_reconciliation"
        before = self.query(compared)
        until(lambda: self.query(compared) != before, "the books to be compared", 90)

    # --- bots

    def make(self, name: str, how_many: int = 1, symbols: tuple[str, ...] = ("BTC/USDT",), stop_percent: float = 10.0):
        """Bots that have not started yet, by name."""
        names = [f"{name}-{number}" for number in range(how_many)]
        self.hand("make", names=names, symbols=list(symbols), stop_percent=stop_percent)
        return names

    def enter(self, name: str, symbol: str = "BTC/USDT", stop_percent: float = 10.0) -> str:
        """A new bot that wants to enter now; its name. It enters once only: it is paused as soon as its order left."""
        (bot,) = self.make(name, 1, (symbol,), stop_percent)
        self.hand("start", names=[bot])
        try:
            until(lambda: self.orders(bot, "ENTRY") not in ([], ["PREPARED"]), f"{bot}'s order")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it decided {self.decisions(bot)}") from None
        self.hand("pause", names=[bot])
        return bot

    def decisions(self, bot: str) -> list[tuple[str, str]]:
        """Outcomes and reasons of its decisions, the oldest first."""
        decided = f"SELECT outcome, reason FROM risk_decision WHERE bot_id = {self.bot_id(bot)} ORDER BY id"
        return [(outcome, reason) for outcome, reason in self.query(decided)]

    def hold(self, name: str, symbol: str = "BTC/USDT", stop_percent: float = 10.0) -> str:
        """A new bot that holds a position which a stop rests for; its name."""
        bot = self.enter(name, symbol, stop_percent)
        self.until_protected(bot)
        return bot

    def until_protected(self, bot: str, seconds: float = 60) -> None:
        held = lambda: self.position(bot) == "OPEN" and "ACKED" in self.orders(bot, "STOP")  # noqa: E731
        until(held, f"{bot} to hold a position with its stop", seconds)

    def until_closed(self, bot: str, seconds: float = 60) -> None:
        until(lambda: self.position(bot) == "CLOSED", f"{bot}'s position to be closed", seconds)

    def position(self, bot: str) -> str:
        """The status of its latest position."""
        rows = self.query(
            "SELECT p.status FROM execution_position p JOIN bots_bot b ON b.id = p.bot_id"
            f" WHERE b.name = '{bot}' ORDER BY p.id DESC LIMIT 1"
        )
        return str(rows[0][0]) if rows else ""

    def orders(self, bot: str, purpose: str) -> list[str]:
        """The statuses of its orders of a purpose, the oldest first."""
        rows = self.query(
            "SELECT o.status FROM execution_order o JOIN bots_bot b ON b.id = o.bot_id"
            f" WHERE b.name = '{bot}' AND o.purpose = '{purpose}' ORDER BY o.id"
        )
        return [row[0] for row in rows]

    def bot_id(self, bot: str) -> int:
        return int(self.query(f"SELECT id FROM bots_bot WHERE name = '{bot}'")[0][0])

    # --- the exchange

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.tell_exchange("/sim/ledger", method="GET")
        return ledger

    def at_exchange(self, bot: str, kind: str = "") -> list[dict[str, Any]]:
        """The bot's orders by the exchange's ledger; ``kind``: e for entries, s for stops, x for exits."""
        number = str(self.bot_id(bot))
        named = [(row["clientOrderId"].split("-"), row) for row in self.ledger()["orders"]]
        ours = [(name, row) for name, row in named if len(name) == 4]  # a person's own orders have other names
        return [row for name, row in ours if name[1] == number and name[3].startswith(kind)]

    def fault(self, what: object, where: str = POST_ORDER, **more: object) -> int:
        """Script a fault; its id."""
        return int(self.tell_exchange("/sim/faults", {"what": what, "where": where, **more})["ids"][0])

    def last(self, symbol: str) -> Decimal:
        """The last price at the exchange, by its own name of the symbol."""
        with urlopen(f"{self.sim_url}/api/v3/ticker/price?symbol={symbol}", timeout=10) as answer:
            return Decimal(json.load(answer)["price"])

    def set_rules(self, symbol: str, **rules: str) -> None:
        """What holds for a symbol from now on (see /sim/symbols)."""
        self.tell_exchange(f"/sim/symbols?{urlencode({'symbol': symbol, **rules})}")

    def until_struck(self, fault: int) -> None:
        def struck() -> bool:
            told = self.tell_exchange("/sim/faults", method="GET")
            return any(row["id"] == fault and row["struck"] for row in [*told["active"], *told["past"]])

        until(struck, "the fault to strike")

    def no_faults(self) -> None:
        self.tell_exchange("/sim/faults", method="DELETE")

    def by_hand(self, method: str, path: str, **params: object) -> Any:
        """A signed request to the exchange, past the platform."""
        query = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.new(DEMO_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self.sim_url}{path}?{query}&signature={signature}"
        with urlopen(Request(url, headers={"X-MBX-APIKEY": DEMO_KEY}, method=method), timeout=10) as answer:
            return json.load(answer)

    # --- what was told, and how it ends

    def told(self, kind: str) -> list[str]:
        """Texts of the events of a kind, the oldest first."""
        return [row[0] for row in self.query(f"SELECT text FROM notifications_event WHERE kind = '{kind}' ORDER BY id")]

    def worker_of(self, bot: str) -> psutil.Process:
        """The worker's child that ticks the bot now."""
        token = self.query(f"SELECT lease_token FROM bots_bot WHERE name = '{bot}'")[0][0]
        return psutil.Process(int(token.split(".")[1]))

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Another process holds the write lock of the database for as long as the block lasts."""
        with closing(sqlite3.connect(self.var / "platform.sqlite3", isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
            other.execute("ROLLBACK")

    def under_way(self) -> list[tuple[Any, ...]]:
        """What is neither settled nor at rest."""
        return self.query(
            "SELECT 'position', id, status FROM execution_position WHERE status IN ('OPENING', 'CLOSING')"
            " UNION ALL SELECT purpose, client_order_id, status FROM execution_order"
            " WHERE status IN ('PREPARED', 'SENT', 'UNKNOWN')"
        )

    def comes_to_rest(self, seconds: float = 60) -> None:
        """Nothing is under way, every row of ours agrees with the exchange's ledger, and our books with our fills.

        Raises AssertionError with what disagrees, TimeoutError."""
        until(lambda: not self.under_way(), "everything to come to rest", seconds)
        found: list[str] = []

        def agrees() -> bool:
            found[:] = self.hand("disagreements", ledger=self.ledger(), speed=self.speed)
            return not found

        try:
            until(agrees, "the books to agree", 15)
        except TimeoutError:
            assert found == []
