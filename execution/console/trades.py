"""The list of trades."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from bots.list_cells import base_of, decimals_of, market_when, mode_of_account, quote_of, strategy_of
from bots.list_filters import BotOfRow, MarketDays, StrategyOfBot, Symbols
from execution.console.totals import trade_totals
from execution.models import Position, Trade
from market.money import exact
from notifications.admin_base import amount, change_link, display, money, signed
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import in_currency, in_unit, links, row_link
from notifications.lists.filters import OneOf
from notifications.lists.totals import Total
from risk.models import Decision


@admin.register(Trade)
class TradeAdmin(LongListAdmin):
    """Fills, exactly as the exchange reported them."""

    list_display = (
        "executed",
        "mode",
        "bot_link",
        "strategy",
        "side",
        "symbol",
        "amount_shown",
        "price_shown",
        "notional",
        "fee_shown",
        "cash",
        "order_link",
        "belonging",
    )
    list_filter = (
        ("order__bot", BotOfRow),
        ("side", OneOf),
        ("order__purpose", OneOf),
        ("symbol", Symbols),
        ("order__bot__strategy", StrategyOfBot),
        ("account__mode", OneOf),
        ("executed_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    search_fields = ("order__bot__name", "order__client_order_id", "order__exchange_order_id", "trade_id")
    search_help_text = "bot, order id or trade id"
    list_select_related = ("order__bot", "account")
    empty_text = "A trade appears when the exchange, real or on paper, says that it filled an order or a part of one."
    has_totals = True
    export = (
        ("id", "trade"),
        ("executed_at", "executed at (market time, UTC)"),
        ("account__name", "account"),
        ("account__mode", "mode"),
        ("order__bot__name", "bot"),
        ("order__bot__strategy", "strategy"),
        ("order__purpose", "purpose"),
        ("side", "side"),
        ("symbol", "symbol"),
        ("account__quote", "quote currency"),
        ("amount", "amount (base)"),
        ("price", "price (quote)"),
        ("fee", "fee (fee currency)"),
        ("fee_currency", "fee currency"),
        ("fee_rate", "fee rate (quote per fee currency)"),
        ("cash_change", "cash change (quote)"),
        ("trade_id", "trade id"),
        ("order__client_order_id", "client order id"),
        ("order__exchange_order_id", "exchange order id"),
        ("order", "order"),
        ("position", "position"),
    )

    mode = mode_of_account
    executed = market_when("executed_at", "market time (UTC)")

    def totals(self, rows: QuerySet[Any]) -> Iterable[Total]:
        return trade_totals(rows)

    @display(description="bot")
    def bot_link(self, trade: Trade) -> SafeString | str:
        return change_link(trade.order.bot)

    @display(description="strategy")
    def strategy(self, trade: Trade) -> str:
        return strategy_of(trade.order.bot)

    @display(description="amount")
    def amount_shown(self, trade: Trade) -> str:
        return in_unit(trade.amount, base_of(trade.symbol))

    @display(description="price")
    def price_shown(self, trade: Trade) -> str:
        return amount(trade.price)

    @display(description="notional")
    def notional(self, trade: Trade) -> str:
        with exact():
            value = trade.price * trade.amount
        return in_currency(value, quote_of(trade.symbol), decimals_of(trade.symbol))

    @display(description="fee")
    def fee_shown(self, trade: Trade) -> str:
        in_quote = trade.fee_currency == quote_of(trade.symbol)
        return f"{money(trade.fee, decimals_of(trade.symbol)) if in_quote else amount(trade.fee)} {trade.fee_currency}"

    @display(description="cash change")
    def cash(self, trade: Trade) -> str:
        """No colour: a purchase is no loss."""
        return f"{signed(trade.cash_change, decimals_of(trade.symbol))} {quote_of(trade.symbol)}"

    @display(description="order")
    def order_link(self, trade: Trade) -> SafeString | str:
        return change_link(trade.order)

    @display(description="more")
    def belonging(self, trade: Trade) -> SafeString:
        return links(
            row_link(Position, trade.position_id, "position"), row_link(Decision, trade.order.decision_id, "decision")
        )
