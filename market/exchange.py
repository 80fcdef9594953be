"""What the platform asks of any exchange, and the ways in which asking can fail."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from market.candles import Candles
from market.instruments import Instrument
from market.money import exact
from market.orders import Fill, OrderRequest, VenueOrder, VenueTrade


class ExchangeError(Exception):
    """Something between us and the exchange went wrong. Always one of those below."""


class Transient(ExchangeError):
    """Nothing happened, and the same call may succeed later (network, overload, maintenance).

    ``retry_after_s`` is in wall seconds: above 0 the exchange itself said how long to stay away, and asking earlier
    makes it worse (Binance bans the address). ``banned``: it had enough of us already.
    """

    def __init__(self, message: str, retry_after_s: float = 0.0, *, banned: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.banned = banned


class Withheld(Transient):
    """Not even asked: the budget is used up, or the exchange told us to stay away, or it has stopped answering.

    ``again_in_s``: wall seconds until asking makes sense again.
    """

    def __init__(self, message: str, again_in_s: float) -> None:
        super().__init__(message)
        self.again_in_s = again_in_s


class Rejected(ExchangeError):
    """The exchange understood and said no: the same call will fail again. ``code`` is the exchange's own."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class OutcomeUnknown(ExchangeError):
    """An order may or may not have been accepted. Ask; never resend."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices of one symbol at one moment of market time (UTC milliseconds).

    ``bid <= last <= ask`` is not promised.
    """

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    at_ms: int


class MarketData(Protocol):
    """Public data of one exchange. Every method raises ``Transient`` or ``Rejected``, nothing else."""

    id: str

    def instruments(self) -> dict[str, Instrument]:
        """All spot symbols by unified name (``BTC/USDT``), as known: what changes is seen within the hour."""

    def look_again(self) -> None:
        """Somebody waits for a symbol to trade again: it should be seen within a minute."""

    def fetch_candles(self, symbol: str, timeframe: str, since_ms: int | None, limit: int) -> Candles:
        """Up to ``limit`` candles from ``since_ms`` on (None: the newest), oldest first; the last may still be open."""

    def fetch_quote(self, symbol: str) -> Quote:
        """The best prices now."""

    def fetch_prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """The last price of every one of the symbols that has one, in quote, from one request."""

    def fetch_time(self) -> int | None:
        """The exchange's clock, UTC milliseconds of wall time; None when it does not tell."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has of one asset: free, and bound by its open orders."""

    free: Decimal
    locked: Decimal

    @property
    def total(self) -> Decimal:
        with exact():
            return self.free + self.locked


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an API key may do. None: the exchange does not tell."""

    may_trade: bool | None
    may_withdraw: bool | None
    may_transfer: bool | None
    ip_restricted: bool | None


class OrderDesk(Protocol):
    """Orders and balances of one account. All but ``place`` raise ``Transient`` or ``Rejected``, nothing else, and may
    be repeated. What the exchange says it does not know is None, which proves nothing: it may know a moment later."""

    def place(self, request: OrderRequest) -> VenueOrder:
        """Send one order, once. Raises Withheld when it was not sent, Rejected when it definitely was not accepted, and
        OutcomeUnknown for everything else."""

    def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """End an open order; None when the exchange has no such order open (it may have ended by itself)."""

    def find(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The newest order of that name."""

    def fills(self, symbol: str, exchange_order_id: str) -> tuple[Fill, ...]:
        """The trades of one order that the exchange tells of by now, oldest first."""

    def open_orders(self) -> list[VenueOrder]:
        """Every order of the account that is open now, of all symbols."""

    def latest_orders(self, symbol: str) -> list[VenueOrder]:
        """The latest orders of a symbol, open or not, at most 1,000, oldest first."""

    def latest_trades(self, symbol: str) -> list[VenueTrade]:
        """The latest trades of a symbol, at most 1,000, oldest first."""

    def balances(self) -> dict[str, Balance]:
        """Every asset that the account has any of."""

    def key_rights(self) -> KeyRights:
        """What the key may do."""

    def wall_ms(self) -> int:
        """The exchange's own clock, UTC milliseconds of wall time."""

    def forget_rules(self) -> None:
        """What it allows for its symbols has changed: ask anew at the next use."""
