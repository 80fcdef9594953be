"""The paper exchange, with quotes that the test moves."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from execution.fills import IN_BASE, CostModel
from execution.models import AssetBalance, PaperOrder
from execution.paper import PaperTrader
from execution.paper_book import PaperBook
from market.clock import Now
from market.exchange import Quote
from market.orders import OrderRequest
from tests.execution.contract.venue import BNB_PRICE, CALM, HELD, MAX_AMOUNT, NO_BASE, NO_EUR, SHUT, WITH_BNB, D, order
from tests.factories import instrument, make_account, now_at

SYMBOLS = (CALM, SHUT, NO_EUR, NO_BASE, WITH_BNB, "BNB/FDUSD", "FALL/USDT", "RISE/USDT")
DEPTH = D(72)
TICK = D("0.01")


class PaperVenue:
    """Its book is as deep as the simulated exchange's best price."""

    has_network = False
    refuses_known_names = True

    def __init__(self) -> None:
        rules = {"lot_step": D("0.001"), "min_amount": D("0.001"), "max_amount": MAX_AMOUNT}
        self.instruments = {symbol: instrument(symbol, **rules) for symbol in SYMBOLS}
        self.prices = dict.fromkeys(SYMBOLS, D(100)) | {"BNB/FDUSD": BNB_PRICE}
        self._account = make_account()
        for asset, amount in {**HELD, "FALL": D(100), "RISE": D(100)}.items():
            AssetBalance.objects.update_or_create(account=self._account, asset=asset, defaults={"amount": amount})
        self._costs = CostModel(depth_notional=DEPTH)
        self._seconds = 0
        self.restart()

    def now(self) -> Now:
        self._seconds += 1
        return now_at(after_ms=self._seconds * 1000)

    def falling(self) -> "Moves":
        return Moves(self, "FALL/USDT", [D(99), D(98), D(100)])

    def rising(self) -> "Moves":
        return Moves(self, "RISE/USDT", [D(101), D(102), D(100)])

    def halt(self, symbol: str) -> None:
        self.instruments[symbol] = replace(self.instruments[symbol], active=False)

    def resume(self, symbol: str) -> None:
        self.instruments[symbol] = replace(self.instruments[symbol], active=True)

    def takes_fees_in(self, currency: str) -> OrderRequest:
        self._costs = replace(self._costs, fee_currency={"base": IN_BASE, "quote": None}.get(currency, currency))
        self.restart()
        return order(symbol=WITH_BNB)

    def fault(self, what: Any, where: str, **more: Any) -> None:
        pytest.skip("nothing lies between us and the paper book")

    def restart(self) -> None:
        book = PaperBook(self._account)
        self.executor = PaperTrader(book, self._quote, lambda: self.instruments, self._costs, book.free)

    def restart_exchange(self) -> None:
        self.restart()

    def orders_named(self, client_order_id: str) -> int:
        return PaperOrder.objects.filter(client_order_id=client_order_id).count()

    def _quote(self, symbol: str) -> Quote:
        price = self.prices[symbol]
        return Quote(symbol, price - TICK, price + TICK, price, 0)


@dataclass
class Moves:
    """A symbol that moves when it is told to."""

    venue: PaperVenue
    symbol: str
    ahead: list[Decimal]

    def step(self) -> None:
        self.venue.prices[self.symbol] = self.ahead.pop(0)
