"""How a list shows profit and loss, units, and times with their age."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notifications.admin_base import ModelAdmin, amount, display, moment, money, signed, span

NOTHING = "-"


def in_unit(value: Decimal | None, unit: str) -> str:
    """An amount to its last digit, with what it is an amount of."""
    return NOTHING if value is None else f"{amount(value)} {unit}"


def in_currency(value: Decimal | None, currency: str, decimals: int) -> str:
    """Money to so many decimals, with its currency."""
    return NOTHING if value is None else f"{money(value, decimals)} {currency}"


def profit(value: Decimal | None, decimals: int, currency: str = "") -> SafeString | str:
    """A profit or a loss by sign and colour. The sign alone says it too: not everybody sees the colour."""
    if value is None:
        return NOTHING
    colour = "gain" if value > 0 else "loss" if value < 0 else "even"
    return format_html('<span class="{}">{}</span>', colour, f"{signed(value, decimals)} {currency}".strip())


def when(at: datetime | None, now: datetime, clock: str = "") -> SafeString | str:
    """A time in UTC to the second, and beside it how long ago that was on the same ``clock`` (its name)."""
    if at is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}">{} <span class="age">{}</span></time>',
        exactly(at),
        f"{moment(at)} UTC{f', {clock}' if clock else ''}",
        moment(at),
        f"{span((now - at).total_seconds())} ago" if at <= now else "",
    )


def ago(at: datetime | None, now: datetime, clock: str = "") -> SafeString | str:
    """How long ago it was, and on hovering when exactly: where another time of the row is shown in full."""
    if at is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}">{} ago</time>',
        exactly(at),
        f"{moment(at)} UTC{f', {clock}' if clock else ''}",
        span((now - at).total_seconds()),
    )


def exactly(at: datetime) -> str:
    """A time for programs: ISO 8601 in UTC, with all that is stored."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def wall_when(name: str, description: str) -> Any:
    """A column with that wall time of the row, and its age."""

    @display(description=description, ordering=name)
    def column(self: ModelAdmin, obj: Model) -> SafeString | str:
        return when(getattr(obj, name), timezone.now(), "wall time")

    return column


def wall_ago(name: str, description: str) -> Any:
    """A column with the age of that wall time of the row."""

    @display(description=description, ordering=name)
    def column(self: ModelAdmin, obj: Model) -> SafeString | str:
        return ago(getattr(obj, name), timezone.now(), "wall time")

    return column


def links(*made: SafeString | str) -> SafeString:
    """Several links in one cell; what leads nowhere is left out."""
    return SafeString(" ".join(link for link in made if link != NOTHING))


def row_link(model: type[Model], key: object, text: str) -> SafeString | str:
    """A link to the page of the row with that key, which need not be loaded for it."""
    if key is None:
        return NOTHING
    meta = model._meta
    return format_html(
        '<a class="text-link" href="{}">{}</a>',
        reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[key]),
        text,
    )
