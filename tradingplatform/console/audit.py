"""Every edit in the console leaves an event: who, what, before and after."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest

from bots.models import Bot
from market.clock import load_clock
from market.money import canonical
from notifications.events import publish
from notifications.models import Severity
from risk.models import BotRiskLimits
from tradingplatform.acting import By


def by_user(request: HttpRequest, reason: str) -> By:
    """The logged-in user acts, now."""
    return By(
        actor=request.user.get_username(),
        now=load_clock(settings.CLOCK_FILE).now(),
        reason=reason,
        address=request.META.get("REMOTE_ADDR", ""),
    )


class AuditedAdmin:
    """Before a ModelAdmin among the bases: its saves are told by an event in the same transaction."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]  # the ModelAdmin behind it
        before = form.initial if change else {}
        changes = {
            name: {"from": _plain(before.get(name)), "to": _plain(form.cleaned_data.get(name))}
            for name in form.changed_data
        }
        by = by_user(request, "in the console")
        what = obj._meta.verbose_name
        done = f"changed {', '.join(changes) or 'nothing'}" if change else "created"
        publish(
            f"{str(what).replace(' ', '_')}_{'edited' if change else 'created'}",
            f"{by.actor} {done}: {obj if str(what) in str(obj) else f'{what} {obj}'}",
            severity=Severity.INFO,
            bot_id=_bot_id(obj),
            payload={"actor": by.actor, "address": request.META.get("REMOTE_ADDR", ""), "changes": changes},
            market_at=by.now.market_at,
            wall_at=by.now.wall_at,
        )


def _bot_id(row: Model) -> int | None:
    if isinstance(row, Bot):
        return row.pk
    return row.bot_id if isinstance(row, BotRiskLimits) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, Model):
        return str(value)
    return value if isinstance(value, str | int | dict | list | None) else str(value)
