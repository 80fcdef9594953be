"""Every edit in the console leaves an audit entry and an event: who, what, before and after."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bots.models import Bot, ExchangeAccount
from market.clock import load_clock
from market.money import canonical
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity
from tradingplatform.acting import By
from tradingplatform.event_kinds import (
    AccountCreated,
    AccountEdited,
    BotCreated,
    BotEdited,
    Edit,
    GroupCreated,
    GroupDeleted,
    GroupEdited,
    UserCreated,
    UserDeleted,
    UserEdited,
    UserPasswordChanged,
)

EDITS: Mapping[type[Model], Mapping[str, type[Edit]]] = {
    Bot: {"edited": BotEdited},
    ExchangeAccount: {"created": AccountCreated, "edited": AccountEdited},
    User: {
        "created": UserCreated,
        "edited": UserEdited,
        "deleted": UserDeleted,
        "password_changed": UserPasswordChanged,
    },
    Group: {"created": GroupCreated, "edited": GroupEdited, "deleted": GroupDeleted},
}
"""The kind of event of each act on a row. A bot that is made has one more, whoever makes it."""

SAID = ("reason", "confirmation")
"""Fields of a form that say why: they are no change."""

IN_CONSOLE = "in the console"


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
        reason = form.cleaned_data.get("reason") or IN_CONSOLE
        leave_trace(request, form.instance, "edited" if change else "created", done, before, after, reason)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        leave_trace(request, obj, "deleted", "deleted", {"deleted": str(obj)}, {})
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            leave_trace(request, obj, "deleted", "deleted", {"deleted": str(obj)}, {})
        super().delete_queryset(request, queryset)  # type: ignore[misc]


def leave_trace(
    request: HttpRequest,
    row: Model,
    act: str,
    done: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str = IN_CONSOLE,
) -> None:
    """The audit entry and the event of an act on a row, in the running transaction. ``done``: the act in words."""
    by, what = by_user(request, reason), str(row._meta.verbose_name)
    subject = str(row) if what in str(row) else f"{what} {row}"
    payload = _payload(row, act, before, after, by)
    by.audit(payload.kind, subject, bot_id=_bot_id(row), before=before, after=after)
    publish(
        payload,
        f"{by.actor} {done}: {subject}",
        severity=Severity.INFO,
        bot_id=_bot_id(row),
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )


def _payload(row: Model, act: str, before: Mapping[str, Any], after: Mapping[str, Any], by: By) -> Payload:
    if isinstance(row, Bot) and act == "created":
        return BotCreated(by.actor, row.strategy, row.symbol, row.timeframe)
    changes = {name: {"from": before.get(name), "to": value} for name, value in after.items()}
    return EDITS[type(row)][act](by.actor, by.address, changes)


def _before_and_after(form: Any, change: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was edited, by field. A password is in neither."""
    edited = [name for name in form.changed_data if "password" not in name and name not in SAID]
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
