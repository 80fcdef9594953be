"""PURE. Orders, fills and candles in the shape of Binance's answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from simexchange.amounts import decimal8, e8
from simexchange.market.candles import Rows
from simexchange.orders.fees import DISCOUNT
from simexchange.orders.order import OPEN_STATUSES, Fill, Order, OrderList, Side

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
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "price": decimal8(order.price),
        "origQty": decimal8(order.quantity),
        "executedQty": decimal8(order.executed),
        "cummulativeQuoteQty": decimal8(order.quote_executed),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        "stopPrice": decimal8(order.stop_price),
        "icebergQty": _ZERO,
        "time": order.time_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms >= 0,
        "workingTime": order.working_ms,
        "origQuoteOrderQty": decimal8(order.quote_quantity),
        "selfTradePreventionMode": order.self_trade,
    }


def order_placed(order: Order, fills: tuple[Fill, ...], response_type: str) -> dict[str, object]:
    """As POST order answers: ACK names the order, RESULT adds its state, FULL its fills."""
    ack: dict[str, object] = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }
    if response_type == "ACK":
        return ack
    result = ack | _amounts(order) | {"workingTime": order.working_ms}
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
    return result | {"selfTradePreventionMode": order.self_trade}


def order_canceled(order: Order, cancel_id: str) -> dict[str, object]:
    """As DELETE order answers: the order's own client id is now the original one, the cancel has its own."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        **_amounts(order),
        "selfTradePreventionMode": order.self_trade,
    }


def _amounts(order: Order) -> dict[str, object]:
    """What every answer about an order says of its state; a stop price only where there is one."""
    amounts: dict[str, object] = {
        "price": decimal8(order.price),
        "origQty": decimal8(order.quantity),
        "executedQty": decimal8(order.executed),
        "origQuoteOrderQty": decimal8(order.quote_quantity),
        "cummulativeQuoteQty": decimal8(order.quote_executed),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
    }
    return amounts | ({"stopPrice": decimal8(order.stop_price)} if order.stop_price else {})


def list_status(pair: OrderList, orders: Sequence[Order]) -> dict[str, object]:
    """A pair and its two orders by name; it is executing while one of them is open."""
    status = "EXECUTING" if any(order.status in OPEN_STATUSES for order in orders) else "ALL_DONE"
    return {
        "orderListId": pair.list_id,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED" if status == "EXECUTING" else "ALL_DONE",
        "listOrderStatus": status,
        "listClientOrderId": pair.client_id,
        "transactionTime": pair.time_ms,
        "symbol": pair.symbol,
        "orders": [
            {"symbol": order.symbol, "orderId": order.order_id, "clientOrderId": order.client_order_id}
            for order in orders
        ],
    }


def commission_rates(taker: Decimal, maker: Decimal, fee_asset: str | None) -> dict[str, object]:
    """As POST order/test tells what an order would cost."""
    return {
        "standardCommissionForOrder": {"maker": decimal8(maker), "taker": decimal8(taker)},
        "taxCommissionForOrder": {"maker": _ZERO, "taker": _ZERO},
        "discount": {
            "enabledForAccount": fee_asset is not None,
            "enabledForSymbol": fee_asset is not None,
            "discountAsset": fee_asset or "BNB",
            "discount": decimal8(1 - DISCOUNT),
        },
    }


def my_trade(fill: Fill) -> dict[str, object]:
    """As myTrades describes a fill."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": fill.list_id,
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
