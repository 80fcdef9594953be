"""Every edit in the console leaves an audit entry and an event: who, what, before and after."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bots.models import Bot
from market.clock import load_clock
from market.money import canonical
from notifications.events import publish
from notifications.models import Severity
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
    """Before a ModelAdmin among the bases: its saves and deletions leave their trace, in the same transaction."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After the row and all that belongs to it."""
        super().save_related(request, form, formsets, change)  # type: ignore[misc]  # the ModelAdmin behind it
        before, after = _before_and_after(form, change)
        done = f"changed {', '.join(after) or 'nothing'}" if change else "created"
        leave_trace(request, form.instance, "edited" if change else "created", done, before, after)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        leave_trace(request, obj, "deleted", "deleted", {"deleted": str(obj)}, {})
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            leave_trace(request, obj, "deleted", "deleted", {"deleted": str(obj)}, {})
        super().delete_queryset(request, queryset)  # type: ignore[misc]


def leave_trace(
    request: HttpRequest, row: Model, act: str, done: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """The audit entry and the event of an act on a row, in the running transaction. ``done``: the act in words."""
    by, what = by_user(request, "in the console"), str(row._meta.verbose_name)
    subject = str(row) if what in str(row) else f"{what} {row}"
    kind = f"{what.replace(' ', '_')}_{act}"
    by.audit(kind, subject, bot_id=_bot_id(row), before=before, after=after)
    changes = {name: {"from": before.get(name), "to": value} for name, value in after.items()}
    publish(
        kind,
        f"{by.actor} {done}: {subject}",
        severity=Severity.INFO,
        bot_id=_bot_id(row),
        payload={"actor": by.actor, "address": by.address, "changes": changes},
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )


def _before_and_after(form: Any, change: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was edited, by field. A password is in neither."""
    edited = [name for name in form.changed_data if "password" not in name]
    before = {name: _plain(form.initial.get(name)) for name in edited} if change else {}
    return before, {name: _plain(form.cleaned_data.get(name)) for name in edited}


def _bot_id(row: Model) -> int | None:
    return row.pk if isinstance(row, Bot) else None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, str | int | dict | None):
        return value
    if isinstance(value, Iterable) and not isinstance(value, Model):
        return [_plain(item) for item in value]
    return str(value)
