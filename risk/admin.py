"""The console of limits, decisions, halts and the dead man's switch."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from notifications.admin_base import ModelAdmin, ReadOnlyAdmin, age, at, display, moment, percent, related
from risk.deadman import present_stage, span
from risk.deadman_stage import Stage
from risk.models import BotRiskLimits, DeadMansSwitch, Decision, Halt, LimitChange, Outcome, PortfolioRiskLimits
from risk.opinion import sentence

OUTCOME_COLOURS = {
    Outcome.NOTHING: "default",
    Outcome.APPROVED: "success",
    Outcome.REFUSED: "warning",
    Outcome.EXIT: "info",
    Outcome.SKIPPED: "default",
    Outcome.FAILED: "danger",
}


STAGE_COLOURS = {
    Stage.OK.value: "success",
    Stage.WARNING.value: "warning",
    Stage.CRITICAL.value: "danger",
    Stage.TRIGGERED.value: "danger",
}


class LimitsAdmin(ModelAdmin):
    """Limits come and go with their bot or account. How they are changed is the console's business."""

    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BotRiskLimits)
class BotRiskLimitsAdmin(LimitsAdmin):
    """Checks 2 to 5 and the order rate, by bot."""

    list_display = ("bot", "position", "drawdown", "daily_loss", "streak_losses", "floor", "rate", "updated_at")
    list_select_related = ("bot",)
    search_fields = ("bot__name",)
    readonly_fields: Any = ("bot", "updated_at")

    @display(description="max position")
    def position(self, row: BotRiskLimits) -> str:
        return percent(row.max_position)

    @display(description="max drawdown")
    def drawdown(self, row: BotRiskLimits) -> str:
        return percent(row.max_drawdown)

    @display(description="max daily loss")
    def daily_loss(self, row: BotRiskLimits) -> str:
        return percent(row.max_daily_loss)

    @display(description="streak floor")
    def floor(self, row: BotRiskLimits) -> str:
        return percent(row.streak_floor)

    @display(description="orders a minute")
    def rate(self, row: BotRiskLimits) -> int:
        return row.max_orders_per_minute


@admin.register(PortfolioRiskLimits)
class PortfolioRiskLimitsAdmin(LimitsAdmin):
    """Checks 6 to 8, and what bounds each order, by account."""

    list_display = ("account", "exposure", "asset", "drawdown", "order", "collar", "rate", "updated_at")
    list_select_related = ("account",)
    readonly_fields: Any = ("account", "updated_at")

    @display(description="max exposure")
    def exposure(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_exposure)

    @display(description="max in one asset")
    def asset(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_asset)

    @display(description="max drawdown")
    def drawdown(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_drawdown)

    @display(description="max order")
    def order(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_order)

    @display(description="price collar")
    def collar(self, row: PortfolioRiskLimits) -> str:
        return percent(row.price_collar)

    @display(description="orders a minute")
    def rate(self, row: PortfolioRiskLimits) -> int:
        return row.max_orders_per_minute


@admin.register(LimitChange)
class LimitChangeAdmin(ReadOnlyAdmin):
    """Who changed which limit, from when on, and why."""

    list_display = ("asked", "state", "whose", "name", "before", "after", "actor", "reason", "holds_from")
    list_filter = (
        "name",
        "loosens",
        ("applied_at", admin.EmptyFieldListFilter),
        ("withdrawn_at", admin.EmptyFieldListFilter),
        "account",
    )
    list_select_related = ("account", "bot")
    search_fields = ("bot__name", "account__name", "actor", "reason")

    asked = at("asked_at", "wall time (UTC)")
    holds_from = at("effective_at", "from market time (UTC)")

    @display(description="state", label={"applied": "success", "waits": "warning", "withdrawn": "default"})
    def state(self, change: LimitChange) -> str:
        if change.applied_at is not None:
            return "applied"
        return "waits" if change.withdrawn_at is None else "withdrawn"

    @display(description="of")
    def whose(self, change: LimitChange) -> str:
        return f"bot {change.bot.name}" if change.bot is not None else f"account {change.account.name}"


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Why a bot did or did not trade."""

    list_display = ("market_time", "wall_time", "bot_link", "result", "failed_check", "reason", "slot")
    list_filter = ("outcome", "failed_check", ("opinion", admin.EmptyFieldListFilter))
    list_select_related = ("bot",)
    search_fields = ("bot__name", "reason")
    readonly_fields: Any = ("ai",)
    date_hierarchy = "market_at"

    bot_link = related("bot")
    market_time = at("market_at", "market time (UTC)")
    wall_time = at("wall_at", "wall time (UTC)")

    @display(description="outcome", ordering="outcome", label=OUTCOME_COLOURS)
    def result(self, decision: Decision) -> tuple[str, str]:
        return decision.outcome, decision.get_outcome_display()

    @display(description="what an AI said")
    def ai(self, decision: Decision) -> str:
        return sentence(decision.opinion) if decision.opinion else "it was not asked"


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    """Stops of entries, in force and cleared."""

    list_display: Any = ("market_time", "wall_time", "state", "scope", "cause", "text", "clearing")
    list_filter = ("cause", ("cleared_at", admin.EmptyFieldListFilter), "account")
    list_select_related = ("account", "bot")
    search_fields = ("text", "bot__name")

    market_time = at("market_at", "market time (UTC)")
    wall_time = at("raised_at", "wall time (UTC)")

    @display(description="state", label={"in force": "danger", "cleared": "default"})
    def state(self, halt: Halt) -> str:
        return "in force" if halt.cleared_at is None else "cleared"

    @display(description="of")
    def scope(self, halt: Halt) -> str:
        return halt.scope

    @display(description="cleared")
    def clearing(self, halt: Halt) -> str:
        if halt.cleared_at is None:
            return "-"
        return f"{moment(halt.cleared_at)} by {halt.cleared_by}: {halt.clear_reason}"


@admin.register(DeadMansSwitch)
class DeadMansSwitchAdmin(ReadOnlyAdmin):
    """The switch as it stands."""

    list_display: Any = ("__str__", "state", "since", "last_checkin_by", "timeout", "latched")
    fields: Any = ("state", "last_checkin_at", "last_checkin_by", "timeout", "latched_at", "high_water_at")
    readonly_fields: Any = ("state", "timeout")
    latched = at("latched_at", "triggered (UTC)")

    @display(description="stage", label=STAGE_COLOURS)
    def state(self, switch: DeadMansSwitch) -> str:
        """What the order gate would find now: an overdue switch has triggered, whether or not anybody has asked it."""
        return present_stage(timezone.now()).value

    @display(description="timeout")
    def timeout(self, switch: DeadMansSwitch) -> str:
        return span(switch.timeout_s)

    @display(description="last check-in")
    def since(self, switch: DeadMansSwitch) -> str:
        return f"{age(switch.last_checkin_at)} ago"
