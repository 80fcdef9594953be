"""The reports in the console: one page, a tab for each kind, and every table as a file."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse

from bots.models import ExchangeAccount
from market.clock import Now, load_clock
from tradingplatform.alarm_texts import span
from tradingplatform.reading import one_moment
from tradingplatform.reports import find
from tradingplatform.reports.fifo import Unmatched
from tradingplatform.reports.period import ALL, Period, last_days, whole_year
from tradingplatform.reports.table import Table, csv_rows, shown
from tradingplatform.reports.tax_rows import fills, sales_by_year

PERMISSION = "execution.view_position"
TITLES = {"profit": "Profit", "costs": "Costs", "statistics": "Statistics", "tax": "Tax"}
FILES = {
    "profit": ("profit",),
    "costs": ("costs",),
    "statistics": ("statistics",),
    "tax": ("disposals", "gains", "carried"),
}
"""What can be downloaded."""

MOST_ROWS = 500
"""Rows of one table that a page shows; the file has all."""

MOST_FILLS = 10_000
"""Up to so many fills are matched for a page; matching more takes longer than a page may, and is done for files."""

ABOUT = {
    "profit": "What closed positions made, fees inside.",
    "costs": "What fills cost, against what the cost model assumes.",
    "statistics": "Return, risk and drawdown, from the last equity of each UTC day.",
    "tax": find.NO_ADVICE,
}

Link = dict[str, Any]
"""A text, where it leads (``url``), and whether it is what is shown now (``here``)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    kind: str
    accounts: Sequence[ExchangeAccount]
    account: ExchangeAccount
    by: str
    period: Period
    days: int | None
    year: int | None
    sort: str
    file: str
    now: Now

    def url(self, **changes: Any) -> str:
        """The same with something else. ``file`` and what is not told are left out."""
        given = {"account": self.account.name, "by": self.by, "days": self.days, "year": self.year, "sort": self.sort}
        kept = {name: value for name, value in {**given, **changes}.items() if value and name != "kind"}
        return f"{reverse('reports', args=[changes.get('kind', self.kind)])}?{urlencode(kept)}"


def reports_page(request: HttpRequest, kind: str = "profit") -> HttpResponse:
    """For whoever may see positions."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    now = load_clock(settings.CLOCK_FILE).now()
    accounts = list(ExchangeAccount.objects.order_by("pk"))
    context: dict[str, Any] = {**admin.site.each_context(request), "title": "Reports", "tabs": _tabs(kind)}
    if not accounts:
        return TemplateResponse(request, "console/reports.html", context)
    try:
        asked = read(kind, request.GET, accounts, now)
    except ValueError as error:
        return TemplateResponse(request, "console/reports.html", {**context, "problem": str(error)}, status=400)
    try:
        with one_moment():
            tables = _tables(asked)
            if asked.file:
                return _as_file(asked, tables[asked.file])
            return TemplateResponse(request, "console/reports.html", {**context, **_context(asked, tables)})
    except Unmatched as error:
        return TemplateResponse(request, "console/reports.html", {**context, "problem": str(error)}, status=409)


def read(kind: str, words: Any, accounts: Sequence[ExchangeAccount], now: Now) -> Asked:
    """The address' words. Raises ValueError with what was wrong."""
    if kind not in TITLES:
        raise ValueError(f"there is no report {kind!r}: choose {', '.join(TITLES)}")
    name = words.get("account") or accounts[0].name
    account = next((one for one in accounts if one.name == name), None)
    if account is None:
        raise ValueError(f"there is no account {name!r}: there is {', '.join(one.name for one in accounts)}")
    days, year = _number(words, "days"), _number(words, "year")
    today = now.market_at.date()
    if kind == "tax":
        days, year = None, today.year if year is None else year
    period = last_days(days, today) if days is not None else whole_year(year) if year is not None else ALL
    file = words.get("file", "")
    if file and file not in FILES[kind]:
        raise ValueError(f"there is no file {file[:32]!r}: choose {', '.join(FILES[kind])}")
    groups = find.BY.get(kind, ())
    by = words.get("by") if words.get("by") in groups else (groups[0] if groups else "")
    return Asked(kind, accounts, account, by, period, days, year, words.get("sort", ""), file, now)


def _number(words: Any, name: str) -> int | None:
    text = words.get(name) or ""
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise ValueError(f"{name}: {text[:32]!r} is not a whole number")
    return int(text) if text else None


def _tables(asked: Asked) -> dict[str, Table]:
    """By the name that its file has. Raises Unmatched."""
    match asked.kind:
        case "profit":
            return {"profit": find.profit(asked.account, asked.by, asked.period)}
        case "costs":
            return {"costs": find.costs(asked.account, asked.by, asked.period)}
        case "statistics":
            return {"statistics": find.figures(asked.account, asked.period)}
    if not asked.file and fills(asked.account.pk) > MOST_FILLS:
        return {}
    year = find.tax(asked.account, asked.year or asked.now.market_at.year)
    return {"disposals": year.disposals, "gains": year.sums, "carried": year.carried}


