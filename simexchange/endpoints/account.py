"""The account itself: balances and fees, what its key may do, how many new orders it has sent."""

from __future__ import annotations

from simexchange.amounts import decimal8
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import up_to_date
from simexchange.orders.order import Balance

_ZERO = "0.00000000"


@up_to_date
def account(exchange: Exchange, call: Call) -> object:
    only_held = call.params.flag("omitZeroBalances")
    call.params.refuse_unread()
    instruments = exchange.market.source.instruments.values()
    assets = sorted({i.base for i in instruments} | {i.quote for i in instruments} | exchange.account.balances.keys())
    held = [(asset, exchange.account.balance(asset)) for asset in assets]
    taker, maker = exchange.fee_rates
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": decimal8(maker), "taker": decimal8(taker), "buyer": _ZERO, "seller": _ZERO},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.market_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": decimal8(balance.free), "locked": decimal8(balance.locked)}
            for asset, balance in held
            if not only_held or balance != Balance()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def api_restrictions(exchange: Exchange, call: Call) -> object:
    call.params.refuse_unread()
    return {
        "ipRestrict": exchange.key.ip_restricted,
        "createTime": exchange.clock.origin_wall_ms,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": exchange.key.may_withdraw,
        "enableInternalTransfer": exchange.key.may_withdraw,
        "permitsUniversalTransfer": exchange.key.may_withdraw,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


@up_to_date
def order_counts(exchange: Exchange, call: Call) -> object:
    """How many orders of each window have not traded yet."""
    call.params.refuse_unread()
    windows = (exchange.order_count.ten_seconds, exchange.order_count.day)
    rows = [row for row in exchange.limits.as_rate_limits() if row["rateLimitType"] == "ORDERS"]
    return [row | {"count": window.add(0, call.wall_ms)} for row, window in zip(rows, windows, strict=True)]


ENDPOINTS = (
    Endpoint("GET", "/api/v3/account", lambda params: 20, account, signed=True),
    Endpoint("GET", "/api/v3/rateLimit/order", lambda params: 40, order_counts, signed=True),
    Endpoint("GET", "/sapi/v1/account/apiRestrictions", lambda params: 1, api_restrictions, signed=True),
)
