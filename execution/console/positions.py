"""The list of positions."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from bots.list_cells import base_of, market_ago, market_when, mode_of_account, strategy_of
from bots.list_filters import BotOfRow, MarketDays, StrategyOfBot, Symbols
from execution.console.cells import MoneyCells, in_colour
from execution.console.totals import position_totals
from execution.models import Order, Position, Purpose, Trade
from execution.states import PositionStatus
from notifications.admin_base import amount, display, related, rows_link
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import in_unit, links, row_link
from notifications.lists.filters import OneOf
from notifications.lists.totals import Total
from risk.models import Decision

COLOURS = {
    PositionStatus.FLAT.value: "default",
    PositionStatus.OPENING.value: "info",
    PositionStatus.OPEN.value: "success",
    PositionStatus.CLOSING.value: "info",
    PositionStatus.CLOSED.value: "default",
}


@admin.register(Position)
class PositionAdmin(MoneyCells, LongListAdmin):
    """What is and was held."""

    list_display = (
        "number",
        "state",
        "mode",
        "bot_link",
        "strategy",
        "symbol",
        "quantity_shown",
        "entry",
        "stop",
        "price",
        "unrealised_shown",
        "realised_shown",
        "exit_reason",
        "opened",
        "closed",
        "belonging",
    )
    list_filter = (
        ("bot", BotOfRow),
        ("status", OneOf),
        ("symbol", Symbols),
        ("bot__strategy", StrategyOfBot),
        ("account__mode", OneOf),
        ("exit_reason", OneOf),
        ("created_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    search_fields = ("bot__name", "symbol")
    search_help_text = "bot or symbol"
    list_select_related = ("bot", "account")
    empty_text = (
        "A position appears as soon as a bot decides to enter: OPENING until its first fill, OPEN while something is"
        " held, CLOSED when all of it was sold."
    )
    has_totals = True
    export = (
        ("id", "position"),
        ("created_at", "decided at (market time, UTC)"),
        ("opened_at", "opened at (market time, UTC)"),
        ("closed_at", "closed at (market time, UTC)"),
        ("status", "status"),
        ("account__name", "account"),
        ("account__mode", "mode"),
        ("bot__name", "bot"),
        ("bot__strategy", "strategy"),
        ("symbol", "symbol"),
        ("account__quote", "quote currency"),
        ("quantity", "quantity (base)"),
        ("cost", "cost (quote)"),
        ("entry_price", "entry price (quote)"),
        ("stop_price", "stop price (quote)"),
        ("target_price", "target price (quote)"),
        ("mark_price", "mark price (quote)"),
        ("exit_price", "exit price (quote)"),
        ("unrealised", "unrealised profit (quote)"),
        ("realised", "realised profit, fees inside (quote)"),
        ("fees", "fees (quote)"),
        ("exposure", "exposure (quote)"),
        ("dust", "dust (base)"),
        ("exit_reason", "exit reason"),
        ("exit_text", "exit reason in words"),
    )

    mode = mode_of_account
    bot_link = related("bot")
    opened = market_when("opened_at", "opened (market, UTC)")
    closed = market_ago("closed_at", "closed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        """With the decision that each was entered by."""
        positions: QuerySet[Position] = super().get_queryset(request)
        entries = Order.objects.filter(position=OuterRef("pk"), purpose=Purpose.ENTRY)
        return positions.annotate(entry_decision=Subquery(entries.values("decision")[:1]))

    def totals(self, rows: QuerySet[Any]) -> Iterable[Total]:
        return position_totals(rows)

    @display(description="#", ordering="pk")
    def number(self, position: Position) -> int:
        return int(position.pk)

    @display(description="status", label=COLOURS)
    def state(self, position: Position) -> str:
        return position.status

    @display(description="strategy")
    def strategy(self, position: Position) -> str:
        return strategy_of(position.bot)

    @display(description="quantity")
    def quantity_shown(self, position: Position) -> str:
        return in_unit(position.quantity or None, base_of(position.symbol))

    @display(description="unrealised")
    def unrealised_shown(self, position: Position) -> SafeString | str:
        """Of what is held: a position that ended has none."""
        return in_colour(position, position.unrealised) if position.closed_at is None else "-"

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

    @display(description="more")
    def belonging(self, position: Position) -> SafeString:
        return links(
            rows_link(Order, "orders", position__id__exact=position.pk),
            rows_link(Trade, "trades", position__id__exact=position.pk),
            row_link(Decision, position.entry_decision, "decision"),  # type: ignore[attr-defined]  # annotated
        )
