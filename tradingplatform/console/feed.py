"""Pages that show events as they come: all of them, and those of risk. The rows of the moment are rendered here, the
next ones come over the live stream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from notifications.models import Severity
from notifications.subscribers import Subscriber, Way, register
from tradingplatform.console.live import live_scripts
from tradingplatform.feeds import SHOWN, Choice, Rows, bots_by_id, kinds_seen, newest, read_choice
from tradingplatform.risk_kinds import ALL_RISK_KINDS, DIGITS, FIGURES, RISK_KINDS
from tradingplatform.stream import PERMISSION

RISK_VIEW = register(
    Subscriber("risk-view", "the console's page of refusals, breakers, halts and limits", Way.FOLLOWER, ALL_RISK_KINDS)
)

LEVELS = (
    ("", "All severities"),
    (Severity.WARNING.value, "Warning and critical"),
    (Severity.CRITICAL.value, "Critical only"),
)

KEPT = 500
"""Rows that a page keeps, however long it is open."""

PART = "part"
"""In the address: a script fetches the rows, nobody looks at the page anew."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One page. ``kinds``: which it shows, in groups; empty means all. ``figures``: it has columns for what was
    measured against which limit. ``remembers``: where the session keeps what the person has seen; empty: nowhere."""

    title: str
    lead: str
    kinds: Mapping[str, tuple[str, ...]]
    figures: bool = False
    remembers: str = ""


LIVE = Feed("Live events", "Everything significant, as it happens.", {})
RISK = Feed(
    "Risk events",
    "Refused entries, breakers, halts, the dead man's switch and limits, as they happen.",
    RISK_KINDS,
    figures=True,
    remembers="risk_events_seen",
)


def feed_page(request: HttpRequest, site: AdminSite, feed: Feed) -> HttpResponse:
    """The page as it is now, and all that its script needs to go on."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    choice = read_choice(*(request.GET.get(name, "") for name in ("least", "kind", "bot")))
    kinds = frozenset(kind for group in feed.kinds.values() for kind in group)
    if kinds and choice.kind not in kinds:
        choice = replace(choice, kind="")  # or the page would say that it shows all, and show nothing
    seen = request.session.get(feed.remembers) if feed.remembers else None
    rows = newest(kinds, choice, seen)
    if feed.remembers and PART not in request.GET and choice == Choice():
        request.session[feed.remembers] = rows.after
    context = {
        **site.each_context(request),
        **_shown(feed, choice, rows),
        "has_looked": seen is not None,
        "live": live_scripts(request),
    }
    return TemplateResponse(request, "console/feed.html", context)


def _shown(feed: Feed, choice: Choice, rows: Rows) -> dict[str, Any]:
    bots = bots_by_id()
    groups = feed.kinds or {"": tuple(kinds_seen())}
    return {
        "title": feed.title,
        "feed": feed,
        "choice": choice,
        "rows": rows,
        "shown": SHOWN,
        "groups": groups,
        "other_kind": "" if any(choice.kind in group for group in groups.values()) else choice.kind,
        "other_bot": None if choice.bot in bots else choice.bot,
        "bots": bots,
        "levels": LEVELS,
        "script": {
            "severities": dict(Severity.choices),
            "after": rows.after,
            "kept": KEPT,
            "kinds": [kind for group in feed.kinds.values() for kind in group],
            "bots": bots,
            "botUrl": reverse("admin:bots_bot_change", args=[0]),
            "login": reverse("admin:login"),
            "figures": FIGURES,
            "digits": DIGITS,
            "part": PART,
        },
    }
