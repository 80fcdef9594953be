"""The console of positions, orders, trades and money: read-only, the platform alone writes them."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from execution.models import (
    AssetBalance,
    AssetExposure,
    BotBook,
    CapitalChange,
    EquitySnapshot,
    Order,
    PaperFill,
    PaperOrder,
    Portfolio,
    Position,
    Reconciliation,
    Trade,
)
from execution.states import OrderStatus, PositionStatus
from market.money import decimals_shown, exact
from market.orders import ReportStatus
from notifications.admin_base import (
    ReadOnlyAdmin,
    TabularInline,
    age,
    amount,
    at,
    change_link,
    display,
    money,
    related,
    rows_link,
    signed,
)

POSITION_COLOURS = {
    PositionStatus.FLAT.value: "default",
    PositionStatus.OPENING.value: "info",
    PositionStatus.OPEN.value: "success",
    PositionStatus.CLOSING.value: "info",
    PositionStatus.CLOSED.value: "default",
}
ORDER_COLOURS = {
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

PAPER_COLOURS = {
    ReportStatus.NEW.value: "info",
    ReportStatus.PARTIAL.value: "info",
    ReportStatus.FILLED.value: "success",
    ReportStatus.CANCELED.value: "default",
    ReportStatus.EXPIRED.value: "warning",
    ReportStatus.REJECTED.value: "warning",
    ReportStatus.ABSENT.value: "warning",
}


class MoneyAdmin(ReadOnlyAdmin):
    """Columns that several lists share; each list names those its rows have."""

    @display(description="realised")
    def realised_shown(self, row: Any) -> str:
        return signed(row.realised, _decimals(row))

    @display(description="unrealised")
    def unrealised_shown(self, row: Any) -> str:
        return signed(row.unrealised, _decimals(row))

    @display(description="fees")
    def fees_shown(self, row: Any) -> str:
        return money(row.fees, _decimals(row))

    @display(description="exposure")
    def exposure_shown(self, row: Any) -> str:
        return money(row.exposure, _decimals(row))

    @display(description="peak equity")
    def peak_shown(self, row: Any) -> str:
        return money(row.peak_equity, _decimals(row))

    @display(description="equity")
    def equity_shown(self, row: Any) -> str:
        return money(_equity(row), _decimals(row))

    @display(description="amount")
    def amount_shown(self, row: Any) -> str:
        return amount(row.amount)

    market_time = at("market_at", "market time (UTC)")
    wall_time = at("wall_at", "wall time (UTC)")


@admin.register(Position)
class PositionAdmin(MoneyAdmin):
    """What is and was held."""

    list_display = (
        "number",
        "state",
        "bot_link",
        "symbol",
        "quantity_shown",
        "entry",
        "stop",
        "price",
        "unrealised_shown",
        "realised_shown",
        "exit_reason",
        "opened",
        "orders_link",
    )
    list_filter = ("status", "exit_reason", "symbol", "account")
    search_fields = ("symbol", "bot__name")
    list_select_related = ("bot",)

    bot_link = related("bot")

    @display(description="#", ordering="pk")
    def number(self, position: Position) -> int:
        return int(position.pk)

    @display(description="status", ordering="status", label=POSITION_COLOURS)
    def state(self, position: Position) -> str:
        return position.status

    @display(description="quantity")
    def quantity_shown(self, position: Position) -> str:
        return amount(position.quantity)

    @display(description="entry")
    def entry(self, position: Position) -> str:
        return amount(position.entry_price)

    @display(description="stop")
    def stop(self, position: Position) -> str:
        return amount(position.stop_price)

    @display(description="mark or exit")
    def price(self, position: Position) -> str:
        """What it was closed at, or is valued at as long as it is open."""
        return amount(position.mark_price if position.closed_at is None else position.exit_price)

    opened = at("opened_at", "opened (market)")

    @display(description="orders")
    def orders_link(self, position: Position) -> SafeString:
        return rows_link(Order, "orders", position__id__exact=position.pk)


@admin.register(Order)
class OrderAdmin(MoneyAdmin):
    """What was asked of the exchange, and how far it came."""

    list_display = (
        "client_order_id",
        "state",
        "bot_link",
        "purpose",
        "side",
        "symbol",
        "amount_shown",
        "filled_shown",
        "reference",
        "market_time",
        "trades_link",
    )
    list_filter = ("status", "purpose", "side", "symbol", "account")
    search_fields = ("client_order_id", "exchange_order_id", "symbol", "bot__name")
    list_select_related = ("bot",)

    bot_link = related("bot")

    @display(description="status", ordering="status", label=ORDER_COLOURS)
    def state(self, order: Order) -> str:
        return order.status

    @display(description="filled")
    def filled_shown(self, order: Order) -> str:
        return amount(order.filled)

    @display(description="decided at")
    def reference(self, order: Order) -> str:
        return amount(order.reference_price)

    @display(description="trades")
    def trades_link(self, order: Order) -> SafeString:
        return rows_link(Trade, "trades", order__id__exact=order.pk)


@admin.register(Trade)
class TradeAdmin(MoneyAdmin):
    """Fills, exactly as the exchange reported them."""

    list_display = (
        "executed",
        "bot_link",
        "side",
        "symbol",
        "amount_shown",
        "price_shown",
        "fee_shown",
        "cash",
        "order_link",
    )
    list_filter = ("side", "account")
    search_fields = ("symbol", "trade_id", "order__client_order_id")
    list_select_related = ("order__bot",)

    order_link = related("order")
    executed = at("executed_at", "market time (UTC)")

    @display(description="bot")
    def bot_link(self, trade: Trade) -> SafeString | str:
        return change_link(trade.order.bot)

    @display(description="price")
    def price_shown(self, trade: Trade) -> str:
        return amount(trade.price)

    @display(description="fee")
    def fee_shown(self, trade: Trade) -> str:
        in_quote = trade.fee_currency == trade.symbol.partition("/")[2]
        return f"{money(trade.fee, _decimals(trade)) if in_quote else amount(trade.fee)} {trade.fee_currency}"

    @display(description="cash change")
    def cash(self, trade: Trade) -> str:
        return signed(trade.cash_change, _decimals(trade))


@admin.register(Portfolio)
class PortfolioAdmin(MoneyAdmin):
    """The accounts' running totals."""

    list_display = (
        "account",
        "equity_shown",
        "capital_shown",
        "realised_shown",
        "unrealised_shown",
        "exposure_shown",
        "reserved_shown",
        "fees_shown",
        "peak_shown",
    )
    list_select_related = ("account",)

    @display(description="capital")
    def capital_shown(self, portfolio: Portfolio) -> str:
        return money(portfolio.capital, _decimals(portfolio))

    @display(description="reserved")
    def reserved_shown(self, portfolio: Portfolio) -> str:
        return money(portfolio.reserved, _decimals(portfolio))


@admin.register(AssetExposure)
class AssetExposureAdmin(MoneyAdmin):
    """The accounts' exposure to one asset each."""

    list_display = ("asset", "account", "exposure_shown")
    list_select_related = ("portfolio__account",)
    search_fields = ("asset",)

    @display(description="account")
    def account(self, row: AssetExposure) -> str:
        return row.portfolio.account.name


@admin.register(AssetBalance)
class AssetBalanceAdmin(ReadOnlyAdmin):
    """What the accounts have of each asset by our books."""

    list_display = ("asset", "account", "by_our_books", "besides", "expected")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ("asset",)

    @display(description="by our books")
    def by_our_books(self, row: AssetBalance) -> str:
        return amount(row.amount)

    @display(description="besides, at the exchange")
    def besides(self, row: AssetBalance) -> str:
        return amount(row.untracked)

    @display(description="expected there")
    def expected(self, row: AssetBalance) -> str:
        with exact():
            return amount(row.amount + row.untracked)


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    """When each live account was last compared with the exchange, and what was found."""

    list_display = ("account", "compared", "clean", "since_start", "problem")
    list_select_related = ("account",)

    @display(description="compared")
    def compared(self, row: Reconciliation) -> str:
        return age(row.ran_at)

    @display(description="clean")
    def clean(self, row: Reconciliation) -> str:
        return age(row.clean_at)

    @display(description="started")
    def since_start(self, row: Reconciliation) -> str:
        return age(row.begun_at)


@admin.register(BotBook)
class BotBookAdmin(MoneyAdmin):
    """The bots' running totals."""

    list_display = (
        "bot_link",
        "equity_shown",
        "realised_shown",
        "unrealised_shown",
        "fees_shown",
        "peak_shown",
        "wins",
        "losses",
        "loss_streak",
    )
    list_select_related = ("bot",)
    search_fields = ("bot__name",)

    bot_link = related("bot")


@admin.register(EquitySnapshot)
class EquitySnapshotAdmin(MoneyAdmin):
    """Equity over market time."""

    list_display = ("market_time", "of", "equity_shown", "realised_shown", "unrealised_shown", "mark")
    list_filter = ("stale", ("bot", admin.EmptyFieldListFilter), "account")
    list_select_related = ("account", "bot")
    search_fields = ("bot__name",)

    @display(description="of")
    def of(self, snapshot: EquitySnapshot) -> str:
        return str(snapshot.bot or f"account {snapshot.account}")

    @display(description="mark", label={"stale": "warning"})
    def mark(self, snapshot: EquitySnapshot) -> str:
        return "stale" if snapshot.stale else ""


@admin.register(CapitalChange)
class CapitalChangeAdmin(MoneyAdmin):
    """Capital put in and taken out."""

    list_display = ("market_time", "wall_time", "account", "kind", "change", "reason")
    list_filter = ("kind", "account")
    list_select_related = ("account",)

    @display(description="amount")
    def change(self, row: CapitalChange) -> str:
        return f"{signed(row.amount, _decimals(row))} {row.account.quote}"


class PaperFillInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """The trades of a paper order, on its page."""

    model = PaperFill
    extra = 0
    can_delete = False
    fields = readonly_fields = ("trade_id", "price", "amount", "fee", "fee_currency", "fee_rate", "executed_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(PaperOrder)
class PaperOrderAdmin(MoneyAdmin):
    """What the paper exchange has in its book, and had."""

    list_display = (
        "client_order_id",
        "state",
        "account",
        "type",
        "side",
        "symbol",
        "amount_shown",
        "filled_shown",
        "price_shown",
        "stop",
        "arrived",
    )
    list_filter = ("status", "type", "side", "account")
    search_fields = ("client_order_id", "symbol")
    list_select_related = ("account",)
    inlines = (PaperFillInline,)

    arrived = at("created_at", "market time (UTC)")

    @display(description="status", ordering="status", label=PAPER_COLOURS)
    def state(self, order: PaperOrder) -> str:
        return order.status

    @display(description="filled")
    def filled_shown(self, order: PaperOrder) -> str:
        return amount(order.filled)

    @display(description="limit")
    def price_shown(self, order: PaperOrder) -> str:
        return amount(order.price)

    @display(description="stop")
    def stop(self, order: PaperOrder) -> str:
        return amount(order.stop_price)


def _decimals(row: Any) -> int:
    """How many decimals the row's quote currency is shown with."""
    if isinstance(row, BotBook):
        return decimals_shown(row.bot.symbol.partition("/")[2])
    if isinstance(row, AssetExposure):
        return decimals_shown(row.portfolio.account.quote)
    if isinstance(row, Position | Trade):
        return decimals_shown(row.symbol.partition("/")[2])
    return decimals_shown(row.account.quote)


def _equity(row: Portfolio | BotBook | EquitySnapshot) -> Decimal:
    if isinstance(row, EquitySnapshot):
        stored: Decimal = row.equity
        return stored
    capital: Decimal = row.capital if isinstance(row, Portfolio) else row.bot.capital
    with exact():
        return capital + row.realised + row.unrealised
