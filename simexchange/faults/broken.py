"""Answers that do not arrive as they should."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from simexchange.faults import transport

_SHORTEST_PAUSE_S = 0.005


class Silence(Response):
    """No answer: the connection is held for ``hold_s``, then closed."""

    def __init__(self, hold_s: float) -> None:
        super().__init__()
        self._hold_s = hold_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await transport.hold(scope, receive, self._hold_s)


class Reset(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await transport.reset(scope, receive)


class Cut(Response):
    """The first ``kept`` bytes of an answer whose Content-Length promises all of them, then the end."""

    def __init__(self, whole: Response, kept: int) -> None:
        super().__init__()
        self._whole, self._kept = whole, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(_head(self._whole))
        await send({"type": "http.response.body", "body": bytes(self._whole.body)[: self._kept], "more_body": True})
        await transport.close(scope, receive)


class Drip(Response):
    """The whole answer, byte by byte over ``over_s`` (several at a time where the pauses would be too short)."""

    def __init__(self, whole: Response, over_s: float) -> None:
        super().__init__()
        self._whole, self._over_s = whole, over_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytes(self._whole.body)
        drops = max(1, min(len(body), int(self._over_s / _SHORTEST_PAUSE_S)))
        size = max(1, -(-len(body) // drops))
        await send(_head(self._whole))
        for begin in range(0, len(body), size):
            await asyncio.sleep(self._over_s * size / len(body))
            await send({"type": "http.response.body", "body": body[begin : begin + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _head(response: Response) -> dict[str, object]:
    return {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
