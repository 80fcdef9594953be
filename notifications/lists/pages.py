"""Pages of a list that nobody has to count to its end."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

PAGES_COUNTED_TO = 10_000
"""Rows. Who looks for more than that filters, or exports."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # no parameter at run time
    """Counts up to a bound: what a page costs does not grow with what was kept before it."""

    template_name = "console/pages.html"

    @cached_property
    def counted(self) -> int:
        """Rows, at most one more than the bound."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: PAGES_COUNTED_TO + 1].count())

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than pages for them."""
        return self.counted > PAGES_COUNTED_TO

    @cached_property
    def count(self) -> int:
        return min(self.counted, PAGES_COUNTED_TO)

    def page(self, number: Any) -> Page:  # type: ignore[type-arg]
        """A page that is gone, because a filter left fewer, is the last one."""
        return super().page(max(1, min(_number(number), self.num_pages)))


def _number(number: Any) -> int:
    """A page's number; the first for what is none."""
    try:
        return int(number)
    except (TypeError, ValueError):
        return 1
