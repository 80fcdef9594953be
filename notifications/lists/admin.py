"""A long list: bounded pages, totals in its head, an export, and filters in one form."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import IGNORED_PARAMS, ORDER_VAR, SEARCH_VAR
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from notifications.admin_base import ReadOnlyAdmin, UnfoldChangeList
from notifications.lists.pages import BoundedPaginator
from notifications.lists.totals import TOTALLED_TO, Total

NOT_NARROWING = {*IGNORED_PARAMS, SEARCH_VAR}

Columns = Sequence[tuple[str, str]]
"""Of an export: a column of the row, or of one it belongs to (a__b), and its heading with the unit."""


class LongList(UnfoldChangeList):  # type: ignore[misc]  # unfold has no types
    """What its page shows beside the rows."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Always the same: one that the address asked for would sort the whole table."""
        for kept in (self.params, self.filter_params):
            kept.pop(ORDER_VAR, None)
        return list(super().get_ordering(request, queryset))

    def get_results(self, request: HttpRequest) -> None:
        """Of a page that is there; where none were counted, none are looked for again.

        Raises IncorrectLookupParameters for what no column can hold, such as a number of 30 digits.
        """
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error
        self.page_num: int = self.paginator.validate_number(self.page_num)
        self.full_result_count = (
            self.result_count
        )  # or the page's title would say it again, and be wrong when it is cut
        if not self.result_count:
            self.result_list = self.queryset.none()

    @cached_property
    def problems(self) -> list[str]:
        """What is wrong with the filters, in words; nothing is listed then."""
        return [problem for spec in self.filter_specs if (problem := getattr(spec, "problem", ""))]

    @cached_property
    def count_shown(self) -> str:
        """How many rows are filtered; of very many, that there are more than so many."""
        paginator = self.paginator
        return f"more than {paginator.count:,}" if paginator.is_cut else f"{paginator.count:,}"

    @cached_property
    def totals(self) -> list[Total]:
        """Of all that is filtered; empty where there is nothing to add up or too much of it."""
        if not self.result_count or self.too_many_to_total:
            return []
        return list(self.model_admin.totals(self.queryset))

    @cached_property
    def too_many_to_total(self) -> bool:
        """Whether adding up would keep the page waiting."""
        if not self.model_admin.has_totals or not self.paginator.is_cut:
            return False
        return bool(self.queryset.order_by().values("pk")[TOTALLED_TO : TOTALLED_TO + 1].exists())

    @property
    def totalled_to(self) -> str:
        return f"{TOTALLED_TO:,}"

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return any(value for name, value in self.params.items() if name not in IGNORED_PARAMS)

    @property
    def narrowed(self) -> list[tuple[str, str, str]]:
        """What a link to this list narrowed it to that no filter shows: of what, which, and the way to all."""
        shown = [(name, value) for name, value in self.kept_parameters() if name not in NOT_NARROWING]
        return [(name.partition("__")[0], value, self.get_query_string(remove=[name])) for name, value in shown]

    def kept_parameters(self) -> list[tuple[str, str]]:
        """What the form of the filters has to carry along: neither filters, nor the page."""
        used = {name for spec in self.filter_specs for name in spec.expected_parameters()}
        return [(name, value) for name, value in self.params.items() if name not in used]


class LongListAdmin(ReadOnlyAdmin):
    """Rows that the platform alone writes, of which there will be very many: newest first, by their id.

    No other order: each would sort the whole table.
    """

    paginator = BoundedPaginator
    list_per_page = 50
    show_facets = ShowFacets.NEVER
    sortable_by: Sequence[str] | None = ()
    list_filter_submit = True
    list_before_template = "console/list_head.html"
    export: Columns = ()
    """The columns of its CSV; none: it is not exported."""
    has_totals = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LongList]:
        return LongList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No pattern: it is tried on every row, and one that is no pattern, or a malicious one, breaks the query."""
        return not lookup.endswith("regex") and bool(super().lookup_allowed(lookup, value, request))

    def totals(self, rows: QuerySet[Any]) -> Iterable[Total]:
        """Figures over the filtered rows, computed by the database in a fixed number of queries."""
        return ()
