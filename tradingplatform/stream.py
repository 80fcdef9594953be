"""``/events/stream``: the live stream, for whoever is logged in and may see events."""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import aget_user, get_user
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.crypto import salted_hmac

from notifications.kinds import why_unknown
from notifications.models import Severity
from notifications.stream import Hub, Terms, Wish, frames

PING_S = 15.0
FLUSHED_S = 1.0
"""After it was said that somebody logs out, the session is gone; where it is not, the next ping finds out."""

PERMISSION = "notifications.view_event"

_hubs: list[Hub] = []


@login_not_required  # a program and a browser's EventSource are told 403: the page of the login says nothing to them
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events. ``bot``, ``kind`` and ``severity``, each as often as wanted, choose; the header
    Last-Event-ID, or ``after``, resumes. 400 for what cannot be read, 403 for whoever may not see events."""
    user = await aget_user(request)
    if not (user.is_active and await sync_to_async(user.has_perm)(PERMISSION)):
        raise PermissionDenied
    try:
        wish, after = _wish(request), _after(request)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    session_key = request.session.session_key

    async def may_stay() -> bool:
        return await sync_to_async(_may_stay)(session_key)

    terms = Terms(session_mark(session_key), PING_S, may_stay)
    body: AsyncIterator[bytes] = frames(_hub(), wish, after, terms)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # a proxy in between must not hold it back
    return StreamingHttpResponse(body, content_type="text/event-stream", headers=headers)


@login_not_required
def may_listen(request: HttpRequest) -> HttpResponse:
    """204 for whoever would be served by the stream, else 403: an EventSource does not say why it was refused."""
    if not (request.user.is_active and request.user.has_perm(PERMISSION)):
        raise PermissionDenied
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


def session_mark(session_key: str | None) -> str:
    """A name of a login that gives nothing of it away: pages and connections of one login have the same."""
    return salted_hmac("tradingplatform.stream", session_key or "", algorithm="sha256").hexdigest()[:16]


def stream_clients() -> int:
    """How many listen to this web process."""
    return sum(hub.clients for hub in _hubs)


@receiver(user_logged_out)
def _look_again(**_: Any) -> None:
    for hub in _hubs:
        hub.nudge(FLUSHED_S)


def _hub() -> Hub:
    """This process's own; its loop is the one it was made in."""
    if not _hubs or _hubs[0].loop is not asyncio.get_running_loop():
        _hubs[:] = [Hub()]
    return _hubs[0]


def _wish(request: HttpRequest) -> Wish:
    severities = frozenset(request.GET.getlist("severity"))
    if unknown := severities - set(Severity.values):
        raise ValueError(f"severity: {', '.join(sorted(unknown))} is none of {', '.join(Severity.values)}")
    kinds = frozenset(request.GET.getlist("kind"))
    if problems := [problem for kind in sorted(kinds) if (problem := why_unknown(kind))]:
        raise ValueError(f"kind: {'; '.join(problems)}")
    bots = frozenset(_number("bot", text) for text in request.GET.getlist("bot"))
    return Wish(bots, kinds, severities)


def _after(request: HttpRequest) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.GET.get("after")
    return _number("Last-Event-ID", text) if text else None


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(f"{name}: {text[:40]!r} is not a whole number")
    return int(text)


def _may_stay(session_key: str | None) -> bool:
    """Whether the session still belongs to somebody who may see events. It may have ended, or its user been barred."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return bool(user.is_active and user.has_perm(PERMISSION))
