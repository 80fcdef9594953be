"""A client of the exchange's endpoints in this process, at moments that the test chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import numpy as np
import orjson

from simexchange.clock import MarketClock
from simexchange.endpoints.table import FREE, METERED
from simexchange.errors.api_error import ApiError
from simexchange.exchange import Call, Exchange, KeyPair
from simexchange.faults.fault import Ask
from simexchange.market.candles import COLUMNS, Rows, between
from simexchange.market.instruments import Instrument
from simexchange.market.listing_changes import ListingChanges
from simexchange.market.market import Market
from simexchange.orders.ledger import Ledger
from simexchange.orders.progress import Progress
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from simexchange.requests.fields import BadField
from simexchange.requests.limits import Limits
from simexchange.requests.params import Params
from simexchange.requests.stats import Stats

D = Decimal
MINUTE_MS = 60_000
#: A full minute; the scripted candles begin at it.
START_MS = 1_760_000_040_000
#: The best price offers 1,000 USDT, which is about 10 BTC at the scripted prices around 100.
PAIR = Instrument("BTC", "USDT", D("0.01"), D("0.001"), D(5), D(500), D(1000))
BNB = Instrument("BNB", "USDT", D("0.01"), D("0.001"), D(5), D(500), D(1000))

_ENDPOINTS = {(endpoint.method, endpoint.path): endpoint.answer for endpoint in METERED + FREE}

Prices = tuple[float, float, float, float]  # open, high, low, close


class ScriptedPrices:
    """One-minute candles from a list of prices per instrument; None leaves a minute out."""

    def __init__(self, candles: Mapping[Instrument, Sequence[Prices | None]]) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in candles}
        self._rows = {instrument.symbol: _rows(prices) for instrument, prices in candles.items()}

    @property
    def instruments(self) -> dict[str, Instrument]:
        return self._instruments

    def base_ms(self, symbol: str) -> int:
        return MINUTE_MS

    def rows(
        self, symbol: str, length_ms: int, start_ms: int, end_ms: int, limit: int, keep: Literal["first", "last"]
    ) -> Rows:
        found = between(self._rows[symbol], start_ms, end_ms)
        return found[-limit:] if keep == "last" else found[:limit]


def _rows(prices: Sequence[Prices | None]) -> Rows:
    traded = [(minute, candle) for minute, candle in enumerate(prices) if candle is not None]
    rows = np.zeros((len(traded), COLUMNS), dtype=np.int64)
    for row, (minute, candle) in zip(rows, traded, strict=True):
        row[0] = START_MS + minute * MINUTE_MS
        row[1:5] = [round(price * 100) * 10**6 for price in candle]
    return rows


def flat(price: float, minutes: int) -> list[Prices | None]:
    return [(price, price, price, price)] * minutes


@dataclass
class Desk:
    """``at`` is the market time of the next request; wall time is the same."""

    exchange: Exchange
    at: int = START_MS
    seen: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, path: str, **params: object) -> Any:
        """The decoded answer of one request; a refusal is an answer with a code."""
        sent = {name: value for name, value in params.items() if value is not None}
        prefix = "" if path.startswith("/") else "/api/v3/"
        met = self.exchange.faults.meet(Ask(method, prefix + path), self.at)
        call = Call(Params(urlencode(sent)), self.at, self.at, met=met)
        try:
            answer = _ENDPOINTS[method, prefix + path](self.exchange, call)
        except ApiError as refusal:
            answer = refusal.body()
        except BadField as mistake:
            answer = mistake.as_json()
        return orjson.loads(orjson.dumps(answer))

    def order(self, kind: str, side: str = "BUY", quantity: str | None = "1", **more: object) -> Any:
        """Place an order on BTCUSDT; a limit type is good till cancelled unless told otherwise."""
        if kind.endswith("LIMIT") and "timeInForce" not in more:
            more["timeInForce"] = "GTC"
        given = {"symbol": "BTCUSDT", "newOrderRespType": "FULL", "quantity": quantity} | more
        return self.ask("POST", "order", side=side, type=kind, **given)

    def oco(self, side: str, above: Mapping[str, object], below: Mapping[str, object], **more: object) -> Any:
        legs = {f"above{name}": value for name, value in above.items()}
        legs |= {f"below{name}": value for name, value in below.items()}
        given = {"symbol": "BTCUSDT", "side": side, "quantity": "1"} | legs | more
        return self.ask("POST", "orderList/oco", **given)

    def status(self, order_id: int, symbol: str = "BTCUSDT") -> str:
        return str(self.ask("GET", "order", symbol=symbol, orderId=order_id)["status"])

    def held(self, asset: str) -> tuple[Decimal, Decimal]:
        """Free and locked."""
        balance = self.exchange.account.balance(asset)
        return balance.free, balance.locked

    def after(self, minutes: float) -> Desk:
        self.at = START_MS + round(minutes * MINUTE_MS)
        return self


def open_desk(
    directory: Path,
    candles: Mapping[Instrument, Sequence[Prices | None]],
    deposits: Mapping[str, Decimal] | None = None,
    **settings: Any,
) -> Desk:
    """A desk at an exchange whose ledger is in ``directory``, as a restart would find it."""
    ledger = Ledger(directory)
    exchange = Exchange(
        clock=MarketClock(START_MS, START_MS, 1.0),
        market=Market(ScriptedPrices(candles), ListingChanges(ledger.changes())),
        ledger=ledger,
        account=ledger.open_account(deposits or {"USDT": D(100_000), "BTC": D(1000)}),
        limits=Limits.at_speed(1),
        key=KeyPair(DEMO_KEY, DEMO_SECRET),
        fee_rate=D("0.001"),
        stats=Stats(START_MS),
        progress=Progress(ledger.matched()),
        **settings,
    )
    return Desk(exchange)
