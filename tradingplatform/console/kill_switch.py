"""The kill switch in the console: one act with a typed confirmation, and one to let it go on."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from bots.models import Bot, ExchangeAccount
from notifications.admin_base import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget
from risk.halts import OPERATOR, in_force
from tradingplatform import kill_switch
from tradingplatform.acting import By
from tradingplatform.console.audit import by_user

CONFIRMATION = "HALT"
EVERYTHING = "everything"

Choices = list[tuple[str, str]]


class ScopeForm(forms.Form):
    """What is meant, and why."""

    scope = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, choices: Callable[[], Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].choices = choices()  # type: ignore[attr-defined]  # it is a ChoiceField


class HaltForm(ScopeForm):
    """A halt: typed, so that no stray click pulls it."""

    closes = forms.BooleanField(required=False, label="Sell what is held", widget=UnfoldBooleanWidget)
    confirmation = forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed != CONFIRMATION:
            raise forms.ValidationError(f"type {CONFIRMATION}, in capitals, to halt: nothing was halted")
        return typed


def kill_switch_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """What is halted, and the two acts. Seen by whoever may see halts; halting and resuming need their own right."""
    if not request.user.has_perm("risk.view_halt"):
        raise PermissionDenied
    act = request.POST.get("act") if request.method == "POST" else None
    halt = HaltForm(request.POST if act == "halt" else None, choices=_haltable, prefix="halt")
    resume = ScopeForm(request.POST if act == "resume" else None, choices=_resumable, prefix="resume")
    if act == "halt" and _may(request, "risk.add_halt") and halt.is_valid() and _halt(request, halt):
        return _back()
    if act == "resume" and _may(request, "risk.change_halt") and resume.is_valid() and _resume(request, resume):
        return _back()
    context = {
        **site.each_context(request),
        "title": "Kill switch",
        "halts": in_force().select_related("account", "bot"),
        "halt_form": halt,
        "resume_form": resume if _resumable() else None,
        "may_halt": request.user.has_perm("risk.add_halt"),
        "may_resume": request.user.has_perm("risk.change_halt"),
        "confirmation": CONFIRMATION,
    }
    return TemplateResponse(request, "console/kill_switch.html", context)


def _may(request: HttpRequest, permission: str) -> bool:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return True


def _back() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:risk_halt_kill_switch"))


def _halt(request: HttpRequest, form: HaltForm) -> bool:
    by, closes = by_user(request, form.cleaned_data["reason"]), form.cleaned_data["closes"]
    kind, _, key = form.cleaned_data["scope"].partition(":")
    try:
        halt = _halted(kind, key, by, closes)
    except OperationalError as error:
        messages.error(request, f"NOTHING WAS HALTED, the database cannot be written ({error}): try again")
        return False
    sells = ", and what is held is sold" if halt.closes else ""
    messages.warning(request, f"HALTED: {halt.scope} enters nothing any more{sells}")
    return True


def _halted(kind: str, key: str, by: By, closes: bool) -> Any:
    match kind:
        case "account":
            return kill_switch.halt_account(ExchangeAccount.objects.get(pk=key), by, closes)
        case "bot":
            return kill_switch.halt_bot(Bot.objects.select_related("account").get(pk=key), by, closes)
    return kill_switch.halt_everything(by, closes)


def _resume(request: HttpRequest, form: ScopeForm) -> bool:
    by = by_user(request, form.cleaned_data["reason"])
    kind, _, key = form.cleaned_data["scope"].partition(":")
    try:
        _resumed(kind, key, by)
    except OperationalError as error:
        messages.error(request, f"Nothing was resumed, the database cannot be written ({error}): try again")
        return False
    messages.success(request, "The halt is over; what else is halted stands below")
    return True


def _resumed(kind: str, key: str, by: By) -> int:
    match kind:
        case "account":
            return kill_switch.resume_account(ExchangeAccount.objects.get(pk=key), by)
        case "bot":
            return kill_switch.resume_bot_trading(Bot.objects.select_related("account").get(pk=key), by)
    return kill_switch.resume_everything(by)


def _haltable() -> Choices:
    accounts = ExchangeAccount.objects.order_by("pk").values_list("pk", "name")
    bots = Bot.objects.order_by("pk").values_list("pk", "name")
    return [
        (EVERYTHING, "Everything, on every account"),
        *((f"account:{pk}", f"Account {name}") for pk, name in accounts),
        *((f"bot:{pk}", f"Bot {name}") for pk, name in bots),
    ]


def _resumable() -> Choices:
    """What a person halted, and whatever halts everything."""
    found: Choices = []
    for halt in in_force().select_related("account", "bot"):
        if halt.account_id is None:
            found.append((EVERYTHING, halt.scope))
        elif halt.cause == OPERATOR:
            found.append((f"bot:{halt.bot_id}" if halt.bot_id else f"account:{halt.account_id}", halt.scope))
    return list(dict.fromkeys(found))
