"""The console of accounts and bots. What needs more than this floor is added by tradingplatform/console."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from bots.admin_fields import EXACT
from bots.field_keys import UnreadableSecret
from bots.models import AiCircuit, AiDay, Bot, BotStatus, ExchangeAccount
from bots.strategies.registry import STRATEGIES, describe
from market.money import decimals_shown
from market.slots import TIMEFRAMES
from notifications.admin_base import ModelAdmin, ReadOnlyAdmin, UnfoldAdminSelectWidget, age, at, display, money

STATUS_COLOURS = {
    BotStatus.STOPPED: "default",
    BotStatus.RUNNING: "success",
    BotStatus.PAUSED: "warning",
    BotStatus.HALTED: "danger",
}

DEFINITION = (
    "account",
    "name",
    "strategy",
    "parameters",
    "symbol",
    "timeframe",
    "capital",
    "ai_mode",
    "ai_on_failure",
)
"""What a person decides about a bot; all other columns belong to the platform."""


def _parameter_help() -> str:
    lines = (f"{name}: {', '.join(f'{info.name} ({info.default})' for info in describe(name))}" for name in STRATEGIES)
    return "Leave {} for the defaults. Names and defaults: " + "; ".join(lines)


class BotForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameter at run time
    """A bot's definition, refused with the same words as in the fleet file and on the command line."""

    strategy = forms.ChoiceField(
        choices=[(name, f"{name}: {strategy.title}") for name, strategy in STRATEGIES.items()],
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": f"unknown strategy '%(value)s': use one of {', '.join(STRATEGIES)}"},
    )

    class Meta:
        model = Bot
        fields = DEFINITION
        error_messages = {
            "name": {"unique": "there is a bot of this name already: names are unique"},
            "timeframe": {"invalid_choice": f"unknown timeframe '%(value)s': use one of {', '.join(TIMEFRAMES)}"},
        }
        help_texts = {"parameters": _parameter_help()}


@admin.register(Bot)
class BotAdmin(ModelAdmin):
    """Bots by name. Saving one does not start it."""

    form = BotForm
    formfield_overrides = EXACT
    list_display: Any = (
        "name",
        "state",
        "symbol",
        "timeframe",
        "strategy",
        "allocated",
        "ticked",
        "last_tick",
    )
    list_filter = ("status", "timeframe", "strategy", "symbol", "account")
    search_fields = ("name", "symbol", "strategy")
    list_select_related: Any = ("account",)
    ordering = ("name",)
    readonly_fields = (
        "status",
        "status_reason",
        "live",
        "stagger_s",
        "last_slot",
        "lease_token",
        "lease_until",
        "last_tick_at",
        "ticks",
        "ticks_failed",
        "created_at",
        "updated_at",
    )
    fieldsets = (
        (None, {"fields": DEFINITION}),
        ("State", {"fields": ("status", "status_reason", "live", "ticks", "ticks_failed", "last_tick_at")}),
        ("Schedule", {"fields": ("stagger_s", "last_slot", "lease_token", "lease_until", "created_at", "updated_at")}),
    )
    add_fieldsets = ((None, {"fields": DEFINITION}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The name is fixed once the bot is made: fleet files and events go by it."""
        return (*self.readonly_fields, "name") if obj is not None else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A bot is stopped, never deleted: its history stays."""
        return False

    def save_model(self, request: HttpRequest, obj: Bot, form: Any, change: bool) -> None:
        """Only what was edited: the rest of the row is being written by ticks."""
        edited = [name for name in DEFINITION if name in form.changed_data]
        if "account" in edited:
            obj.live = False  # leave to enter with money is given by go_live, for one account
            edited.append("live")
        obj.save(update_fields=[*edited, "updated_at"] if change else None)

    @display(description="status", ordering="status", label=STATUS_COLOURS)
    def state(self, bot: Bot) -> tuple[str, str]:
        return bot.status, bot.get_status_display()

    @display(description="capital")
    def allocated(self, bot: Bot) -> str:
        return f"{money(bot.capital, decimals_shown(bot.account.quote))} {bot.account.quote}"

    @display(description="ticks", ordering="ticks")
    def ticked(self, bot: Bot) -> str:
        return f"{bot.ticks} ({bot.ticks_failed} failed)" if bot.ticks_failed else str(bot.ticks)

    @display(description="last tick", ordering="last_tick_at")
    def last_tick(self, bot: Bot) -> str:
        return age(bot.last_tick_at)


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ModelAdmin):
    """Accounts. Exchange, currency and mode are fixed once the account is made."""

    list_display = ("name", "exchange", "quote", "mode", "key", "order_prefix", "created_at")
    search_fields = ("name",)
    readonly_fields: Any = ("key", "order_prefix", "created_at")
    fieldsets: Any = ((None, {"fields": ("name", "exchange", "quote", "mode", "key", "order_prefix", "created_at")}),)
    add_fieldsets: Any = ((None, {"fields": ("name", "exchange", "quote", "mode")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fixed = () if obj is None else ("exchange", "quote", "mode")
        return (*fixed, *self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Its history stays."""
        return False

    @display(description="API key")
    def key(self, account: ExchangeAccount) -> str:
        """Which one it is; the key itself is never shown."""
        try:
            return account.fingerprint or "-"
        except UnreadableSecret as error:
            return f"unreadable: {error}"


@admin.register(AiDay)
class AiDayAdmin(ReadOnlyAdmin):
    """How often the AI was called, by day."""

    list_display = ("day", "calls", "failures")


@admin.register(AiCircuit)
class AiCircuitAdmin(ReadOnlyAdmin):
    """Whether the AI is left alone for a while."""

    list_display = ("__str__", "rests")

    rests = at("rests_until", "not called before (UTC)")
