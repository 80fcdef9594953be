"""The dead man's switch in the console: a check-in beside what is at stake, and the reset after it has triggered."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from notifications.admin_base import UnfoldAdminTextInputWidget, display, typed
from risk.admin import DeadMansSwitchAdmin
from risk.deadman import present_stage
from risk.deadman_stage import Stage
from risk.models import DeadMansSwitch
from tradingplatform import dead_man
from tradingplatform.alarm_texts import span
from tradingplatform.console.audit import by_user
from tradingplatform.typed import manage

PAGE = "risk_deadmansswitch_act"
PERMISSION = "risk.change_deadmansswitch"

admin.site.unregister(DeadMansSwitch)


class CheckInForm(forms.Form):
    """The code that is shown beside the exposure."""

    code = forms.CharField(max_length=16, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))


class ResetForm(forms.Form):
    """Made for one trigger: sent twice, or after the next one, it resets nothing."""

    latched_at = forms.CharField(max_length=40, widget=forms.HiddenInput)
    confirmation = forms.CharField(max_length=16, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)

    def clean_latched_at(self) -> datetime:
        try:
            at = datetime.fromisoformat(self.cleaned_data["latched_at"])
        except ValueError:
            raise forms.ValidationError("this form was changed: load the page again") from None
        return at

    def clean_confirmation(self) -> str:
        typed_text: str = self.cleaned_data["confirmation"]
        if typed_text != dead_man.RESET_CONFIRMATION:
            raise forms.ValidationError(f"type {dead_man.RESET_CONFIRMATION}")
        return typed_text


@admin.register(DeadMansSwitch)
class ConsoleSwitchAdmin(DeadMansSwitchAdmin):
    """The switch as it stands, and what a person does about it."""

    list_display = (*DeadMansSwitchAdmin.list_display, "remedy")
    fields = (
        "state",
        "remedy",
        *DeadMansSwitchAdmin.fields[1:],
        "alarmed_at",
        "flatten_after_h",
        "clock_suspect_at",
        "drilled_at",
    )
    readonly_fields = (*DeadMansSwitchAdmin.readonly_fields, "remedy")

    @display(description="what to do")
    def remedy(self, switch: DeadMansSwitch) -> SafeString:
        """A check-in as long as it helps; a switch that has triggered is reset. Here, or typed."""
        triggered = present_stage(timezone.now()) is Stage.TRIGGERED
        command = 'reset_switch --reason "..." --confirm RESET' if triggered else "checkin"
        link = '<a class="text-link" href="{}">{}</a> {}'
        text = "reset it" if triggered else "check in"
        return format_html(link, reverse(f"admin:{PAGE}"), text, typed(manage(command, settings.VAR)))

    def get_urls(self) -> Any:
        view = self.admin_site.admin_view(never_cache(self.act_view))
        return [path("act/", view, name=PAGE), *super().get_urls()]

    def act_view(self, request: HttpRequest) -> HttpResponse:
        """What is at stake, the code, and the forms; a POST is one of them."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        form: forms.Form | None = None
        if request.method == "POST":
            form = ResetForm(request.POST) if "latched_at" in request.POST else CheckInForm(request.POST)
            if form.is_valid():
                self._say(request, _reset if isinstance(form, ResetForm) else _check_in, form)
                return HttpResponseRedirect(reverse(f"admin:{PAGE}"))
        return self._page(request, form)

    def _page(self, request: HttpRequest, form: forms.Form | None) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": "Dead man's switch"}
        try:
            seen = dead_man.challenge(by_user(request, ""))
        except ValueError as problem:
            return TemplateResponse(request, "console/dead_man.html", {**context, "problem": str(problem)})
        latched_at = seen.switch.latched_at
        if latched_at is None:
            present: forms.Form = form if isinstance(form, CheckInForm) else CheckInForm()
        else:
            initial = {"latched_at": latched_at.isoformat()}
            present = form if isinstance(form, ResetForm) else ResetForm(initial=initial)
        shown = {"seen": seen, "left": span(seen.seconds_left), "form": present, "is_latched": latched_at is not None}
        return TemplateResponse(request, "console/dead_man.html", {**context, **shown})

    def _say(self, request: HttpRequest, act: Callable[[HttpRequest, forms.Form], str], form: forms.Form) -> None:
        try:
            self.message_user(request, act(request, form))
        except ValueError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)


def _check_in(request: HttpRequest, form: forms.Form) -> str:
    dead_man.check_in(by_user(request, ""), form.cleaned_data["code"])
    return "Checked in: the time begins anew."


def _reset(request: HttpRequest, form: forms.Form) -> str:
    given = form.cleaned_data
    paused = dead_man.reset_switch(by_user(request, given["reason"]), given["latched_at"])
    return f"The switch is armed again. {paused} {'bot is' if paused == 1 else 'bots are'} paused now: resume them."
