"""One attempt to hand an event over."""

import asyncio
import email.utils
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from notifications.models import Event
from notifications.webhooks.config import Hook
from notifications.webhooks.shapes import body_of, headers_of

DEADLINE_S = 10.0
"""Wall time for all of it: what httpx calls a timeout is one between two bytes."""

LONGEST_WAIT = timedelta(hours=1)
"""Nobody is obeyed who asks to be left alone for longer."""

_WAITS = frozenset({408, 425, 429})  # besides 5xx: the same may well be taken later
_MOST_SAID = 120  # characters of an answer that are kept


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may be taken later. ``wait``: what the receiver asked for, None where it did not."""

    error: str
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """The receiver says that this event is wrong: it would be the next time too."""

    error: str


Attempt = Taken | Later | Never


def send(hook: Hook, event: Event, now: datetime) -> Attempt:
    """Raises nothing that the network or the receiver could cause."""
    body = body_of(hook, event)
    headers = headers_of(hook, event, body, int(now.timestamp()))
    try:
        return asyncio.run(_post(hook, body, headers, now))
    except TimeoutError:
        return Later(f"no answer within {DEADLINE_S:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Later(hook.without_secrets(f"{type(error).__name__}: {error}"))


async def _post(hook: Hook, body: bytes, headers: dict[str, str], now: datetime) -> Attempt:
    # Redirects are not followed: what is told is nobody else's business, and https could become http.
    # A proxy of the environment is used, but not for this machine.
    client = httpx.AsyncClient(follow_redirects=False, timeout=DEADLINE_S, trust_env=not hook.is_local)
    url = hook.url.get_secret_value()
    async with asyncio.timeout(DEADLINE_S), client, client.stream("POST", url, content=body, headers=headers) as answer:
        if answer.is_success:
            return Taken()  # whatever it says besides
        said = hook.without_secrets(await _beginning(answer))
        return judged(answer.status_code, said, answer.headers.get("Retry-After", ""), now)


def judged(status: int, said: str, retry_after: str, now: datetime) -> Attempt:
    """What an answer that is no success means. A redirect is for a person to put right: until then it waits."""
    error = f"HTTP {status} {said}".strip()
    if status >= 500 or status in _WAITS or 300 <= status < 400:
        return Later(error, wait_of(retry_after, now))
    return Never(error)


def wait_of(retry_after: str, now: datetime) -> timedelta | None:
    """Seconds, or a moment (https://www.rfc-editor.org/rfc/rfc9110#name-retry-after); None for what is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=int(retry_after[:9])), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(retry_after)
        return min(max(until - now, timedelta(0)), LONGEST_WAIT)
    except (ValueError, TypeError):
        return None


async def _beginning(answer: httpx.Response) -> str:
    async for part in answer.aiter_text(_MOST_SAID):
        return " ".join(part.split())[:_MOST_SAID]
    return ""
