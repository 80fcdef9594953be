"""PURE. Orders, fills and candles in the shape of Binance's answers."""

from __future__ import annotations

from simexchange.candles import Rows
from simexchange.orders import OPEN_STATUSES, Fill, Order, Side
from simexchange.wire import decimal8, e8

_ZERO = "0.00000000"


def kline_list(rows: Rows, length_ms: int) -> list[list[object]]:
    """Candles as klines: open time, prices, volume, close time, quote volume, trades, taker volumes, "0"."""
    return [
        [t, e8(o), e8(h), e8(low), e8(c), e8(v), t + length_ms - 1, e8(q), n, e8(tb), e8(tq), "0"]
        for t, o, h, low, c, v, q, n, tb, tq in rows.tolist()
    ]


def order_status(order: Order) -> dict[str, object]:
    """As GET order, openOrders and allOrders describe an order."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": _ZERO,
        "origQty": decimal8(order.quantity),
        "executedQty": decimal8(order.executed),
        "cummulativeQuoteQty": decimal8(order.quote_executed),
        "status": order.status,
        "timeInForce": "GTC",
        "type": order.type,
        "side": order.side,
        "stopPrice": _ZERO,
        "icebergQty": _ZERO,
        "time": order.time_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.time_ms if order.status in OPEN_STATUSES or order.executed else -1,
        "origQuoteOrderQty": decimal8(order.quote_quantity),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def order_placed(order: Order, fills: tuple[Fill, ...], response_type: str) -> dict[str, object]:
    """As POST order answers: ACK names the order, RESULT adds its state, FULL its fills."""
    ack: dict[str, object] = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }
    if response_type == "ACK":
        return ack
    result = ack | {
        "price": _ZERO,
        "origQty": decimal8(order.quantity),
        "executedQty": decimal8(order.executed),
        "origQuoteOrderQty": decimal8(order.quote_quantity),
        "cummulativeQuoteQty": decimal8(order.quote_executed),
        "status": order.status,
        "timeInForce": "GTC",
        "type": order.type,
        "side": order.side,
        "workingTime": order.time_ms,
    }
    if response_type == "FULL":
        result["fills"] = [
            {
                "price": decimal8(fill.price),
                "qty": decimal8(fill.quantity),
                "commission": decimal8(fill.commission),
                "commissionAsset": fill.commission_asset,
                "tradeId": fill.trade_id,
            }
            for fill in fills
        ]
    return result | {"selfTradePreventionMode": "EXPIRE_MAKER"}


def my_trade(fill: Fill) -> dict[str, object]:
    """As myTrades describes a fill."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": decimal8(fill.price),
        "qty": decimal8(fill.quantity),
        "quoteQty": decimal8(fill.quote_quantity),
        "commission": decimal8(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }
