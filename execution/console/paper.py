"""The paper exchange's own book."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from bots.list_cells import base_of, market_when
from bots.list_filters import MarketDays, Symbols
from execution.models import PaperFill, PaperOrder
from market.orders import ReportStatus
from notifications.admin_base import TabularInline, amount, display
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import in_unit
from notifications.lists.filters import OneOf

COLOURS = {
    ReportStatus.NEW.value: "info",
    ReportStatus.PARTIAL.value: "info",
    ReportStatus.FILLED.value: "success",
    ReportStatus.CANCELED.value: "default",
    ReportStatus.EXPIRED.value: "warning",
    ReportStatus.REJECTED.value: "warning",
    ReportStatus.ABSENT.value: "warning",
}


class PaperFillInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """The trades of a paper order, on its page."""

    model = PaperFill
    extra = 0
    can_delete = False
    fields = readonly_fields = ("trade_id", "price", "amount", "fee", "fee_currency", "fee_rate", "executed_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(PaperOrder)
class PaperOrderAdmin(LongListAdmin):
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
    list_filter = (
        ("status", OneOf),
        ("type", OneOf),
        ("side", OneOf),
        ("symbol", Symbols),
        ("created_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    search_fields = ("client_order_id", "symbol")
    search_help_text = "client order id or symbol"
    list_select_related = ("account",)
    inlines = (PaperFillInline,)
    empty_text = "An order of a bot on paper appears when the paper exchange takes it."

    arrived = market_when("created_at", "market time (UTC)")

    @display(description="status", label=COLOURS)
    def state(self, order: PaperOrder) -> str:
        return order.status

    @display(description="amount")
    def amount_shown(self, order: PaperOrder) -> str:
        return in_unit(order.amount, base_of(order.symbol))

    @display(description="filled")
    def filled_shown(self, order: PaperOrder) -> str:
        return amount(order.filled)

    @display(description="limit")
    def price_shown(self, order: PaperOrder) -> str:
        return amount(order.price)

    @display(description="stop")
    def stop(self, order: PaperOrder) -> str:
        return amount(order.stop_price)
