"""Halts in the console: beside what is wrong stands what to type."""

import shlex

from django.conf import settings
from django.contrib import admin
from django.utils.safestring import SafeString

from notifications.admin_base import display, typed
from risk.admin import HaltAdmin
from risk.models import Halt
from tradingplatform.typed import manage

admin.site.unregister(Halt)


@admin.register(Halt)
class ConsoleHaltAdmin(HaltAdmin):
    """Stops of entries, in force and cleared."""

    readonly_fields = ("clearing",)

    @display(description="how to clear it, or who did")
    def clearing(self, halt: Halt) -> SafeString | str:
        if halt.cleared_at is not None:
            return super().clearing(halt)
        if halt.bot is not None:
            return _with_reason(f"reset_bot {shlex.quote(halt.bot.name)}")
        return _with_reason(f"clear_halt {shlex.quote(halt.account.name) if halt.account else '--all'}")


def _with_reason(command: str) -> SafeString:
    return typed(manage(f'{command} --reason "..."', settings.VAR))
