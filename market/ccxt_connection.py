"""One ccxt object, and the wrapper around every request that is made with it: no exception of ccxt's gets past it.

Made after fork: ccxt keeps an HTTP session in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

import ccxt
from requests import Response

from market.access import Access
from market.clock import Clock
from market.exchange import ExchangeError, Rejected, Transient
from market.http_deadline import limit_whole_answers
from market.order_errors import Answer, answer_of
from market.rate_limits import Cost, Priority
from market.read_errors import FIREWALL, Says, banned_for_s, what_it_says
from market.redaction import redacted

SIMULATED = "simulated"
"""The id of the simulated exchange, which speaks Binance's language."""

RAW_BINANCE = ("binance", "binanceus", SIMULATED)
"""Exchanges that are asked through ccxt's raw endpoints."""

TIMEOUT_MS = 15_000  # longer than Binance's matching engine may take over an order (10 s)
READ_TIMEOUT_MS = 4_000  # a read may simply be asked again
_RECEIVE_WINDOW_MS = 5_000  # so long after its signature a request is accepted
_BACK_OFF_S = 5.0  # where the exchange says "too many requests" without saying for how long
_BAN_S = 120.0  # where it bans without saying for how long: the shortest ban there is
_FIREWALL_BACK_OFF_S = 30.0  # where its firewall says so, which never says for how long
_LONGEST_ERROR = 2_000  # bytes of an error's body that are looked at

_WALL_TIME = Clock()
_REFUSALS = (ccxt.BadRequest, ccxt.AuthenticationError, ccxt.NotSupported, ccxt.ArgumentsRequired)
_TOO_MANY = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an answer raises when it is not what was expected."""


@dataclass(slots=True)
class Asked:
    """What came back for one request: the error, if it was one, the headers, their names in small letters, and the
    HTTP status, None where no answer came."""

    answer: Answer = field(default_factory=Answer)
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None


class Connection:
    """``ccxt`` is the object to ask with, inside ``asking``. Threads wait for each other there: an order must not be
    judged by the answer to another one.

    ``secrets``: API key and secret, for requests that are signed. Raises ValueError for an exchange that ccxt does not
    know.
    """

    def __init__(
        self, exchange_id: str, base_url: str | None, access: Access, secrets: tuple[str, str] | None = None
    ) -> None:
        self.id = SIMULATED if base_url else exchange_id
        self.base_url = base_url
        self.access = access
        self.ccxt = _ccxt_object(exchange_id, base_url)
        self.ccxt.session.hooks["response"].append(self._heard)
        self._secrets = secrets or ()
        self._lock, self._asked = RLock(), Asked()
        if secrets is not None:
            _let_it_sign(self.ccxt, *secrets)

    @contextmanager
    def asking(
        self, what: str, priority: Priority, cost: Cost, subject: str = "", timeout_ms: int | None = None
    ) -> Iterator[Asked]:
        """Around one request: leave to make it, its shorter timeout, every error as one of ours, and how it went.

        ``subject`` is what fails on its own, when it does: a symbol in trouble fails in all its timeframes.
        """
        ticket = self.access.admit(priority, cost)
        failure: ExchangeError | None = None
        with self._lock:
            asked = self._asked = Asked()
            self.ccxt.timeout = timeout_ms or READ_TIMEOUT_MS
            self.ccxt.options["timeDifference"] = -self.access.offset_ms
            try:
                yield asked
            except (ccxt.BaseError, OSError, *UNREADABLE) as error:
                failure = self._translated(what, error, asked)
            finally:
                self.ccxt.timeout = TIMEOUT_MS
        if failure is None or isinstance(failure, Rejected):
            self.access.answered(ticket, _number_in(asked.headers, "x-mbx-used-weight-1m"))
        if failure is not None:
            self.access.failed(ticket, subject or what, failure)
            raise failure from None

    def _heard(self, response: Response, *_arguments: object, **_options: object) -> None:
        """ccxt keeps neither the status of an answer nor, where it knows the text, its code."""
        self._asked.status = response.status_code
        self._asked.headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code != 200:
            body = response.content[:_LONGEST_ERROR].decode("utf-8", "replace")
            self._asked.answer = answer_of(response.status_code, body)

    def _translated(self, what: str, error: Exception, asked: Asked) -> ExchangeError:
        if not isinstance(error, ccxt.BaseError):
            # What requests raises and ccxt lets through; or an answer that was not what was expected.
            why = type(error).__name__ if isinstance(error, OSError) else f"unreadable answer ({error!r})"
            return Transient(redacted(f"{self.id}: {what}: {why}", self._secrets))
        text = redacted(f"{self.id}: {what}: {type(error).__name__}: {error}", self._secrets)
        refused, too_many = isinstance(error, _REFUSALS), isinstance(error, _TOO_MANY)
        says, code = what_it_says(str(error), refused, too_many, asked.answer.code)
        if says is Says.NO and (asked.answer.status or 0) < 500:
            return Rejected(text, code=code)
        if says is not Says.STAY_AWAY:
            return Transient(text)
        wait_s, banned = _stay_away(error, asked)
        return Transient(text, retry_after_s=wait_s, banned=banned)


def _stay_away(error: ccxt.BaseError, asked: Asked) -> tuple[float, bool]:
    """For how many wall seconds, and whether it is a ban."""
    named_s = banned_for_s(str(error), _WALL_TIME.now().wall_ms)
    banned = named_s is not None or (isinstance(error, ccxt.DDoSProtection) and asked.answer.status == 418)
    told_s = _number_in(asked.headers, "retry-after")
    waits_s = [wait_s for wait_s in (named_s, told_s) if wait_s is not None]  # our clock may be off: the longer one
    unsaid_s = _BAN_S if banned else _FIREWALL_BACK_OFF_S if FIREWALL in str(error) else _BACK_OFF_S
    return (max(1, *waits_s) if waits_s else unsaid_s), banned


def _ccxt_object(exchange_id: str, base_url: str | None) -> Any:
    if exchange_id == SIMULATED and base_url:
        exchange_id = "binance"
    if exchange_id not in ccxt.exchanges:
        raise ValueError(f"unknown exchange {exchange_id!r}: ccxt does not have it")
    made = getattr(ccxt, exchange_id)({"enableRateLimit": base_url is None, "timeout": TIMEOUT_MS})
    limit_whole_answers(made.session)
    made.enableLastHttpResponse = made.enableLastJsonResponse = False  # megabytes, kept for nobody
    options = made.options
    options["maxRetriesOnFailure"] = 0  # retrying is decided above, where it is known what is being sent
    options["fetchMargins"] = False
    kinds = options.get("fetchMarkets")
    if isinstance(kinds, dict) and isinstance(kinds.get("types"), list):
        kinds["types"] = ["spot"]
    if exchange_id in RAW_BINANCE:
        made.has["fetchCurrencies"] = False
    if base_url:
        made.urls["api"] = {name: base_url.rstrip("/") + urlsplit(url).path for name, url in made.urls["api"].items()}
    return made


def _let_it_sign(made: Any, key: str, secret: str) -> None:
    made.apiKey, made.secret = key, secret
    made.enableRateLimit = False  # an exit must not wait for ccxt's own pace: the shared budget keeps ours
    made.options["recvWindow"] = _RECEIVE_WINDOW_MS
    made.session.max_redirects = 0  # a redirected order would be sent twice, and its signature to somebody else


def _number_in(headers: dict[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None
