"""Accounts in the console: made with their initial capital."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from bots.admin import ExchangeAccountAdmin
from bots.definition import why_not_capital
from bots.models import ExchangeAccount
from execution.capital import book_capital
from notifications.admin_base import UnfoldAdminDecimalFieldWidget
from tradingplatform.console.audit import AuditedAdmin, by_user


class NewAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # no parameter at run time
    """An account is made with capital: without any its bots could buy nothing."""

    initial_capital = forms.DecimalField(
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="in the quote currency; later changes are deposits and withdrawals",
    )

    class Meta:
        model = ExchangeAccount
        fields = ("name", "exchange", "quote", "mode")

    def clean_exchange(self) -> str:
        exchange: str = self.cleaned_data["exchange"]
        if exchange != settings.EXCHANGE:
            raise forms.ValidationError(f"this platform runs on {settings.EXCHANGE!r}: use that")
        return exchange

    def clean_initial_capital(self) -> Decimal:
        capital: Decimal = self.cleaned_data["initial_capital"]
        for problem in why_not_capital(capital):
            raise forms.ValidationError(problem)
        return capital


admin.site.unregister(ExchangeAccount)


@admin.register(ExchangeAccount)
class ConsoleAccountAdmin(AuditedAdmin, ExchangeAccountAdmin):
    """Accounts. Deposits and withdrawals are made in the fleet file."""

    add_fieldsets = ((None, {"fields": ("name", "exchange", "quote", "mode", "initial_capital")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewAccountForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"exchange": settings.EXCHANGE, "quote": "USDT", **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: ExchangeAccount, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            by = by_user(request, "initial capital")
            book_capital(obj, form.cleaned_data["initial_capital"], f"{by.reason}, by {by.actor}", by.now)
