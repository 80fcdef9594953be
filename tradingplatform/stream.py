"""``/events/stream``: the live stream, for whoever is logged in and may see events."""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import aget_user, get_user
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse

from notifications.kinds import why_unknown
from notifications.models import Severity
from notifications.stream import Hub, Wish, frames

PING_S = 15.0
PERMISSION = "notifications.view_event"

_hubs: list[Hub] = []


async def stream(request: HttpRequest) -> HttpResponseBase:
    """Server-sent events. ``bot``, ``kind`` and ``severity``, each as often as wanted, choose; the header
    Last-Event-ID, or ``after``, resumes. 400 for what cannot be read."""
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

    body: AsyncIterator[bytes] = frames(_hub(), wish, after, PING_S, may_stay)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # a proxy in between must not hold it back
    return StreamingHttpResponse(body, content_type="text/event-stream", headers=headers)


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
