"""Orders, trades and balances in Binance's words. PURE.

What reads an answer raises LookupError, TypeError, ValueError or ArithmeticError when it is not what Binance documents.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from market.exchange import Balance, KeyRights
from market.money import canonical
from market.orders import Fill, OrderRequest, OrderType, ReportStatus, Side, VenueOrder, VenueTrade

Row = Mapping[str, Any]
Currency = Callable[[str], str]
"""The unified name of one of the exchange's currency codes."""

_STATUSES = {
    "NEW": ReportStatus.NEW,
    "PENDING_NEW": ReportStatus.NEW,
    "PARTIALLY_FILLED": ReportStatus.PARTIAL,
    "PENDING_CANCEL": ReportStatus.NEW,  # not ended yet
    "FILLED": ReportStatus.FILLED,
    "CANCELED": ReportStatus.CANCELED,
    "EXPIRED": ReportStatus.EXPIRED,
    "EXPIRED_IN_MATCH": ReportStatus.EXPIRED,  # it would have traded with another order of this account
    "REJECTED": ReportStatus.REJECTED,
}


def new_order(request: OrderRequest, market_id: str) -> dict[str, str]:
    """The parameters of POST order.

    A buy at the market that has a worst price is sent as a limit order that is filled at once or expires: it never pays
    more, however far the book has moved. Raises ValueError for an order without the prices that its type needs.
    """
    order = {
        "symbol": market_id,
        "side": request.side.value,
        "newClientOrderId": request.client_order_id,
        "newOrderRespType": "FULL",  # its fills come with the answer
        "quantity": canonical(request.amount),
    }
    if request.type is OrderType.MARKET:
        if request.side is Side.BUY and request.worst_price is not None:
            return order | {"type": "LIMIT", "timeInForce": "IOC", "price": canonical(request.worst_price)}
        return order | {"type": "MARKET"}
    order |= {"type": request.type.value, "timeInForce": "GTC", "price": _price(request, request.price)}
    if request.type is OrderType.STOP_LOSS_LIMIT:
        order["stopPrice"] = _price(request, request.stop_price)
    return order


def venue_order(row: Row, symbol: str, currency: Currency, client_order_id: str | None = None) -> VenueOrder:
    """An order out of any answer about it. ``client_order_id``: the one that it has to be about.

    Raises ValueError as well for an answer about another order, as a proxy or a mixed-up connection would give.
    """
    name = row.get("origClientOrderId") or row["clientOrderId"]  # a cancel has a name of its own
    if client_order_id not in (None, name):
        raise ValueError(f"an answer about {name!r}, not {client_order_id!r}")
    filled = _amount(row["executedQty"])
    status = _STATUSES[row["status"]]
    if status is ReportStatus.NEW and filled:
        status = ReportStatus.PARTIAL
    placed_ms = row.get("time") or (row.get("transactTime") if "origClientOrderId" not in row else None)
    return VenueOrder(
        symbol=symbol,
        client_order_id=name,
        exchange_order_id=str(int(row["orderId"])),
        side=Side(row["side"]),
        status=status,
        amount=_amount(row["origQty"]),
        filled=filled,
        fills=tuple(_fill(part, part["tradeId"], row["transactTime"], currency) for part in row.get("fills") or ()),
        placed_at=None if placed_ms is None else _at(placed_ms),
    )


def venue_trade(row: Row, currency: Currency) -> VenueTrade:
    """One row of myTrades."""
    return VenueTrade(str(int(row["orderId"])), _fill(row, row["id"], row["time"], currency))


def balances(rows: list[Row], currency: Currency) -> dict[str, Balance]:
    """The ``balances`` of an account, without the assets that it has nothing of."""
    found = {currency(row["asset"]): Balance(_amount(row["free"]), _amount(row["locked"])) for row in rows}
    return {asset: balance for asset, balance in found.items() if balance.free or balance.locked}


def key_rights(row: Row) -> KeyRights:
    """The answer of apiRestrictions."""
    transfers = [_flag(row, "enableInternalTransfer"), _flag(row, "permitsUniversalTransfer")]
    return KeyRights(
        may_trade=_flag(row, "enableSpotAndMarginTrading"),
        may_withdraw=_flag(row, "enableWithdrawals"),
        may_transfer=True if True in transfers else None if None in transfers else False,
        ip_restricted=_flag(row, "ipRestrict"),
    )


def _fill(row: Row, trade_id: object, at_ms: object, currency: Currency) -> Fill:
    return Fill(
        trade_id=str(trade_id),
        price=_amount(row["price"]),
        amount=_amount(row["qty"]),
        fee=_amount(row["commission"]),
        fee_currency=currency(row["commissionAsset"]),
        executed_at=_at(at_ms),
    )


def _price(request: OrderRequest, price: Decimal | None) -> str:
    if price is None:
        raise ValueError(f"{request.client_order_id}: a {request.type} order needs its prices")
    return canonical(price)


def _amount(text: object) -> Decimal:
    amount = Decimal(str(text))
    if not (amount.is_finite() and amount >= 0):
        raise ValueError(f"no amount: {text!r}")
    return amount


def _at(ms: Any) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, tz=UTC)


def _flag(row: Row, name: str) -> bool | None:
    told = row.get(name)
    return told if isinstance(told, bool) else None
