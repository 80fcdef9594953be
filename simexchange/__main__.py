"""``python -m simexchange``: builds the exchange, listens, and leaves quickly when told to."""

from __future__ import annotations

import signal
import socket
import sqlite3
import sys

import uvicorn

from simexchange.cli import Settings, parse
from simexchange.clock import MarketClock, wall_ms
from simexchange.exchange import Exchange
from simexchange.faults.fault import Fault, Where
from simexchange.faults.register import Faults
from simexchange.faults.transport import Protocol
from simexchange.market.generated import LISTED_MS, GeneratedPrices
from simexchange.market.listing_changes import ListingChanges
from simexchange.market.market import Market, PriceSource
from simexchange.market.replay import ReplayedPrices
from simexchange.orders.ledger import Ledger
from simexchange.orders.progress import Progress
from simexchange.requests.limits import Limits
from simexchange.requests.stats import Stats
from simexchange.server import build_app

_GRACE_S = 1  # for answers that are being written when the exchange is told to stop


class StartError(Exception):
    """Why the exchange cannot start, for the person who started it."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; the exit status is 0 after a graceful stop, 1 if it could not start."""
    settings = parse(arguments)
    try:
        listener = _listen(settings.host, settings.port)
        exchange = build_exchange(settings, wall_ms())
    except StartError as error:
        sys.stderr.write(f"simexchange: {error}\n")
        return 1
    sys.stdout.write(_greeting(settings, listener, exchange) + "\n")
    sys.stdout.flush()
    config = uvicorn.Config(
        build_app(exchange),
        http=Protocol,
        log_level="info" if settings.access_log else "warning",
        access_log=settings.access_log,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=75,
        lifespan="off",
        server_header=False,
    )
    # uvicorn stops gracefully and then raises the signal again for whoever handled it before: here, nobody needs it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        exchange.ledger.close()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket: binding here gives one clear line when the port is taken."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)  # an early connection waits in the queue instead of being refused
    except OSError as error:
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listener


def build_exchange(settings: Settings, now_ms: int) -> Exchange:
    """Everything the endpoints need, put together."""
    source: PriceSource
    if settings.replay is None:
        source, origin = GeneratedPrices(settings.seed), now_ms
    else:
        try:
            source = ReplayedPrices.read(settings.replay)
        except (OSError, ValueError) as error:
            raise StartError(f"cannot replay {settings.replay}: {error}") from error
        origin = source.default_origin_ms()
    if settings.origin_market_ms is not None:
        origin = settings.origin_market_ms
    if settings.replay is None and origin < LISTED_MS:
        raise StartError(f"--origin-market-ms {origin} is before the first candle at {LISTED_MS}")
    try:
        ledger = Ledger(settings.data)
        account = ledger.open_account(settings.deposits)
    except (OSError, sqlite3.Error) as error:
        raise StartError(f"cannot open the ledger in {settings.data}: {error}") from error
    origin_wall = now_ms if settings.origin_wall_ms is None else settings.origin_wall_ms
    clock = MarketClock(origin_wall, origin, settings.speed)
    return Exchange(
        clock=clock,
        market=Market(source, ListingChanges(ledger.changes())),
        ledger=ledger,
        account=account,
        limits=Limits.at_speed(settings.speed, settings.weight_limit),
        key=settings.key,
        fee_rate=settings.fee_rate,
        stats=Stats(now_ms),
        maker_fee_rate=settings.maker_fee_rate,
        fee_asset=settings.fee_asset,
        faults=_standing_faults(settings, now_ms),
        progress=_progress(ledger, clock.market_ms(now_ms)),
    )


def _standing_faults(settings: Settings, now_ms: int) -> Faults:
    """What the command line asks for is a fault like any other: seen, and taken away, at /sim/faults."""
    faults = Faults()
    if settings.query_lag_ms:
        faults.add([Fault("query_lag", {"lag_ms": settings.query_lag_ms}, Where("GET", "/api/v3/order"))], now_ms)
    return faults


def _progress(ledger: Ledger, now_ms: int) -> Progress:
    """Matching goes on where the ledger says. Under an earlier market time than before it goes on from there: orders
    must not wait until time has caught up."""
    return Progress({symbol: min(matched_ms, now_ms) for symbol, matched_ms in ledger.matched().items()})


def _greeting(settings: Settings, listener: socket.socket, exchange: Exchange) -> str:
    host, port = listener.getsockname()[:2]
    what = f"replay of {settings.replay}" if settings.replay else f"seed {settings.seed}"
    symbols = len(exchange.market.source.instruments)
    return f"simexchange listening on http://{host}:{port} ({symbols} symbols, {what}, speed {settings.speed:g})"


if __name__ == "__main__":
    sys.exit(main())
