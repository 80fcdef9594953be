"""Web requests in the log: what each line inside belongs to, and one line for each that changes something or fails."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tradingplatform.logs import log_context

log = structlog.get_logger()

Answer = HttpResponseBase
GetResponse = Callable[[HttpRequest], Answer] | Callable[[HttpRequest], Awaitable[Answer]]

READS = ("GET", "HEAD", "OPTIONS")


class RequestLines:
    """Both ways: the stream of events is asynchronous, everything else is not."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer | Awaitable[Answer]:
        if self._is_async:
            return self._later(request)
        began_s = time.monotonic()
        with log_context(request=_number()):
            answer = cast(Answer, self._get_response(request))
            _tell(request, answer, began_s)
        return answer

    async def _later(self, request: HttpRequest) -> Answer:
        began_s = time.monotonic()
        with log_context(request=_number()):
            answer = await cast(Awaitable[Answer], self._get_response(request))
            _tell(request, answer, began_s)
        return answer


def _number() -> str:
    return secrets.token_hex(4)


def _tell(request: HttpRequest, answer: Answer, began_s: float) -> None:
    """Never the query, and never what was posted: both may hold what somebody typed."""
    refused = answer.status_code >= 400 and answer.status_code != 404
    say = log.error if answer.status_code >= 500 else log.info if refused or request.method not in READS else log.debug
    user = getattr(request, "user", None)
    say(
        "web_request",
        method=request.method,
        path=request.path,
        status=answer.status_code,
        user=user.get_username() if user is not None and user.is_authenticated else "",
        ms=round((time.monotonic() - began_s) * 1000),
    )
