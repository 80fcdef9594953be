"""Filters of the long lists. None of them asks the filtered table what there is to choose from."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import FieldListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from notifications.admin_base import INPUT_CLASSES, DropdownForm
from notifications.lists.days import Days, asked_days, presets


class OneOf(FieldListFilter):
    """One value of a column, chosen from a list: the column's choices, or what ``options`` gives."""

    template = "unfold/filters/filters_field.html"
    form_class = DropdownForm
    operator = "exact"

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, admin: Any, field_path: str) -> None:
        self.lookup = f"{field_path}__{self.operator}"
        self.chosen = _last(params.get(self.lookup))  # as it was given: of isnull Django would make a boolean
        super().__init__(field, request, params, model, admin, field_path)
        self.title = str(self.title).capitalize()

    def options(self) -> Iterable[tuple[str, str]]:
        """Value and words of each."""
        return self.field.flatchoices

    def expected_parameters(self) -> list[str]:  # type: ignore[override]
        return [self.lookup]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.chosen}) if self.chosen else queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        options = [("", "All"), *((str(value), str(words)) for value, words in self.options())]
        if self.chosen not in {value for value, _ in options}:
            options.append((self.chosen, self.chosen))
        yield {
            "selected": bool(self.chosen),
            "form": self.form_class(
                label=self.title, name=self.lookup, choices=options, data={self.lookup: self.chosen}
            ),
        }


class YesOrNo(OneOf):
    """A boolean column; ``words``: of true and of false."""

    words = ("Yes", "No")

    def options(self) -> Iterable[tuple[str, str]]:
        return zip(("1", "0"), self.words, strict=True)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.lookup: self.chosen == "1"}) if self.chosen in ("0", "1") else queryset


class IsEmpty(YesOrNo):
    """Whether a column that may be empty is."""

    operator = "isnull"


class DaysForm(forms.Form):
    """From and to, in the browser's own calendar."""

    def __init__(self, first: str, last: str, **options: Any) -> None:
        super().__init__(**options)
        for name, label in ((first, "From"), (last, "To")):
            widget = forms.DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES), "aria-label": label})
            self.fields[name] = forms.CharField(label=label, required=False, widget=widget)


class WallDays(FieldListFilter):
    """A range of whole UTC days of wall time. What cannot be read filters everything out, and says why."""

    template = "console/days_filter.html"
    form_class = DaysForm
    clock = "wall time"

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, admin: Any, field_path: str) -> None:
        self.first, self.last = f"{field_path}_from", f"{field_path}_to"
        super().__init__(field, request, params, model, admin, field_path)
        self.typed = {name: _last(self.used_parameters.get(name)) for name in (self.first, self.last)}
        self.title = f"Days ({self.clock}, UTC)"
        self.problem = ""
        try:
            self.days = asked_days(self.typed[self.first], self.typed[self.last])
        except ValueError as error:
            self.problem = str(error)

    def now(self) -> datetime:
        """The moment that "today" is judged by."""
        return timezone.now()

    def expected_parameters(self) -> list[str]:  # type: ignore[override]
        return [self.first, self.last]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.problem:
            return queryset.none()
        ends = {f"{self.field_path}__gte": self.days.begins_at, f"{self.field_path}__lt": self.days.ends_at}
        return queryset.filter(**{lookup: at for lookup, at in ends.items() if at is not None})

    def choices(self, changelist: Any) -> Iterator[Any]:
        form = self.form_class(self.first, self.last, data=self.typed)
        yield {"selected": any(self.typed.values()), "form": form}
        for name, days in presets(self.now()):
            yield {
                "display": name,
                "selected": not self.problem and days == self.days,
                "query_string": changelist.get_query_string(self._as_typed(days)),
            }

    def _as_typed(self, days: Days) -> dict[str, str]:
        return {self.first: str(days.first or ""), self.last: str(days.last or "")}


def _last(values: Any) -> str:
    """Of a parameter given several times, the last; empty for none."""
    if isinstance(values, list):
        values = values[-1] if values else ""
    return str(values or "")
