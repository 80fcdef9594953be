"""The list of decisions."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin

from bots.list_cells import market_when, strategy_of
from bots.list_filters import BotOfRow, MarketDays, StrategyOfBot, Symbols
from notifications.admin_base import display, related
from notifications.lists.admin import LongListAdmin
from notifications.lists.cells import wall_ago
from notifications.lists.filters import OneOf
from risk.models import Decision, Outcome
from risk.opinion import sentence
from risk.review import CHECKS

COLOURS = {
    Outcome.NOTHING: "default",
    Outcome.APPROVED: "success",
    Outcome.REFUSED: "warning",
    Outcome.EXIT: "info",
    Outcome.SKIPPED: "default",
    Outcome.FAILED: "danger",
}


class FailedCheck(OneOf):
    """The check that refused."""

    def options(self) -> Iterable[tuple[str, str]]:
        return [(check.name, check.name) for check in CHECKS]


@admin.register(Decision)
class DecisionAdmin(LongListAdmin):
    """Why a bot did or did not trade."""

    list_display: Any = (
        "market_time",
        "bot_link",
        "symbol",
        "strategy",
        "mode",
        "result",
        "failed_check",
        "reason",
        "slot",
        "wall_time",
    )
    list_filter = (
        ("bot", BotOfRow),
        ("outcome", OneOf),
        ("failed_check", FailedCheck),
        ("bot__symbol", Symbols),
        ("bot__strategy", StrategyOfBot),
        ("bot__account__mode", OneOf),
        ("market_at", MarketDays),
        ("opinion", admin.EmptyFieldListFilter),
    )
    readonly_fields: Any = ("ai",)
    list_select_related = ("bot__account",)
    search_fields = ("bot__name", "reason")
    search_help_text = "bot, or words of the reason"
    empty_text = "A decision appears each time that a bot's candle closes, also when there was nothing to do."
    export = (
        ("id", "decision"),
        ("market_at", "market time (UTC)"),
        ("wall_at", "wall time (UTC)"),
        ("bot__name", "bot"),
        ("bot__symbol", "symbol"),
        ("bot__strategy", "strategy"),
        ("bot__account__mode", "mode"),
        ("bot_status", "status of the bot"),
        ("slot", "slot"),
        ("outcome", "outcome"),
        ("failed_check", "failed check"),
        ("reason", "reason"),
        ("signal", "signal (JSON)"),
        ("candle", "candle (JSON)"),
        ("checks", "checks (JSON)"),
        ("opinion", "what an AI said (JSON)"),
    )

    bot_link = related("bot")
    market_time = market_when("market_at", "market time (UTC)")
    wall_time = wall_ago("wall_at", "decided (wall)")

    @display(description="outcome", label=COLOURS)
    def result(self, decision: Decision) -> tuple[str, str]:
        return decision.outcome, decision.get_outcome_display()

    @display(description="what an AI said")
    def ai(self, decision: Decision) -> str:
        return sentence(decision.opinion) if decision.opinion else "it was not asked"

    @display(description="symbol")
    def symbol(self, decision: Decision) -> str:
        return decision.bot.symbol

    @display(description="strategy")
    def strategy(self, decision: Decision) -> str:
        return strategy_of(decision.bot)

    @display(description="mode")
    def mode(self, decision: Decision) -> str:
        return decision.bot.account.get_mode_display()
