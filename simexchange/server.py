"""HTTP: one way in for every endpoint. Meet the faults, then count, charge, authenticate, answer."""

from __future__ import annotations

from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simexchange.clock import wall_ms
from simexchange.endpoints.table import FREE, METERED
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults.strike import strike
from simexchange.requests.fields import BadField
from simexchange.requests.params import Params
from simexchange.visit import Visit, json_response


def build_app(exchange: Exchange) -> Starlette:
    """The ASGI application. Endpoints are plain functions run one after the other on the event loop: the exchange has
    one order of events, as a matching engine must."""
    exchange.endpoints = tuple((endpoint.method, endpoint.path) for endpoint in METERED)
    routes = [_metered(exchange, endpoint) for endpoint in METERED]
    routes += [_free(exchange, endpoint) for endpoint in FREE]
    return Starlette(routes=routes)


def _metered(exchange: Exchange, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        visit = Visit(exchange, endpoint, request, await _body(request), wall_ms())
        if exchange.faults.none:
            return visit.serve()
        met = exchange.faults.meet(visit.ask(), visit.arrived_ms)
        visit = replace(visit, met=met)
        return visit.serve() if met.transport is None else await strike(met.transport, visit, visit.arrived_ms)

    return Route(endpoint.path, respond, methods=[endpoint.method])


def _free(exchange: Exchange, endpoint: Endpoint) -> Route:
    """The simulator's own endpoints; their mistakes are HTTP 400 with the field and what is allowed."""

    async def respond(request: Request) -> Response:
        now, body = wall_ms(), await _body(request)
        call = Call(Params(request.url.query, body), now, exchange.clock.market_ms(now), body)
        try:
            return json_response(200, endpoint.answer(exchange, call))
        except BadField as mistake:
            return json_response(400, mistake.as_json())

    return Route(endpoint.path, respond, methods=[endpoint.method])


async def _body(request: Request) -> str:
    return (await request.body()).decode("utf-8", "replace") if request.method != "GET" else ""
