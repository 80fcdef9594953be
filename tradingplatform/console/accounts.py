"""Accounts in the console: made with their initial capital, on paper; the API key of a LIVE one may be replaced."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from bots.admin import ExchangeAccountAdmin
from bots.definition import why_not_capital
from bots.encrypted import Secret
from bots.live_exchanges import NOT_YET
from bots.models import ExchangeAccount, Mode
from execution.capital import book_capital
from notifications.admin_base import UnfoldAdminDecimalFieldWidget, UnfoldAdminPasswordWidget
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

    def clean_mode(self) -> str:
        mode: str = self.cleaned_data["mode"]
        if mode == Mode.LIVE:
            raise forms.ValidationError(f"a LIVE account is made by `manage.py connect_account`; {NOT_YET}")
        return mode

    def clean_initial_capital(self) -> Decimal:
        capital: Decimal = self.cleaned_data["initial_capital"]
        for problem in why_not_capital(capital):
            raise forms.ValidationError(problem)
        return capital


class NewSecretField(forms.CharField):
    """A secret to store instead of the present one, which is not shown; empty for no change. Cleaned, it is sealed."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})
        super().__init__(required=False, widget=widget, help_text="empty: unchanged", **options)

    def clean(self, value: Any) -> Any:
        return Secret.seal(super().clean(value))


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A LIVE account and its new key, if there is one. The next check asks the exchange about it."""

    new_api_key = NewSecretField()
    new_api_secret = NewSecretField()

    def _post_clean(self) -> None:
        if new := self.cleaned_data.get("new_api_key"):
            self.instance.api_key = new
        if new := self.cleaned_data.get("new_api_secret"):
            self.instance.api_secret = new
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out


admin.site.unregister(ExchangeAccount)


@admin.register(ExchangeAccount)
class ConsoleAccountAdmin(AuditedAdmin, ExchangeAccountAdmin):
    """Accounts. Deposits and withdrawals are made in the fleet file."""

    add_fieldsets = ((None, {"fields": ("name", "exchange", "quote", "mode", "initial_capital")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewAccountForm
        elif _may_replace_keys(request, obj):
            kwargs["form"] = KeyForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not _may_replace_keys(request, obj):
            return fieldsets
        return [*fieldsets, ("Replace the API key", {"fields": ("new_api_key", "new_api_secret")})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"exchange": settings.EXCHANGE, "quote": "USDT", **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: ExchangeAccount, form: Any, change: bool) -> None:
        stored = ExchangeAccount.objects.filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        if stored is not None and (stored.api_key, stored.api_secret) != (obj.api_key, obj.api_secret):
            before, after = {"key": self.key(stored)}, {"key": self.key(obj)}
            by_user(request, "in the console").audit("replace_key", f"account {obj}", before=before, after=after)
        if not change:
            by = by_user(request, "initial capital")
            book_capital(obj, form.cleaned_data["initial_capital"], f"{by.reason}, by {by.actor}", by.now)


def _may_replace_keys(request: HttpRequest, account: ExchangeAccount) -> bool:
    return account.is_live and request.user.has_perm("bots.replace_keys")
