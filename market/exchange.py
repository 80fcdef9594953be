"""What the platform asks of any exchange, and the three ways in which asking can fail."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from market.candles import Candles
from market.instruments import Instrument


class ExchangeError(Exception):
    """Something between us and the exchange went wrong. Always one of the three below."""


class Transient(ExchangeError):
    """Nothing happened, and the same call may succeed later (network, overload, maintenance).

    ``retry_after_s`` is in wall seconds: above 0 the exchange itself said how long to stay away, and asking earlier
    makes it worse (Binance bans the address).
    """

    def __init__(self, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


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
        """All spot symbols by unified name (``BTC/USDT``)."""

    def fetch_candles(self, symbol: str, timeframe: str, since_ms: int | None, limit: int) -> Candles:
        """Up to ``limit`` candles from ``since_ms`` on (None: the newest), oldest first; the last may still be open."""

    def fetch_quote(self, symbol: str) -> Quote:
        """The best prices now."""
