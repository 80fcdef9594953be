"""The console of limits, decisions, halts and the dead man's switch."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from bots.admin_fields import EXACT
from bots.fields import ExactDecimalField
from notifications.admin_base import ModelAdmin, ReadOnlyAdmin, age, at, display, moment, percent, related
from risk.deadman import present_stage, span
from risk.deadman_stage import Stage
from risk.models import BotRiskLimits, DeadMansSwitch, Decision, Halt, Outcome, PortfolioRiskLimits

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


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameter at run time
    """Fractions stay between 0 and 1: a limit of 25 instead of 0.25 would be none."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for field in self._meta.model._meta.fields:
            value = cleaned.get(field.name)
            if isinstance(field, ExactDecimalField) and isinstance(value, Decimal) and not 0 < value < 1:
                self.add_error(field.name, f"must be above 0 and below 1 (0.25 is 25 %), not {value}")
        if cleaned.get("streak_losses") == 0:
            self.add_error("streak_losses", "must be at least 1")
        return cleaned


class LimitsAdmin(ModelAdmin):
    """Limits come and go with their bot or account; here they are edited."""

    form = LimitsForm
    formfield_overrides = EXACT
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(BotRiskLimits)
class BotRiskLimitsAdmin(LimitsAdmin):
    """Checks 2 to 5, by bot."""

    list_display = ("bot", "position", "drawdown", "daily_loss", "streak_losses", "floor", "updated_at")
    list_select_related = ("bot",)
    search_fields = ("bot__name",)
    readonly_fields = ("bot", "updated_at")

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


@admin.register(PortfolioRiskLimits)
class PortfolioRiskLimitsAdmin(LimitsAdmin):
    """Checks 6 to 8, by account."""

    list_display = ("account", "exposure", "asset", "drawdown", "updated_at")
    list_select_related = ("account",)
    readonly_fields = ("account", "updated_at")

    @display(description="max exposure")
    def exposure(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_exposure)

    @display(description="max in one asset")
    def asset(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_asset)

    @display(description="max drawdown")
    def drawdown(self, row: PortfolioRiskLimits) -> str:
        return percent(row.max_drawdown)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    """Why a bot did or did not trade."""

    list_display = ("market_time", "wall_time", "bot_link", "result", "failed_check", "reason", "slot")
    list_filter = ("outcome", "failed_check")
    list_select_related = ("bot",)
    search_fields = ("bot__name", "reason")
    date_hierarchy = "market_at"

    bot_link = related("bot")
    market_time = at("market_at", "market time (UTC)")
    wall_time = at("wall_at", "wall time (UTC)")

    @display(description="outcome", ordering="outcome", label=OUTCOME_COLOURS)
    def result(self, decision: Decision) -> tuple[str, str]:
        return decision.outcome, decision.get_outcome_display()


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
