"""The live executor at the simulated exchange, over HTTP, in a market whose prices are known beforehand."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from execution.live import LiveTrader
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock, Now
from market.orders import OrderRequest, Side
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from tests.execution.contract import replay_market
from tests.execution.contract.replay_market import MINUTE_MS, ORIGIN_MS, PHASES, STEP_MINUTES
from tests.execution.contract.venue import CALM, HELD, WITH_BNB, order
from tests.simexchange.conftest import Running, Starter

SPEED = 60.0  # a minute of the market is a second
AHEAD_MINUTES = 1.2  # a symbol moves no sooner than that: the test has to place its order first
SOON_MINUTES = 0.03
ORDER_TIMEOUT_MS = 400
MOVING = (replay_market.falling, replay_market.rising)


class SimulatedExchange:
    """The process, which can be killed and started again: its ledger and its market time go on."""

    def __init__(self, directory: Path) -> None:
        self._starter = Starter(directory)
        self._replay = directory / "replay"
        self._replay.mkdir()
        replay_market.write(self._replay)
        self.clock = Clock(time.time_ns() // 1_000_000, ORIGIN_MS, SPEED)
        self.running = self._start()

    def _start(self) -> Running:
        moving = {symbol(phase).partition("/")[0]: 1000 for phase in range(PHASES) for symbol in MOVING}
        deposits = [f"--balance={asset}={amount}" for asset, amount in {**HELD, **moving}.items()]
        clock = ["--origin-wall-ms", str(self.clock.origin_wall_ms), "--origin-market-ms", str(ORIGIN_MS)]
        market = ["--replay", str(self._replay), "--speed", f"{SPEED:g}", "--fee-asset", "BNB"]
        return self._starter(*market, *clock, *deposits)

    def kill_and_start(self) -> None:
        self.running.process.kill()
        self.running.process.communicate(timeout=10)
        self.running = self._start()

    def stop(self) -> None:
        for process in self._starter.started:
            process.kill()
            process.communicate(timeout=10)


@contextmanager
def simulated_exchange(directory: Path) -> Iterator[SimulatedExchange]:
    exchange = SimulatedExchange(directory)
    try:
        yield exchange
    finally:
        exchange.stop()


class LiveVenue:
    """One test's use of the exchange, without the faults and halts of the one before."""

    has_network = True
    refuses_known_names = False

    def __init__(self, simulated: SimulatedExchange) -> None:
        self._simulated = simulated
        self._halted: list[str] = []
        self.restart()

    def close(self) -> None:
        self._simulated.running.raw("DELETE", "/sim/faults")
        for symbol in self._halted:
            self._tell(symbol, "TRADING")

    def now(self) -> Now:
        return self._simulated.clock.now()

    def falling(self) -> "Recorded":
        return self._leaving(replay_market.falling)

    def rising(self) -> "Recorded":
        return self._leaving(replay_market.rising)

    def halt(self, symbol: str) -> None:
        self._tell(symbol, "BREAK")
        self._halted.append(symbol)

    def resume(self, symbol: str) -> None:
        self._tell(symbol, "TRADING")

    def takes_fees_in(self, currency: str) -> OrderRequest:
        """Whoever buys is charged base, whoever sells quote, where BNB has no price."""
        side = Side.SELL if currency == "quote" else Side.BUY
        return order(side, symbol=WITH_BNB if currency == "BNB" else CALM)

    def fault(self, what: Any, where: str, **more: Any) -> None:
        self._simulated.running.fault(what, where, **more)

    def restart(self) -> None:
        exchange = CcxtExchange("binance", self._simulated.running.url, self._simulated.clock)
        desk = CcxtOrderDesk(exchange, DEMO_KEY, DEMO_SECRET, "demo", order_timeout_ms=ORDER_TIMEOUT_MS)
        exchange.instruments()
        self.executor = LiveTrader(desk, exchange.fetch_quote, pause_s=0.01)

    def restart_exchange(self) -> None:
        self._simulated.kill_and_start()
        self.restart()

    def orders_named(self, client_order_id: str) -> int:
        orders = self._simulated.running.request("GET", "/sim/ledger")[1]["orders"]
        return sum(one["clientOrderId"] == client_order_id for one in orders)

    def _tell(self, symbol: str, status: str) -> None:
        answer = self._simulated.running.raw("POST", "/sim/symbols", symbol=symbol.replace("/", ""), status=status)
        assert answer.status == 200, answer.content

    def _leaving(self, family: Any) -> "Recorded":
        minute = (self.now().market_ms - ORIGIN_MS) / MINUTE_MS
        leaves = math.ceil(minute + AHEAD_MINUTES)
        assert leaves < replay_market.MINUTES_AFTER - PHASES, "the recorded market has ended"
        return Recorded(self._simulated.clock, family(replay_market.leaving_at(leaves)), leaves)


@dataclass
class Recorded:
    """A symbol that moves at known minutes of market time."""

    clock: Clock
    symbol: str
    next_minute: int  # of its next step, counted from the origin

    def step(self) -> None:
        due_ms = self.clock.wall_ms(ORIGIN_MS + int((self.next_minute + SOON_MINUTES) * MINUTE_MS))
        left_s = (due_ms - self.clock.now().wall_ms) / 1000
        assert left_s > -STEP_MINUTES * MINUTE_MS / 1000 / SPEED, "the test was too slow for the market"
        time.sleep(max(left_s, 0))
        self.next_minute += STEP_MINUTES
