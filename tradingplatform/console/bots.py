"""Bots in the console: with their money and links, the checks that need the exchange, and what an operator may do."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from bots.admin import BotAdmin, BotForm
from bots.definition import why_not_capital
from bots.lifecycle import IllegalTransition
from bots.models import Bot
from execution.capital import capital_of
from execution.held import BotInUse, why_fixed
from execution.lock import NoPortfolio
from execution.models import BotBook, Order, Position
from execution.states import LIVE_POSITION
from market.money import decimals_shown
from notifications.admin_base import UnfoldAdminTextInputWidget, action, display, rows_link, signed
from notifications.models import Event
from risk.models import Decision
from tradingplatform import operator
from tradingplatform.acting import By
from tradingplatform.console.audit import AuditedAdmin, by_user
from tradingplatform.instruments import ExchangeUnreachable, instruments
from tradingplatform.limit_acts import LONGEST_REASON
from tradingplatform.symbols import why_unknown


class ConsoleBotForm(BotForm):
    """A bot's definition, also judged by what the exchange trades and by what the bot holds."""

    reason = forms.CharField(
        required=False, max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="kept for ever"
    )
    confirmation = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="the bot's name")

    def _post_clean(self) -> None:
        """After the bot's own judgement, which is the better answer where both have one."""
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
        if "symbol" in self.changed_data and "symbol" not in self.errors:
            self._check_symbol()
        if self.instance.pk is not None and not self.errors:
            for field, problem in why_fixed(self.instance, Bot.objects.get(pk=self.instance.pk)).items():
                self.add_error(field, problem)
        if {"capital", "account"} & set(self.changed_data) and not {"capital", "account"} & set(self.errors):
            account = self.instance.account
            for problem in why_not_capital(self.instance.capital, capital_of(account.pk), account.quote):
                self.add_error("capital", problem)
        if self.instance.pk is not None and "capital" in self.changed_data and "capital" not in self.errors:
            self._check_raised()

    def _check_raised(self) -> None:
        """Its limits are parts of its capital: with more of it they let more through."""
        stored = Bot.objects.get(pk=self.instance.pk)
        if self.instance.capital <= stored.capital:
            return
        if not self.cleaned_data.get("reason"):
            self.add_error("reason", "more capital loosens the bot's limits: give a reason")
        if self.cleaned_data.get("confirmation") != stored.name:
            self.add_error("confirmation", f"more capital loosens the bot's limits: type {stored.name} to confirm it")

    def _check_symbol(self) -> None:
        try:
            problem = why_unknown(self.instance.symbol, instruments())
        except ExchangeUnreachable as error:
            problem = str(error)
        if problem:
            self.add_error("symbol", problem)


class ReasonForm(forms.Form):
    """Why an operator does something."""

    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)


admin.site.unregister(Bot)


@admin.register(Bot)
class ConsoleBotAdmin(AuditedAdmin, BotAdmin):
    """The fleet."""

    form = ConsoleBotForm
    list_display = (
        "name",
        "state",
        "symbol",
        "timeframe",
        "strategy",
        "allocated",
        "holds",
        "unrealised",
        "realised",
        "ticked",
        "last_tick",
        "links",
    )
    list_select_related = ("account", "book")
    actions = ("start", "pause", "resume", "stop", "reset")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bot]:
        bots: QuerySet[Bot] = super().get_queryset(request)
        return bots.prefetch_related(_live_positions())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return fieldsets
        first, *rest = fieldsets
        return [first, ("To raise its capital", {"fields": ("reason", "confirmation")}), *rest]

    @display(description="position", label={"": "default"})
    def holds(self, bot: Bot) -> str:
        return ", ".join(position.status for position in bot.live_positions)  # type: ignore[attr-defined]

    @display(description="unrealised")
    def unrealised(self, bot: Bot) -> str:
        return signed(book.unrealised, decimals_shown(bot.account.quote)) if (book := _book(bot)) else "-"

    @display(description="realised")
    def realised(self, bot: Bot) -> str:
        return signed(book.realised, decimals_shown(bot.account.quote)) if (book := _book(bot)) else "-"

    @display(description="more")
    def links(self, bot: Bot) -> SafeString:
        pages = ((Position, "positions"), (Order, "orders"), (Decision, "decisions"))
        links = [rows_link(model, text, bot__id__exact=bot.pk) for model, text in pages]
        return SafeString(" ".join([*links, rows_link(Event, "events", bot_id=bot.pk)]))

    @action(description="Start", permissions=["change"])
    def start(self, request: HttpRequest, bots: QuerySet[Bot]) -> None:
        self._act(request, bots, operator.start_bot, "started")

    @action(description="Pause: no more entries", permissions=["change"])
    def pause(self, request: HttpRequest, bots: QuerySet[Bot]) -> None:
        self._act(request, bots, operator.pause_bot, "paused")

    @action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, bots: QuerySet[Bot]) -> None:
        self._act(request, bots, operator.resume_bot, "resumed")

    @action(description="Stop: take out of service", permissions=["change"])
    def stop(self, request: HttpRequest, bots: QuerySet[Bot]) -> None:
        self._act(request, bots, operator.stop_bot, "stopped")

    @action(description="Reset: acknowledge a halt", permissions=["change"])
    def reset(self, request: HttpRequest, bots: QuerySet[Bot]) -> HttpResponse | None:
        """Asks for the reason first: a halt is never cleared without one."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self._act(request, bots, operator.reset_bot, "reset, and paused now", form.cleaned_data["reason"])
            return None
        context = {**self.admin_site.each_context(request), "title": "Reset bots", "bots": bots, "form": form}
        return TemplateResponse(request, "console/reset_bots.html", context)

    def _act(
        self,
        request: HttpRequest,
        bots: QuerySet[Bot],
        act: Callable[[Bot, By], Bot],
        done: str,
        reason: str = "in the console",
    ) -> None:
        """Each bot by itself: one that may not does not keep the others."""
        by = by_user(request, reason)
        count = 0
        for bot in bots:
            try:
                act(bot, by)
            except (IllegalTransition, BotInUse, NoPortfolio) as refusal:
                self.message_user(request, str(refusal), messages.WARNING)
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {'bot' if count == 1 else 'bots'} {done}")


def _live_positions() -> Any:
    live = Position.objects.filter(status__in=list(LIVE_POSITION)).only("bot_id", "status")
    return Prefetch("positions", queryset=live, to_attr="live_positions")


def _book(bot: Bot) -> BotBook | None:
    return getattr(bot, "book", None)
