"""The one place that imports django-unfold, and how every list shows money, ages, states and links."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin as UnfoldModelAdmin
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter as UnfoldAutocompleteFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm, DropdownForm
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.views import ChangeList as UnfoldChangeList
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from notifications.models import Severity

__all__ = [
    "INPUT_CLASSES",
    "AdminPasswordChangeForm",
    "AutocompleteDropdownForm",
    "DropdownForm",
    "ModelAdmin",
    "ReadOnlyAdmin",
    "TabularInline",
    "UnfoldAdminDecimalFieldWidget",
    "UnfoldAdminPasswordWidget",
    "UnfoldAdminSelectWidget",
    "UnfoldAdminTextInputWidget",
    "UnfoldAutocompleteFilter",
    "UnfoldBooleanWidget",
    "UnfoldChangeList",
    "UserChangeForm",
    "UserCreationForm",
    "action",
    "age",
    "amount",
    "at",
    "change_link",
    "display",
    "moment",
    "money",
    "percent",
    "related",
    "rows_link",
    "signed",
    "typed",
]

SEVERITY_COLOURS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "danger"}

_NOTHING = "-"

F = TypeVar("F", bound=Callable[..., Any])


def display(
    *, description: str, ordering: str | None = None, label: Mapping[Any, str] | None = None
) -> Callable[[F], F]:
    """A column. ``label`` gives the colour of each value: default, info, success, warning, danger."""
    decorate = unfold_display(description=description, ordering=ordering, label=label)
    return cast(Callable[[F], F], decorate)


def action(*, description: str, permissions: list[str]) -> Callable[[F], F]:
    """An act on the rows selected in a list."""
    return cast(Callable[[F], F], unfold_action(description=description, permissions=permissions))


class ModelAdmin(UnfoldModelAdmin):  # type: ignore[misc]  # unfold has no types
    """A list that stays quick however long it is: no count of all rows, one page at a time."""

    show_full_result_count = False
    list_per_page = 100
    list_max_show_all = 0  # nobody needs a page without end: there are filters, and exports
    warn_unsaved_form = True


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the platform alone writes: whoever may see them may not change them here."""

    actions = None
    empty_text = ""
    """What will appear here, and when."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def amount(value: Decimal | None) -> str:
    """An amount in base, to its last digit."""
    return _NOTHING if value is None else f"{value:,f}"


def money(value: Decimal | None, decimals: int = 2) -> str:
    """An amount in quote, to so many decimals; the detail page has every digit."""
    return _NOTHING if value is None else f"{value:,.{decimals}f}"


def signed(value: Decimal | None, decimals: int = 2) -> str:
    """A profit or a loss, to so many decimals."""
    return _NOTHING if value is None else f"{value:+,.{decimals}f}"


def percent(value: Decimal | None) -> str:
    """A fraction as percent."""
    return _NOTHING if value is None else f"{(value * 100).normalize():f} %"


def moment(at: datetime | None) -> str:
    """A time in UTC, to the second."""
    return _NOTHING if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def age(at: datetime | None) -> str:
    """How long ago a wall time was."""
    if at is None:
        return "never"
    return span((timezone.now() - at).total_seconds())


def span(seconds: float) -> str:
    """A length of time in its largest unit that still says something: 119 s, 3 min, 26 h, 3 d."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def change_link(row: Model | None, text: str | None = None) -> SafeString | str:
    """A link to the row's own page."""
    if row is None:
        return _NOTHING
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, text or str(row))


def rows_link(model: type[Model], text: str, **lookups: Any) -> SafeString:
    """A link to the list of those rows."""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist", query=lookups)
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def at(name: str, description: str) -> Any:
    """A column with that time of the row, in UTC to the second."""

    @display(description=description, ordering=name)
    def column(self: ModelAdmin, obj: Model) -> str:
        return moment(getattr(obj, name))

    return column


def typed(text: str) -> SafeString:
    """A command to type, ready to be copied."""
    return format_html('<code class="typed">{}</code>', text)


def related(name: str, description: str | None = None) -> Any:
    """A column that links to the row a foreign key points at. Put the key into ``list_select_related``."""

    @display(description=description or name.replace("_", " "), ordering=name)
    def column(self: ModelAdmin, obj: Model) -> SafeString | str:
        return change_link(getattr(obj, name))

    return column
