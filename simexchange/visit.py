"""The whole life of one request to the Binance API."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from simexchange.clock import wall_ms
from simexchange.errors import request_errors
from simexchange.errors.api_error import ApiError
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults import late
from simexchange.faults.fault import Ask
from simexchange.faults.register import NOTHING, Met
from simexchange.requests import auth
from simexchange.requests.limits import Client
from simexchange.requests.params import Params


@dataclass(frozen=True)
class Visit:
    """A request that came in at ``arrived_ms`` (wall time) and the faults it met."""

    exchange: Exchange
    endpoint: Endpoint
    request: Request
    body: str
    arrived_ms: int
    met: Met = NOTHING

    @property
    def _query(self) -> str:
        raw: bytes = self.request.scope["query_string"]
        return raw.decode("ascii", "replace")

    @property
    def _client(self) -> Client:
        return self.exchange.client(self.request.client.host if self.request.client else "unknown")

    def ask(self) -> Ask:
        """What faults may go by."""
        sent = dict(parse_qsl(self.body) + parse_qsl(self._query))
        symbols = frozenset(filter(None, (sent.get("symbol"), *_listed(sent.get("symbols")))))
        key = self.request.headers.get("x-mbx-apikey")
        return Ask(self.endpoint.method, self.endpoint.path, symbols, sent.get("interval"), key)

    def serve(self) -> Response:
        """Count, charge, authenticate, carry out, answer. The clocks are read here: a fault may have kept the request
        waiting. Its timestamp was judged by when it came in, as at Binance's door."""
        now = wall_ms()
        weight, status, content = 1, 200, None
        headers: dict[str, str] = {}
        try:
            params, weight = self._read()
            self._client.charge(weight, self.exchange.limits, now)
            params.refuse_doubled()
            if self.endpoint.signed:
                self._authenticate(params)
            call = Call(params, now, self.exchange.clock.market_ms(now), self.body, self.met)
            content = self.endpoint.answer(self.exchange, call)
        except Exception as failure:
            error = failure if isinstance(failure, ApiError) else request_errors.internal()
            if error is not failure:
                logging.exception("%s %s failed", self.endpoint.method, self.endpoint.path)
            content, status = error.body(), error.status
            if error.retry_after_s is not None:
                headers["Retry-After"] = str(error.retry_after_s)
        self._count(weight, status)
        return json_response(status, content, headers | self.headers())

    def turn_away(self, status: int, content: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
        """Count and charge, but carry nothing out: a fault answers."""
        _, weight = self._read()
        self._client.note(weight, wall_ms())
        self._count(weight, status)
        return Response(content, status or 503, {**self.headers(), **headers}, media_type)

    def headers(self) -> dict[str, str]:
        """The weight used, and where orders are placed, how many count."""
        now = wall_ms()
        used = str(self._client.weight.add(0, now))
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if self.endpoint.places_orders:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.exchange.order_count.ten_seconds.add(0, now))
            headers["X-MBX-ORDER-COUNT-1D"] = str(self.exchange.order_count.day.add(0, now))
        return headers

    def _authenticate(self, params: Params) -> None:
        auth.check_key(self.request.headers.get("x-mbx-apikey"), self.exchange.key.key)
        auth.check_timing(params, self.arrived_ms + late.skew_ms(self.met, self.arrived_ms))
        auth.check_signature(params, self._query, self.body, self.exchange.key.secret)

    def _read(self) -> tuple[Params, int]:
        """Parameters and weight; a request too malformed to be weighed still weighs 1."""
        params = Params(self._query, self.body)
        try:
            return params, self.endpoint.weight(params)
        except ApiError:
            return params, 1

    def _count(self, weight: int, status: int) -> None:
        now = wall_ms()
        name = f"{self.endpoint.method} {self.endpoint.path}"
        self.exchange.stats.count(name, weight, status, now, self._client.weight.add(0, now))


def _listed(symbols: str | None) -> list[str]:
    """The names in a ``symbols`` parameter; none when it is malformed, which its endpoint will say."""
    try:
        names = orjson.loads(symbols or "[]")
    except orjson.JSONDecodeError:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def json_response(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json;charset=UTF-8")
