"""The list of orders."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from bots.list_cells import base_of, decimals_of, market_when, mode_of_account, quote_of, strategy_of
from bots.list_filters import BotOfRow, MarketDays, StrategyOfBot, Symbols
from execution.console.totals import order_totals
from execution.models import Order, Position, Trade
from execution.states import OrderStatus
from market.money import ROUNDED
from notifications.admin_base import amount, display, related, rows_link
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import in_currency, in_unit, links, row_link
from notifications.lists.filters import OneOf
from notifications.lists.totals import Total
from risk.models import Decision

COLOURS = {
    OrderStatus.PREPARED.value: "info",
    OrderStatus.SENT.value: "info",
    OrderStatus.ACKED.value: "info",
    OrderStatus.PARTIAL.value: "info",
    OrderStatus.FILLED.value: "success",
    OrderStatus.CANCELED.value: "default",
    OrderStatus.EXPIRED.value: "warning",
    OrderStatus.REJECTED.value: "warning",
    OrderStatus.UNKNOWN.value: "danger",
    OrderStatus.ABSENT.value: "warning",
}


@admin.register(Order)
class OrderAdmin(LongListAdmin):
    """What was asked of the exchange, and how far it came."""

    list_display = (
        "asked",
        "state",
        "mode",
        "bot_link",
        "strategy",
        "purpose",
        "side",
        "symbol",
        "amount_shown",
        "filled_shown",
        "reference",
        "average",
        "notional",
        "client_order_id",
        "belonging",
    )
    list_display_links = ("client_order_id",)
    list_filter = (
        ("bot", BotOfRow),
        ("status", OneOf),
        ("purpose", OneOf),
        ("side", OneOf),
        ("symbol", Symbols),
        ("bot__strategy", StrategyOfBot),
        ("account__mode", OneOf),
        ("market_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    search_fields = ("client_order_id", "exchange_order_id", "bot__name")
    search_help_text = "bot, client or exchange order id"
    list_select_related = ("bot", "account")
    empty_text = (
        "An order appears before it is sent, when a bot enters or leaves a position; what the exchange answers changes"
        " its status."
    )
    has_totals = True
    export = (
        ("id", "order"),
        ("market_at", "decided at (market time, UTC)"),
        ("prepared_at", "prepared at (wall time, UTC)"),
        ("sent_at", "sent at (wall time, UTC)"),
        ("finished_at", "finished at (wall time, UTC)"),
        ("status", "status"),
        ("account__name", "account"),
        ("account__mode", "mode"),
        ("bot__name", "bot"),
        ("bot__strategy", "strategy"),
        ("purpose", "purpose"),
        ("side", "side"),
        ("type", "type"),
        ("symbol", "symbol"),
        ("account__quote", "quote currency"),
        ("amount", "amount (base)"),
        ("filled", "filled (base)"),
        ("filled_cost", "notional filled (quote)"),
        ("price", "limit price (quote)"),
        ("stop_price", "stop price (quote)"),
        ("reference_price", "decided at price (quote)"),
        ("client_order_id", "client order id"),
        ("exchange_order_id", "exchange order id"),
        ("position", "position"),
        ("decision", "decision"),
        ("reason", "reason"),
        ("answer", "answer of the exchange"),
    )

    mode = mode_of_account
    bot_link = related("bot")
    asked = market_when("market_at", "market time (UTC)")

    def totals(self, rows: QuerySet[Any]) -> Iterable[Total]:
        return order_totals(rows)

    @display(description="status", label=COLOURS)
    def state(self, order: Order) -> str:
        return order.status

    @display(description="strategy")
    def strategy(self, order: Order) -> str:
        return strategy_of(order.bot)

    @display(description="amount")
    def amount_shown(self, order: Order) -> str:
        return in_unit(order.amount, base_of(order.symbol))

    @display(description="filled")
    def filled_shown(self, order: Order) -> str:
        return amount(order.filled)

    @display(description="decided at")
    def reference(self, order: Order) -> str:
        return amount(order.reference_price)

    @display(description="filled at")
    def average(self, order: Order) -> str:
        """On average, to as many digits as are worth reading."""
        return "-" if not order.filled else f"{average_price(order.filled_cost, order.filled):,f}"

    @display(description="notional")
    def notional(self, order: Order) -> str:
        """Of what was filled."""
        return in_currency(order.filled_cost or None, quote_of(order.symbol), decimals_of(order.symbol))

    @display(description="more")
    def belonging(self, order: Order) -> SafeString:
        return links(
            rows_link(Trade, "trades", order__id__exact=order.pk),
            row_link(Position, order.position_id, "position"),
            row_link(Decision, order.decision_id, "decision"),
        )


def average_price(cost: Decimal, filled: Decimal) -> Decimal:
    """Cost / filled to 10 digits: to be read, never to be booked."""
    context = ROUNDED.copy()
    context.prec = 10
    return context.divide(cost, filled).normalize(context)
