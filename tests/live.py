"""The simulated exchange in its own process with an account, and the platform's order desk at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from execution.live import LiveTrader
from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock, Now
from market.orders import OrderRequest, OrderType, Side
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from tests.simexchange.conftest import Running, Starter

SYMBOL = "BTC/USDT"
ORDER_TIMEOUT_MS = 400
POST_ORDER = "POST /api/v3/order"
_numbers = count(1)


@dataclass
class Venue:
    """A market that hardly moves for as long as tests take: a hundredth of wall time."""

    running: Running
    access: Access = field(default_factory=Access)
    exchange: CcxtExchange = field(init=False)
    desk: CcxtOrderDesk = field(init=False)
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        told = self.running.request("GET", "/sim/clock")[1]
        self.clock = Clock(told["origin_wall_ms"], told["origin_market_ms"], told["speed"])
        self.exchange = CcxtExchange("binance", self.running.url, self.clock, self.access)
        self.exchange.instruments()
        self.desk = self.desk_of(DEMO_KEY, DEMO_SECRET)

    def fresh(self) -> "Venue":
        """The same exchange without faults, seen by a process that has not been told to stay away."""
        self.running.raw("DELETE", "/sim/faults")
        self.running.raw("DELETE", "/sim/limits")
        return Venue(self.running)

    def desk_of(self, key: str, secret: str) -> CcxtOrderDesk:
        return CcxtOrderDesk(self.exchange, key, secret, "demo", order_timeout_ms=ORDER_TIMEOUT_MS)

    def trader(self, may_arrive_for_ms: int = 0) -> LiveTrader:
        return LiveTrader(self.desk, self.exchange.fetch_quote, may_arrive_for_ms, pause_s=0.01)

    def now(self) -> Now:
        return self.clock.now()

    def last(self, symbol: str = SYMBOL) -> Any:
        return self.exchange.fetch_quote(symbol).last

    def near(self, factor: str, symbol: str = SYMBOL) -> Any:
        """A price so far from the last one, on the tick."""
        return self.exchange.instruments()[symbol].round_price(self.last(symbol) * type(self.last())(factor))

    def at_exchange(self, client_order_id: str) -> list[dict[str, Any]]:
        """Every order of that name in the exchange's own ledger."""
        orders = self.running.request("GET", "/sim/ledger")[1]["orders"]
        return [order for order in orders if order["clientOrderId"] == client_order_id]

    def fault(self, what: Any, where: Any = POST_ORDER, **more: Any) -> int:
        return self.running.fault(what, where, **more)


def name() -> str:
    """A client order id that nobody had before."""
    return f"t-{next(_numbers)}"


def order(side: Side, amount: Any, kind: OrderType = OrderType.MARKET, **prices: Any) -> OrderRequest:
    """A request under a new name."""
    return OrderRequest(name(), prices.pop("symbol", SYMBOL), side, kind, amount, **prices)


@contextmanager
def venue_with(directory: Path, *arguments: str) -> Iterator[Venue]:
    """A venue in a folder of its own, for as long as the block lasts."""
    starter = Starter(directory)
    try:
        deposits = ("--balance", "USDT=100000000", "--balance", "BTC=1000", "--balance", "BNB=100")
        yield Venue(starter("--seed", "3", "--speed", "0.01", *deposits, *arguments))
    finally:
        for process in starter.started:
            process.kill()
            process.communicate(timeout=10)
