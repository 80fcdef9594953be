"""What the console's menu and its first page list, and in which order: by what an operator is looking for."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from bots.models import AiCircuit, AiDay, Bot, ExchangeAccount
from execution.models import (
    AssetBalance,
    AssetExposure,
    BotBook,
    CapitalChange,
    EquitySnapshot,
    Order,
    PaperOrder,
    Portfolio,
    Position,
    Reconciliation,
    Trade,
)
from notifications.models import AuditEntry, Condition, Cursor, DeadLetter, Event, Heartbeat
from risk.models import BotRiskLimits, DeadMansSwitch, Decision, Halt, LimitChange, PortfolioRiskLimits

GROUPS: dict[str, dict[type, str]] = {
    "Fleet": {
        Bot: "Bots",
        Position: "Positions",
        Order: "Orders",
        Trade: "Trades",
        Decision: "Decisions",
        PaperOrder: "Paper exchange",
        AiDay: "AI calls",
        AiCircuit: "AI circuit",
    },
    "Safety": {
        Halt: "Halts",
        DeadMansSwitch: "Dead man's switch",
        BotRiskLimits: "Bot limits",
        PortfolioRiskLimits: "Portfolio limits",
        LimitChange: "Changes of limits",
    },
    "Money": {
        ExchangeAccount: "Accounts",
        Portfolio: "Portfolios",
        BotBook: "Books",
        AssetExposure: "Asset exposures",
        AssetBalance: "Balances",
        Reconciliation: "Reconciliations",
        EquitySnapshot: "Equity snapshots",
        CapitalChange: "Capital changes",
    },
    "Log": {
        Event: "Events",
        Condition: "Conditions",
        AuditEntry: "Audit trail",
        Heartbeat: "Heartbeats",
        Cursor: "Deliveries",
        DeadLetter: "Dead letters",
    },
    "Schedule": {PeriodicTask: "Periodic tasks", IntervalSchedule: "Intervals"},
    "Users": {User: "Users", Group: "Groups"},
}
"""Models and how they are called here. Left out: the kinds of schedule that no task of ours has."""


PAGES: dict[str, dict[str, tuple[str, str]]] = {
    "Safety": {
        "admin:risk_halt_kill_switch": ("Kill switch", "risk.view_halt"),
        "admin:notifications_event_risk": ("Risk events", "notifications.view_event"),
    },
    "Money": {"reports_first": ("Reports", "execution.view_position")},
    "Log": {"admin:notifications_event_live": ("Live events", "notifications.view_event")},
}
"""Pages that are no list of rows, before the models of their group: by address, how they are called and who may see
them."""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, for unfold. Marked is the one page that is open, not also the list that it lies below."""
    groups = _groups(request)
    links = [model["admin_url"] for group in groups for model in group["models"]]
    here = max((link for link in links if link and request.path.startswith(link)), key=len, default=None)
    return [
        {
            "title": group["name"],
            "items": [
                {"title": model["name"], "link": model["admin_url"], "active": model["admin_url"] == here}
                for model in group["models"]
            ],
        }
        for group in groups
    ]


def first_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The first page's context, with the same groups."""
    return {**context, "app_list": _groups(request)}


def _groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Only what this user may see."""
    visible = {model["model"]: model for app in admin.site.get_app_list(request) for model in app["models"]}
    groups = (
        {
            "name": title,
            "app_label": title.lower(),
            "app_url": reverse("admin:index"),
            "models": [
                *_pages(request, title),
                *({**visible[model], "name": name} for model, name in names.items() if model in visible),
            ],
        }
        for title, names in GROUPS.items()
    )
    return [group for group in groups if group["models"]]


def _pages(request: HttpRequest, title: str) -> list[dict[str, Any]]:
    """As the admin describes a model."""
    return [
        {"name": name, "object_name": name, "admin_url": reverse(address), "add_url": None, "view_only": True}
        for address, (name, permission) in PAGES.get(title, {}).items()
        if request.user.has_perm(permission)
    ]
