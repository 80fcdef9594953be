"""The export of a list: all rows that are filtered, as CSV, in bounded memory; who took what is in the audit trail."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.views.decorators.http import require_POST

from notifications.lists.admin import Columns, LongList, LongListAdmin
from tradingplatform.acting import By
from tradingplatform.console.audit import by_user
from tradingplatform.csv_cells import lines

MOST_ROWS = 1_000_000
"""More than a spreadsheet opens; who wants more asks in parts."""

AT_A_TIME = 2_000
"""Rows that are read, and kept in memory, at once."""


@require_POST
def export(request: HttpRequest, app: str, model: str) -> HttpResponseBase:
    """The list's filters and search are in the address, as in the list's own. Refused in words on the list's page."""
    exported = _admin_of(app, model)
    if not exported.has_view_permission(request):
        raise PermissionDenied
    try:
        found: LongList = exported.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return HttpResponse("the filters cannot be read: nothing was exported", status=400, content_type="text/plain")
    rows, count = _up_to_now(found.queryset)
    refusal = _why_not(found, count)
    if refusal:
        messages.error(request, f"Nothing was exported: {refusal}.")
        return HttpResponseRedirect(reverse(f"admin:{app}_{model}_changelist") + found.get_query_string())
    by = by_user(request, "")
    _leave_trace(by, found, count)
    return _answer(request, f"{model}-{by.now.wall_at:%Y%m%dT%H%M%SZ}.csv", rows, exported.export)


def _admin_of(app: str, model: str) -> LongListAdmin:
    """Raises Http404 for what has no export."""
    try:
        found = admin.site._registry.get(apps.get_model(app, model))
    except LookupError:
        found = None
    if not isinstance(found, LongListAdmin) or not found.export:
        raise Http404("there is no such list to export")
    return found


def _up_to_now(rows: QuerySet[Any]) -> tuple[QuerySet[Any], int]:
    """What is there now, newest first, and how many, counted to just above the most; later rows are not among them."""
    rows = rows.order_by("-pk")
    newest = rows.values_list("pk", flat=True).first()
    rows = rows.filter(pk__lte=newest) if newest is not None else rows.none()
    return rows, rows.order_by().values("pk")[: MOST_ROWS + 1].count()


def _why_not(found: LongList, count: int) -> str:
    if found.problems:
        return "; ".join(found.problems)
    if count > MOST_ROWS:
        return f"there are more than {MOST_ROWS:,} rows; narrow the filters, by days for instance"
    return ""


def _leave_trace(by: By, found: LongList, count: int) -> None:
    filters = {name: value for name, value in found.params.items() if value}
    with transaction.atomic():
        by.audit("export", str(found.opts.verbose_name_plural), after={"rows": count, "filters": filters})


def _answer(request: HttpRequest, name: str, rows: QuerySet[Any], columns: Columns) -> StreamingHttpResponse:
    parts = _parts(rows, columns)
    # What a server of async requests is given has to be async: it would put all of anything else into memory first.
    body: Any = _one_by_one(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _parts(rows: QuerySet[Any], columns: Columns) -> Iterator[str]:
    """The file in parts. Each is a short query of its own: a slow reader holds no transaction open."""
    yield lines([[heading for _, heading in columns]])
    names, below = [name for name, _ in columns], None
    while True:
        older = rows if below is None else rows.filter(pk__lt=below)
        part = list(older.values_list("pk", *names)[:AT_A_TIME])
        if part:
            yield lines(row[1:] for row in part)
        if len(part) < AT_A_TIME:
            return
        below = part[-1][0]


async def _one_by_one(parts: Iterator[str]) -> AsyncIterator[str]:
    """In the request's own thread, whose connection to the database it is."""
    read = sync_to_async(_next)
    while part := await read(parts):
        yield part


def _next(parts: Iterator[str]) -> str:
    """Empty at the end: StopIteration cannot pass from a thread to who awaits it."""
    return next(parts, "")
