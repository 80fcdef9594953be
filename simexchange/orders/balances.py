"""PURE. Money moving between free, locked and gone, in a copy of the account's balances."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from simexchange.errors import order_errors
from simexchange.orders.order import MARKET_TYPES, Balance, NewOrder, Order, Side

_ZERO = Decimal(0)
_E8 = Decimal("0.00000001")


def cut(value: Decimal) -> Decimal:
    """A value as it is booked: what is finer than the wire's eight decimals is dropped."""
    return value.quantize(_E8, ROUND_DOWN)


def bound(side: Side, price: Decimal, quantity: Decimal) -> Decimal:
    """What an order binds: its base when selling, what all of it costs at ``price`` when buying.

    That covers the booked value of any part and what binds the rest, because values are cut:
    floor(a) + floor(b) <= floor(a + b).
    """
    return quantity if side is Side.SELL else cut(price * quantity)


def bound_price(order: NewOrder | Order) -> Decimal:
    """The price at which an order binds money: its own, or its stop price where it will take any."""
    return order.stop_price if order.type in MARKET_TYPES else order.price


class Purse:
    """The balances after some moves. ``changed`` holds only what was touched; nothing ever goes below zero."""

    def __init__(self, balances: Mapping[str, Balance]) -> None:
        self._before = balances
        self.changed: dict[str, Balance] = {}

    def balance(self, asset: str) -> Balance:
        return self.changed.get(asset) or self._before.get(asset, Balance())

    def require(self, asset: str, amount: Decimal) -> None:
        """Raise -2010 unless so much is free."""
        if self.balance(asset).free < amount:
            raise order_errors.insufficient_balance()

    def lock(self, asset: str, amount: Decimal) -> None:
        """From free to locked; a negative amount the other way. Raises -2010 when less is free."""
        self.require(asset, amount)
        self._move(asset, -amount, amount)

    def pay(self, asset: str, amount: Decimal) -> None:
        """Out of what is locked."""
        self._move(asset, _ZERO, -amount)

    def receive(self, asset: str, amount: Decimal) -> None:
        """Into what is free; a negative amount is a fee."""
        self._move(asset, amount, _ZERO)

    def _move(self, asset: str, free: Decimal, locked: Decimal) -> None:
        held = self.balance(asset)
        after = Balance(held.free + free, held.locked + locked)
        if after.free < 0 or after.locked < 0:
            raise ArithmeticError(f"{asset} would go from {held} to {after}")
        self.changed[asset] = after
