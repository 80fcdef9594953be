"""HTTP: one way in for every endpoint. Count, charge, authenticate, answer."""

from __future__ import annotations

import logging
from collections.abc import Callable

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simexchange import auth, errors, listing_endpoints, private, public, sim
from simexchange.clock import wall_ms
from simexchange.errors import ApiError
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.params import Params

Answer = Callable[[Exchange, Endpoint, Request, str], Response]


def build_app(exchange: Exchange) -> Starlette:
    """The ASGI application. Endpoints are plain functions run one after the other on the event loop: the exchange has
    one order of events, as a matching engine must."""
    routes = [_route(exchange, endpoint, _metered) for endpoint in public.ENDPOINTS + private.ENDPOINTS]
    routes += [_route(exchange, endpoint, _free) for endpoint in sim.ENDPOINTS + listing_endpoints.ENDPOINTS]
    return Starlette(routes=routes)


def _route(exchange: Exchange, endpoint: Endpoint, answer: Answer) -> Route:
    async def respond(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace") if endpoint.method != "GET" else ""
        return answer(exchange, endpoint, request, body)

    return Route(endpoint.path, respond, methods=[endpoint.method])


def _free(exchange: Exchange, endpoint: Endpoint, request: Request, body: str) -> Response:
    now = wall_ms()
    call = Call(Params(request.url.query, body), now, exchange.clock.market_ms(now))
    return _json(200, endpoint.answer(exchange, call))


def _metered(exchange: Exchange, endpoint: Endpoint, request: Request, body: str) -> Response:
    """The whole life of one request to the Binance API."""
    now = wall_ms()
    client = exchange.client(request.client.host if request.client else "unknown")
    weight, status, content = 1, 200, None
    headers: dict[str, str] = {}
    try:
        query = request.scope["query_string"].decode("ascii", "replace")
        params, weight = _read(endpoint, query, body)
        client.charge(weight, exchange.limits, now)
        params.refuse_doubled()
        if endpoint.signed:
            auth.check_key(request.headers.get("x-mbx-apikey"), exchange.key.key)
            auth.check_timing(params, now)
            auth.check_signature(params, query, body, exchange.key.secret)
        content = endpoint.answer(exchange, Call(params, now, exchange.clock.market_ms(now)))
    except Exception as failure:
        error = failure if isinstance(failure, ApiError) else errors.internal()
        if error is not failure:
            logging.exception("%s %s failed", endpoint.method, endpoint.path)
        content, status = error.body(), error.status
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
    exchange.stats.count(f"{endpoint.method} {endpoint.path}", weight, status)
    headers["X-MBX-USED-WEIGHT"] = headers["X-MBX-USED-WEIGHT-1M"] = str(client.weight.add(0, now))
    if endpoint.answer is private.new_order:
        headers["X-MBX-ORDER-COUNT-10S"] = str(exchange.order_count.ten_seconds.add(0, now))
        headers["X-MBX-ORDER-COUNT-1D"] = str(exchange.order_count.day.add(0, now))
    return _json(status, content, headers)


def _read(endpoint: Endpoint, query: str, body: str) -> tuple[Params, int]:
    """Parameters and weight; a request too malformed to be weighed still weighs 1."""
    params = Params(query, body)
    try:
        return params, endpoint.weight(params)
    except ApiError:
        return params, 1


def _json(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json;charset=UTF-8")
