"""The command line: arguments in, settings out, one clear line for each mistake."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simexchange.exchange import KeyPair
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET

_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Settings:
    """What one run of the exchange is told. An origin of None means "now", or the start of the replay."""

    host: str
    port: int
    speed: float
    weight_limit: int
    seed: int
    data: Path
    replay: Path | None
    origin_wall_ms: int | None
    origin_market_ms: int | None
    key: KeyPair
    deposits: dict[str, Decimal]
    fee_rate: Decimal
    maker_fee_rate: Decimal
    fee_asset: str | None
    query_lag_ms: int
    access_log: bool


def parse(arguments: list[str] | None = None) -> Settings:
    """Settings from the command line; exits with status 2 and one line when they make no sense."""
    given = _parser().parse_args(arguments)
    deposits = dict(given.balance or [("BTC", Decimal(10)) if given.replay else ("USDT", Decimal(100_000))])
    return Settings(
        host=given.host,
        port=given.port,
        speed=given.speed,
        weight_limit=given.weight_limit,
        seed=given.seed,
        data=given.data,
        replay=given.replay,
        origin_wall_ms=given.origin_wall_ms,
        origin_market_ms=given.origin_market_ms,
        key=KeyPair(given.api_key, given.api_secret, given.key_may_withdraw, given.key_ip_restricted),
        deposits=deposits,
        fee_rate=given.fee_rate,
        maker_fee_rate=given.fee_rate if given.maker_fee_rate is None else given.maker_fee_rate,
        fee_asset=given.fee_asset,
        query_lag_ms=given.query_lag_ms,
        access_log=given.access_log,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simexchange", description="A spot exchange on localhost that speaks Binance's REST API."
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--port", type=_port, default=8900, help="port to listen on, 0 for any free one (default %(default)s)")
    add("--speed", type=_speed, default=1.0, help="market time per wall time (default 1)")
    add(
        "--weight-limit",
        type=_weight_limit,
        default=6_000,
        metavar="N",
        help="request weight per wall minute at speed 1; N times the speed if faster (default %(default)s)",
    )
    add("--seed", type=_seed, default=1, help="which invented market (default 1)")
    add("--replay", type=Path, metavar="DIR", help="replay BASE_QUOTE-TF.csv.gz candles instead of inventing them")
    add("--data", type=Path, default=Path("var/simexchange"), help="where the ledger lives (default %(default)s)")
    add("--origin-wall-ms", type=_milliseconds, help="wall time at which market time is the origin (default now)")
    add("--origin-market-ms", type=_milliseconds, help="market time at that moment (default the same; see --replay)")
    add("--api-key", default=DEMO_KEY, help="the account's API key (default: the demo key)")
    add("--api-secret", default=DEMO_SECRET, help="its secret (default: the demo secret)")
    add("--key-may-withdraw", action="store_true", help="let the key's restrictions say that it may withdraw")
    add("--key-ip-restricted", action="store_true", help="let them say that it is bound to addresses")
    add(
        "--balance",
        type=_deposit,
        action="append",
        metavar="ASSET=AMOUNT",
        help="starting balance of a new ledger, repeatable (default USDT=100000, replaying BTC=10)",
    )
    add("--fee-rate", type=_fee_rate, default=Decimal("0.001"), help="taker fee (default %(default)s, which is 0.1 %%)")
    add("--maker-fee-rate", type=_fee_rate, help="fee of orders that rested (default: the taker fee)")
    add(
        "--fee-asset",
        type=_asset,
        metavar="ASSET",
        help="pay fees in this asset where it has a price and enough is free, as BNB",
    )
    add(
        "--query-lag-ms",
        type=_lag,
        default=0,
        help="wall time until a new order can be queried, as a standing fault (default %(default)s)",
    )
    add("--access-log", action="store_true", help="log every request")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return port


def _speed(text: str) -> float:
    speed = float(text)
    if not math.isfinite(speed) or not 0 < speed <= 100_000:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 100000")
    return speed


def _weight_limit(text: str) -> int:
    limit = int(text)
    if not 1 <= limit <= 10**9:
        raise argparse.ArgumentTypeError("must be between 1 and 1000000000")
    return limit


def _seed(text: str) -> int:
    seed = int(text)
    if not 0 <= seed <= _LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be between 0 and {_LARGEST_SEED}")
    return seed


def _milliseconds(text: str) -> int:
    value = int(text)
    if not 10**11 < value < 10**14:
        raise argparse.ArgumentTypeError("must be a Unix time in milliseconds")
    return value


def _fee_rate(text: str) -> Decimal:
    rate = _decimal(text)
    if not 0 <= rate < 1:
        raise argparse.ArgumentTypeError("must be at least 0 and less than 1")
    return rate


def _asset(text: str) -> str:
    if not text.isalnum() or not text.isupper():
        raise argparse.ArgumentTypeError(f"{text!r} is not like BNB")
    return text


def _lag(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 600_000:
        raise argparse.ArgumentTypeError("must be between 0 and 600000 milliseconds")
    return value


def _deposit(text: str) -> tuple[str, Decimal]:
    asset, _, amount = text.partition("=")
    value = _decimal(amount)
    if not asset.isalnum() or not asset.isupper() or value < 0 or value != round(value, 8):
        raise argparse.ArgumentTypeError(f"{text!r} is not like USDT=100000 (at most eight decimals)")
    return asset, value


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not value.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value
