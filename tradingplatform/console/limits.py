"""Limits in the console: changed one by one through the same act as on the command line, never by saving the row."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseRedirect

from bots.models import Bot, ExchangeAccount
from notifications.admin_base import UnfoldAdminTextInputWidget, display
from risk.admin import BotRiskLimitsAdmin, PortfolioRiskLimitsAdmin
from risk.limit_changes import Row, waiting_of
from risk.limit_rules import loosens, names_of, plain, read_limit
from risk.models import BotRiskLimits, PortfolioRiskLimits
from tradingplatform.console.audit import by_user
from tradingplatform.limit_acts import LONGEST_REASON, change_limit, kind_of, withdraw_changes

admin.site.unregister(BotRiskLimits)
admin.site.unregister(PortfolioRiskLimits)


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameter at run time
    """Limits as typed, and what a change of them needs. The row stays as it is: ``change_limit`` writes it."""

    reason = forms.CharField(max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget, help_text="kept for ever")
    confirmation = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="to loosen a limit, type the name of the bot or account; it holds from the next slot on",
    )
    withdraw_waiting = forms.BooleanField(required=False, label="Withdraw all changes that wait")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.limit_names():
            self.fields[name] = forms.CharField(
                initial=plain(getattr(self.instance, name)),
                widget=UnfoldAdminTextInputWidget,
                help_text=self.instance._meta.get_field(name).help_text,
            )
            self.initial[name] = plain(getattr(self.instance, name))

    def limit_names(self) -> tuple[str, ...]:
        """The limits of this row that the form shows."""
        return tuple(name for name in names_of(kind_of(whose(self.instance))) if name in self.fields)

    def clean(self) -> dict[str, Any]:
        """Every problem at its field, before anything is changed."""
        cleaned = super().clean() or self.cleaned_data
        self.wanted: dict[str, str] = {}
        for name in self.limit_names():
            if name in cleaned and name in self.changed_data:
                self._judge(name, cleaned[name], cleaned.get("confirmation", ""))
        return cleaned

    def _judge(self, name: str, text: str, confirmation: str) -> None:
        owner, present = whose(self.instance), getattr(self.instance, name)
        try:
            value = read_limit(kind_of(owner), name, text)
        except ValueError as error:
            self.add_error(name, str(error))
            return
        if value == present:  # in another spelling
            return
        self.wanted[name] = text
        if loosens(name, present, value) and confirmation != owner.name:
            self.add_error("confirmation", f"{name} would be loosened: type {owner.name} to confirm it")

    def _post_clean(self) -> None:
        """The row stays as it is: it is not this form that writes it."""


def whose(row: Row) -> Bot | ExchangeAccount:
    """The bot or the account that the limits are of."""
    return row.bot if isinstance(row, BotRiskLimits) else row.account


class RefusedSince(Exception):
    """The act was refused although its form had been found right."""


class ChangedByAct:
    """Before a LimitsAdmin among the bases: its form is carried out by ``change_limit``, its row never saved."""

    form = LimitsForm

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(f"risk.change_{self.opts.model_name}"))  # type: ignore[attr-defined]

    @display(description="changes that wait")
    def waiting(self, row: Row) -> str:
        return "; ".join(
            f"{change.name} {change.after} from {change.effective_at:%Y-%m-%d %H:%M} UTC of market time"
            for change in waiting_of(row)
        )

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What somebody else changed since the form was judged may refuse the act: then nothing was changed."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]  # the ModelAdmin behind it
        except RefusedSince as refusal:
            messages.error(request, f"Nothing was changed: {refusal}")
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Row, form: LimitsForm, change: bool) -> None:
        """Inside the view's transaction. Raises RefusedSince."""
        by, given = by_user(request, form.cleaned_data["reason"]), form.cleaned_data
        try:
            if given["withdraw_waiting"]:
                withdraw_changes(whose(obj), by)
            for name, text in form.wanted.items():
                change_limit(whose(obj), name, text, by, given["confirmation"])
        except ValueError as error:
            raise RefusedSince(str(error)) from error


@admin.register(BotRiskLimits)
class ConsoleBotLimitsAdmin(ChangedByAct, BotRiskLimitsAdmin):
    """Checks 2 to 5 and the order rate, by bot."""

    readonly_fields = ("bot", "waiting", "updated_at")


@admin.register(PortfolioRiskLimits)
class ConsolePortfolioLimitsAdmin(ChangedByAct, PortfolioRiskLimitsAdmin):
    """Checks 6 to 8, and what bounds each order, by account."""

    readonly_fields = ("account", "waiting", "updated_at")