def _as_file(asked: Asked, table: Table) -> HttpResponse:
    """With all of its digits."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    when = asked.period.label.replace(" ", "-")
    response["Content-Disposition"] = f'attachment; filename="{asked.file}-{asked.account.pk}-{when}.csv"'
    csv.writer(response).writerows(csv_rows(_sorted(asked, table)))
    return response


def _context(asked: Asked, tables: dict[str, Table]) -> dict[str, Any]:
    on_page = [name for name in tables if name != "disposals"]
    return {
        "tabs": [
            _link(title, kind == asked.kind, asked.url(kind=kind, by="", sort="")) for kind, title in TITLES.items()
        ],
        "about": ABOUT[asked.kind],
        "accounts": [
            _link(f"{one.name} ({one.mode.lower()})", one == asked.account, asked.url(account=one.name))
            for one in asked.accounts
        ],
        "groups": [_link(by, by == asked.by, asked.url(by=by, sort="")) for by in find.BY.get(asked.kind, ())],
        "periods": _years(asked) if asked.kind == "tax" else _periods(asked),
        "as_of": f"{asked.now.market_at:%Y-%m-%d %H:%M:%S}",
        "newest": _age(find.newest(asked.account, asked.kind), asked.now),
        "shown": [_shown(asked, name, tables[name]) for name in on_page],
        "files": _files(asked) if asked.kind == "tax" else (),
        "too_many": MOST_FILLS if asked.kind == "tax" and not tables else 0,
    }


def _files(asked: Asked) -> list[Link]:
    """A year's files."""
    texts = {"disposals": "every disposal", "gains": "gains by symbol", "carried": "what is carried over"}
    return [_link(f"{text}, {asked.year} (CSV)", False, asked.url(file=name)) for name, text in texts.items()]


def _tabs(kind: str) -> list[Link]:
    return [_link(title, one == kind, reverse("reports", args=[one])) for one, title in TITLES.items()]


def _periods(asked: Asked) -> list[Link]:
    year = asked.now.market_at.year
    return [
        *(_link(f"{days} days", asked.days == days, asked.url(days=days, year=None)) for days in (7, 30)),
        _link("this year", asked.year == year, asked.url(days=None, year=year)),
        _link("all", not asked.days and not asked.year, asked.url(days=None, year=None)),
    ]


def _years(asked: Asked) -> list[Link]:
    """Those in which something was sold, and the one that is asked for."""
    years = sorted({*sales_by_year(asked.account.pk), asked.year or 0}, reverse=True)
    return [_link(str(year), year == asked.year, asked.url(year=year)) for year in years]


def _shown(asked: Asked, name: str, table: Table) -> dict[str, Any]:
    table = _sorted(asked, table)
    heads = [_head(asked, column.key, column.head(table.quote), column.is_right) for column in table.columns]
    rows = [
        [
            {"text": shown(value, column.kind, table.quote), "right": column.is_right}
            for value, column in zip(row, table.columns, strict=True)
        ]
        for row in (*table.rows[:MOST_ROWS], *([table.total] if table.total is not None and table.rows else []))
    ]
    return {
        "name": name,
        "title": table.title,
        "heads": heads,
        "rows": rows,
        "has_total": table.total is not None,
        "empty": table.empty,
        "notes": table.notes,
        "left_out": max(0, len(table.rows) - MOST_ROWS),
        "file": asked.url(file=name),
    }


def _head(asked: Asked, key: str, title: str, right: bool) -> dict[str, Any]:
    """A click sorts by it, figures the largest first; the next turns the order around."""
    down, up = f"-{key}", key
    first, second = (down, up) if right else (up, down)
    arrow = {down: "▼", up: "▲"}.get(asked.sort, "")
    sorted_as = {down: "descending", up: "ascending"}.get(asked.sort, "none")
    wanted = second if asked.sort == first else first
    return {"title": title, "url": asked.url(sort=wanted), "arrow": arrow, "sorted": sorted_as, "right": right}


def _sorted(asked: Asked, table: Table) -> Table:
    return table.ordered(asked.sort.removeprefix("-"), falling=asked.sort.startswith("-")) if asked.sort else table


def _link(text: str, here: bool, url: str) -> Link:
    return {"text": text, "here": here, "url": url}


def _age(at: datetime | None, now: Now) -> str:
    return "" if at is None else span(max(0.0, (now.market_at - at).total_seconds()))


_view = admin.site.admin_view(reports_page)
urlpatterns = [
    path("", _view, name="reports_first"),
    path("<slug:kind>/", _view, name="reports"),
]
