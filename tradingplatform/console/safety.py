"""Halts in the console: beside what is wrong stands what to type."""

from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.utils.safestring import SafeString

from notifications.admin_base import display, moment, typed
from risk.admin import HaltAdmin
from risk.models import Halt
from tradingplatform.alarms import halt_state
from tradingplatform.console.kill_switch import kill_switch_page
from tradingplatform.halt_remedies import remedy
from tradingplatform.typed import manage

admin.site.unregister(Halt)


@admin.register(Halt)
class ConsoleHaltAdmin(HaltAdmin):
    """Stops of entries, in force and cleared."""

    readonly_fields = ("clearing",)

    def get_urls(self) -> list[Any]:
        """The kill switch before the halts' own pages."""
        page = self.admin_site.admin_view(partial(kill_switch_page, site=self.admin_site))
        return [path("kill-switch/", page, name="risk_halt_kill_switch"), *super().get_urls()]

    @display(description="how to clear it, or who did")
    def clearing(self, halt: Halt) -> SafeString | str:
        if halt.cleared_at is not None:
            return super().clearing(halt)
        if command := remedy(halt_state(halt)):
            return typed(manage(command, settings.VAR))
        return f"by itself at {moment(halt.until)} UTC of market time"
