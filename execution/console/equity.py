"""The lists of equity over time, and of capital put in and taken out."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from bots.list_cells import market_when, mode_of_account, strategy_of
from bots.list_filters import BotOfRow, MarketDays, StrategyOfBot
from execution.console.cells import MoneyCells, in_colour
from execution.console.totals import capital_totals
from execution.models import CapitalChange, EquitySnapshot
from notifications.admin_base import change_link, display, related
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import wall_ago
from notifications.lists.filters import IsEmpty, OneOf, YesOrNo
from notifications.lists.totals import Total


class Whose(IsEmpty):
    """Snapshots of accounts, or of bots."""

    words = ("Accounts", "Bots")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.title = "Of"


@admin.register(EquitySnapshot)
class EquitySnapshotAdmin(MoneyCells, LongListAdmin):
    """Equity over market time."""

    list_display = (
        "market_time",
        "of",
        "mode",
        "strategy",
        "equity_shown",
        "realised_shown",
        "unrealised_shown",
        "mark",
    )
    list_filter = (
        ("bot", BotOfRow),
        ("bot", Whose),
        ("bot__strategy", StrategyOfBot),
        ("account__mode", OneOf),
        ("stale", YesOrNo),
        ("market_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    list_select_related = ("account", "bot")
    search_fields = ("bot__name", "account__name")
    search_help_text = "bot or account"
    empty_text = "A snapshot of each bot appears at every tick of it, and one of the account whenever all is valued."
    export = (
        ("market_at", "market time (UTC)"),
        ("account__name", "account"),
        ("account__mode", "mode"),
        ("bot__name", "bot (empty: the account)"),
        ("bot__strategy", "strategy"),
        ("account__quote", "quote currency"),
        ("equity", "equity (quote)"),
        ("realised", "realised profit (quote)"),
        ("unrealised", "unrealised profit (quote)"),
        ("stale", "mark was stale"),
    )

    mode = mode_of_account
    market_time = market_when("market_at", "market time (UTC)")

    @display(description="of")
    def of(self, snapshot: EquitySnapshot) -> SafeString | str:
        return change_link(snapshot.bot or snapshot.account, str(snapshot.bot or f"account {snapshot.account}"))

    @display(description="strategy")
    def strategy(self, snapshot: EquitySnapshot) -> str:
        return strategy_of(snapshot.bot)

    @display(description="mark", label={"stale": "warning"})
    def mark(self, snapshot: EquitySnapshot) -> str:
        return "stale" if snapshot.stale else ""


@admin.register(CapitalChange)
class CapitalChangeAdmin(LongListAdmin):
    """Capital put in and taken out."""

    list_display = ("market_time", "account_link", "mode", "kind", "change", "reason", "wall_time")
    list_filter = (
        ("kind", OneOf),
        ("account__mode", OneOf),
        ("market_at", MarketDays),
        ("account", admin.RelatedFieldListFilter),
    )
    list_select_related = ("account",)
    search_fields = ("account__name", "reason")
    search_help_text = "account or reason"
    empty_text = "A change appears when an account is made with its capital, and at each deposit and withdrawal."
    has_totals = True
    export = (
        ("id", "change"),
        ("market_at", "market time (UTC)"),
        ("wall_at", "wall time (UTC)"),
        ("account__name", "account"),
        ("account__mode", "mode"),
        ("kind", "kind"),
        ("amount", "amount (quote)"),
        ("account__quote", "quote currency"),
        ("reason", "reason"),
    )

    mode = mode_of_account
    account_link = related("account")
    market_time = market_when("market_at", "market time (UTC)")
    wall_time = wall_ago("wall_at", "booked (wall)")

    def totals(self, rows: QuerySet[Any]) -> Iterable[Total]:
        return capital_totals(rows)

    @display(description="amount")
    def change(self, row: CapitalChange) -> SafeString | str:
        return in_colour(row, row.amount)
