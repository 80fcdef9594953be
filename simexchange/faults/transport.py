"""The connection under an answer: what ASGI hides, and what a fault needs in order to break it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from starlette.types import Receive, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_STATE_KEY = "transport"
_LINGER_NOT = struct.pack("ii", 1, 0)  # on, for zero seconds: closing sends RST and drops what was not read yet


class Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with the connection's transport within reach of the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, _STATE_KEY: transport}


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport = scope["state"][_STATE_KEY]  # uvloop's only looks like one
    return transport


async def gone(receive: Receive) -> None:
    """Wait until the connection has ended; uvicorn then forgives an answer that never came."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def close(scope: Scope, receive: Receive) -> None:
    """Send what has been written and close (FIN)."""
    _transport(scope).close()
    await gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Break the connection (RST), as a dying host or a firewall does."""
    transport = _transport(scope)
    handle: socket.socket = transport.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
    await gone(receive)


async def hold(scope: Scope, receive: Receive, hold_s: float) -> None:
    """Say nothing until the client gives up, or for ``hold_s``, or until the exchange stops; then close."""
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(gone(receive), hold_s)
    await close(scope, receive)
