"""What candles cost: reads, updates, a cold start; requests by the number of bots; the memory of a worker."""

import sys
import time
from collections.abc import Callable

import psutil
import redis

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.clock import Clock, load_clock
from market.fetcher import DataFetcher
from market.slots import TIMEFRAMES, slot_at
from tests.fleets import SYMBOLS
from tests.rig import Rig, until

ROUNDS = 300
FLEETS = (45, 450)
FLEET_SPEED, FLEET_S = 60.0, 75.0  # five slots of a quarter of an hour
WORKER = ("worker", "--queues", "trading", "--concurrency", "2", "--without-gossip", "--without-mingle")


def main() -> None:
    with Rig(1.0) as rig:
        _candles(rig)
    for bots in FLEETS:
        _fleet(bots)


def _candles(rig: Rig) -> None:
    clock = load_clock(rig.var / "clock.json")
    client = redis.Redis(unix_socket_path=f"{rig.var}/redis.sock", socket_timeout=5)
    exchange = CcxtExchange("binance", rig.sim_url, clock, Access(client, "access"))
    fetcher = DataFetcher(exchange, client, clock, "bench")
    exchange.instruments()
    before = rig.exchange_stats()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    for symbol, timeframe, slot in _series(clock):
        fetcher.closed_candles(symbol, timeframe, slot)
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    after = rig.exchange_stats()
    asked, weight = (after[key] - before[key] for key in ("candle_requests", "weight"))
    _row("cold start of 39 series", f"{cpu_s * 1000:.0f} ms CPU, {wall_s:.2f} s, {asked} requests, weight {weight}")
    slot = slot_at(clock.now().market_ms, 900)
    _row("cached read of 1000 candles", _cost(lambda _: fetcher.closed_candles("BTC/USDT", "15m", slot)))
    _row("one new candle (a request of weight 2)", _cost(_updates(DataFetcher(exchange, client, clock, "anew"), slot)))
    _row("live prices of 13 symbols, shared", _cost(lambda _: fetcher.prices([f"{base}/USDT" for base in SYMBOLS])))


def _updates(fetcher: DataFetcher, slot: int) -> Callable[[int], object]:
    """Slots of the past, one after the other: each has one more candle."""
    first = slot - ROUNDS - 10
    return lambda number: fetcher.closed_candles("ETH/USDT", "15m", first + number)


def _series(clock: Clock) -> list[tuple[str, str, int]]:
    now_ms = clock.now().market_ms
    return [
        (f"{base}/USDT", name, slot_at(now_ms, seconds)) for name, seconds in TIMEFRAMES.items() for base in SYMBOLS
    ]


def _cost(work: Callable[[int], object]) -> str:
    for number in range(5):
        work(number)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    for number in range(5, ROUNDS):
        work(number)
    each_ms = 1000 / (ROUNDS - 5)
    return f"{(time.process_time() - begun_cpu) * each_ms:.3f} ms CPU, {(time.perf_counter() - begun) * each_ms:.3f} ms"


def _fleet(bots: int) -> None:
    """Requests in each slot that began and ended while a fleet ran, and what a worker's child weighs."""
    with Rig(FLEET_SPEED) as rig:
        rig.load_fleet(bots, tuple(TIMEFRAMES))
        worker = rig.celery(*WORKER)
        rig.celery("beat", "--pidfile=")
        until(lambda: rig.ticks() >= bots, "the first ticks", 120)
        begun = rig.exchange_stats()
        time.sleep(FLEET_S)
        ended = rig.exchange_stats()
        first, last = (stats["market_ms"] // 900_000 for stats in (begun, ended))
        slots = ended["klines_by_slot"]["15m"].items()
        whole = [of["requests"] for slot, of in slots if first < int(slot) < last]
        weight = (ended["weight"] - begun["weight"]) / (FLEET_S * FLEET_SPEED / 900)
        _row(f"{bots} bots: 15m candle requests in each slot", f"{whole}, weight of everything {weight:.0f} a slot")
        children = [child.memory_full_info().uss / 2**20 for child in psutil.Process(worker.pid).children()]
        _row(f"{bots} bots: memory of a worker's child", f"{max(children):.0f} MiB of its own")


def _row(name: str, figures: str) -> None:
    sys.stdout.write(f"{name:44} {figures}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
