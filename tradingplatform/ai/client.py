"""One question over HTTP, and its answer as bytes, within one deadline for all of it. Asked once, never again."""

import asyncio
import time
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from tradingplatform.ai.answers import clean
from tradingplatform.ai.config import Service

if TYPE_CHECKING:
    import httpx

LARGEST = 64 * 1024
"""Bytes of an answer. What was asked for has a few hundred."""

GRACE_S = 0.25
"""What is left of a call then is left behind: a name server that hangs cannot be interrupted."""

MOST_SAID = 120
"""Characters of an error that are kept."""

MEANINGS = {
    401: "the key is refused: check AI_API_KEY",
    403: "the key may not do this: check AI_API_KEY",
    404: "no such address or model: AI_BASE_URL mostly ends in /v1, and AI_MODEL must be one that the server has",
    429: "too many requests, or no credit left",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer with status 200."""

    body: bytes
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """None, and why, in words for rows and logs."""

    failure: str
    latency_ms: int


class _TooLarge(Exception):
    """More bytes came than anybody asked for."""


def ask(service: Service, body: bytes, deadline_s: float) -> Heard | Unheard:
    """Raises nothing that the network or the server could cause, and returns when ``deadline_s`` is over.

    A thread of its own keeps the promise: what asyncio cannot interrupt (looking up a name) goes on without us.
    """
    began_s = time.monotonic()
    found: list[bytes | str] = []
    thread = Thread(target=lambda: found.append(_attempt(service, body, deadline_s)), name="ai", daemon=True)
    thread.start()
    thread.join(deadline_s + GRACE_S)
    latency_ms = round((time.monotonic() - began_s) * 1000)
    said = found[0] if found else _too_late(deadline_s)
    return Heard(said, latency_ms) if isinstance(said, bytes) else Unheard(said, latency_ms)


def _attempt(service: Service, body: bytes, deadline_s: float) -> bytes | str:
    """The answer's body, or why there is none."""
    try:
        status, said = asyncio.run(_post(service, body, deadline_s))
    except TimeoutError:
        return _too_late(deadline_s)
    except _TooLarge:
        return f"the answer is larger than {LARGEST // 1024} KB"
    except Exception as error:  # httpx's, ssl's, a header that cannot be sent: whatever it is, there is no answer
        return clean(service.without_key(f"{type(error).__name__}: {error}"), MOST_SAID)
    return said if status == 200 else _meaning(service, status, said)


async def _post(service: Service, body: bytes, deadline_s: float) -> tuple[int, bytes]:
    import httpx  # here, because whoever asks nothing need not carry it in memory

    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if key := service.key.get_secret_value():
        headers["Authorization"] = f"Bearer {key}"
    # No redirect: the key and the figures are for this address. No proxy or key file of the environment.
    client = httpx.AsyncClient(follow_redirects=False, timeout=deadline_s + 1, trust_env=False)
    async with (
        asyncio.timeout(deadline_s),
        client,
        client.stream("POST", service.url, content=body, headers=headers) as answer,
    ):
        return answer.status_code, await _body(answer)


async def _body(answer: "httpx.Response") -> bytes:
    """As it came: nothing is unpacked, so nothing grows. Raises _TooLarge."""
    parts = bytearray()
    async for part in answer.aiter_raw():
        parts += part
        if len(parts) > LARGEST:
            raise _TooLarge
    return bytes(parts)


def _meaning(service: Service, status: int, said: bytes) -> str:
    meaning = MEANINGS.get(status, "")
    if 300 <= status < 400:
        meaning = "it redirects, which is not followed: set AI_BASE_URL to its final address"
    words = clean(service.without_key(said.decode(errors="replace")), MOST_SAID)
    return ": ".join(part for part in (f"HTTP {status}", meaning, words) if part)


def _too_late(deadline_s: float) -> str:
    return f"no answer within {deadline_s:.3g} s"
