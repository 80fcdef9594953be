"""What a fault of transport does to a request. Each kind says whether the request is carried out, and what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from starlette.responses import Response

from simexchange.errors import request_errors
from simexchange.faults import wrong_answers
from simexchange.faults.broken import Cut, Drip, Reset, Silence
from simexchange.faults.register import Active
from simexchange.faults.wrong_answers import KNOWN_ERRORS

_MAINTENANCE = 503


class Visit(Protocol):
    """A request on its way."""

    def serve(self) -> Response:
        """Carry it out and answer."""
        ...

    def turn_away(self, status: int, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
        """Answer something else instead of carrying it out. A status of 0 stands for no answer at all."""
        ...

    def headers(self) -> dict[str, str]:
        """What every answer carries: the used weight."""
        ...


@dataclass(frozen=True)
class Blow:
    """One strike: the fault's parameters, the request, the fault's own random numbers, the seconds it still lasts."""

    params: Mapping[str, Any]
    visit: Visit
    random: Random
    now_ms: int
    left_s: int | None

    def replace(
        self, status: int, content: bytes, media_type: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send this; before it or not at all is the request carried out, as ``when`` says."""
        if self.params.get("when") != "after":
            return self.visit.turn_away(status, content, media_type, headers or {})
        self.visit.serve()
        return Response(content, status, {**self.visit.headers(), **(headers or {})}, media_type)

    def lose(self) -> None:
        """Not carried out and not answered."""
        self.visit.turn_away(0, b"", wrong_answers.TEXT, {})


async def strike(active: Active, visit: Visit, now_ms: int) -> Response:
    """The answer to a request that a fault has struck."""
    left_s = None if active.closes_ms is None else max(1, -(-(active.closes_ms - now_ms) // 1000))
    return await _DOERS[active.fault.kind](Blow(active.fault.params, visit, active.amounts, now_ms, left_s))


async def _timeout_before(blow: Blow) -> Response:
    blow.lose()
    return Silence(blow.params["hold_s"])


async def _timeout_after(blow: Blow) -> Response:
    blow.visit.serve()
    return Silence(blow.params["hold_s"])


async def _delayed_acceptance(blow: Blow) -> Response:
    """Carried out later, on the event loop, whatever becomes of the client. Lost when the exchange stops before."""
    asyncio.get_running_loop().call_later(blow.params["delay_s"], blow.visit.serve)
    how = blow.params["answer"]
    if how == "none":
        return Silence(blow.params["hold_s"])
    if how == "reset":
        return Reset()
    headers = blow.visit.headers()
    if how == "http":
        content, media_type = wrong_answers.page(blow.params["status"], "html")
        return Response(content, blow.params["status"], headers, media_type)
    known = KNOWN_ERRORS[blow.params["code"]]
    return Response(wrong_answers.error_body(known.code, known.msg), known.status, headers, wrong_answers.JSON)


async def _reset_before(blow: Blow) -> Response:
    blow.lose()
    return Reset()


async def _reset_after(blow: Blow) -> Response:
    blow.visit.serve()
    return Reset()


async def _http(blow: Blow) -> Response:
    status = blow.params["status"]
    return blow.replace(status, *wrong_answers.page(status, blow.params["body"]))


async def _html_200(blow: Blow) -> Response:
    return blow.replace(200, *wrong_answers.page(200, "html"))


async def _truncated(blow: Blow) -> Response:
    whole = blow.visit.serve()
    kept = min(int(len(whole.body) * blow.params["keep"]), len(whole.body) - 1)
    if blow.params["length"] == "full":
        return Cut(whole, kept)
    return Response(bytes(whole.body)[:kept], whole.status_code, blow.visit.headers(), wrong_answers.JSON)


async def _slow_drip(blow: Blow) -> Response:
    return Drip(blow.visit.serve(), blow.params["over_s"])


async def _latency(blow: Blow) -> Response:
    least, most = blow.params["min_ms"], blow.params["max_ms"]
    delay_s = blow.random.uniform(least, least if most is None else most) / 1000
    if blow.params["when"] == "after":
        answer = blow.visit.serve()
        await asyncio.sleep(delay_s)
        return answer
    await asyncio.sleep(delay_s)
    return blow.visit.serve()


async def _error(blow: Blow) -> Response:
    code, msg, status = blow.params["code"], blow.params["msg"], blow.params["status"]
    known = KNOWN_ERRORS.get(code)
    retry_after_s = blow.params["retry_after_s"]
    if retry_after_s is None and known is not None:
        retry_after_s = known.retry_after_s
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    content = wrong_answers.error_body(code, msg or (known.msg if known else ""))
    return blow.replace(status or (known.status if known else 400), content, wrong_answers.JSON, headers)


async def _too_many_requests(blow: Blow) -> Response:
    known = KNOWN_ERRORS[-1003]
    headers = {"Retry-After": str(blow.params["retry_after_s"])}
    return blow.visit.turn_away(429, wrong_answers.error_body(known.code, known.msg), wrong_answers.JSON, headers)


async def _banned(blow: Blow) -> Response:
    """Retry-After counts down to the end of the ban, unless it is told what to say."""
    told = blow.params["retry_after_s"]
    wait_s = told if told is not None else blow.left_s or 120
    ban = request_errors.banned(blow.now_ms + wait_s * 1000, wait_s)
    content = wrong_answers.error_body(ban.code, ban.msg)
    return blow.visit.turn_away(418, content, wrong_answers.JSON, {"Retry-After": str(wait_s)})


async def _maintenance(blow: Blow) -> Response:
    return blow.visit.turn_away(_MAINTENANCE, *wrong_answers.page(_MAINTENANCE, blow.params["body"]), {})


_DOERS: Mapping[str, Callable[[Blow], Awaitable[Response]]] = {
    "timeout_before": _timeout_before,
    "timeout_after": _timeout_after,
    "delayed_acceptance": _delayed_acceptance,
    "reset_before": _reset_before,
    "reset_after": _reset_after,
    "http": _http,
    "html_200": _html_200,
    "truncated": _truncated,
    "slow_drip": _slow_drip,
    "latency": _latency,
    "error": _error,
    "too_many_requests": _too_many_requests,
    "banned": _banned,
    "maintenance": _maintenance,
}
