"""The running exchange: its settings, its market, its one account and the counters, passed to every endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from simexchange.clock import MarketClock
from simexchange.faults import late
from simexchange.faults.late import Placed
from simexchange.faults.register import NOTHING, Faults, Met
from simexchange.market.market import Market
from simexchange.orders.account import Account
from simexchange.orders.ledger import Ledger
from simexchange.orders.progress import Progress
from simexchange.requests.limits import Client, Limits, OrderCount
from simexchange.requests.params import Params
from simexchange.requests.stats import Stats


@dataclass(frozen=True)
class KeyPair:
    """The account's API key and what it may do."""

    key: str
    secret: str
    may_withdraw: bool = False
    ip_restricted: bool = False


@dataclass
class Exchange:
    """``maker_fee_rate`` None means the taker's ``fee_rate``; ``fee_asset`` is what fees are paid in where possible."""

    clock: MarketClock
    market: Market
    ledger: Ledger
    account: Account
    limits: Limits
    key: KeyPair
    fee_rate: Decimal
    stats: Stats
    faults: Faults = field(default_factory=Faults)
    placed: Placed = field(default_factory=Placed)
    endpoints: tuple[tuple[str, str], ...] = ()  # method and path of all that faults can strike
    clients: dict[str, Client] = field(default_factory=dict)
    order_count: OrderCount = field(default_factory=OrderCount)
    maker_fee_rate: Decimal | None = None
    fee_asset: str | None = None
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.limits_at_start = self.limits

    @property
    def fee_rates(self) -> tuple[Decimal, Decimal]:
        """Of one who takes, and of one whose order rested."""
        return self.fee_rate, self.fee_rate if self.maker_fee_rate is None else self.maker_fee_rate

    def client(self, address: str) -> Client:
        return self.clients.setdefault(address, Client())


@dataclass(frozen=True)
class Call:
    """One request: its parameters, both clocks, read once when it came in, and the faults it met."""

    params: Params
    wall_ms: int
    market_ms: int
    body: str = ""
    met: Met = NOTHING

    @property
    def server_ms(self) -> int:
        """What the exchange says its wall time is."""
        return self.wall_ms + late.skew_ms(self.met, self.wall_ms)


@dataclass(frozen=True)
class Endpoint:
    """A line of the API: what it costs and who answers. ``weight`` may depend on the parameters.

    Every answer of one that ``places_orders`` tells how many orders count against the limits.
    """

    method: str
    path: str
    weight: Callable[[Params], int]
    answer: Callable[[Exchange, Call], object]
    signed: bool = False
    places_orders: bool = False
