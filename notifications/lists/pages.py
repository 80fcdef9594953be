"""Pages of a list that nobody has to count to its end."""

from typing import Any

from django.core.paginator import Paginator
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

    def validate_number(self, number: Any) -> int:
        """A page that is gone, because a filter left fewer, is the last one; what is no number is the first."""
        try:
            return max(1, min(int(number), self.num_pages))
        except (TypeError, ValueError):
            return 1
