"""Eight processes that want ten times the budget, across the edges of its windows, with an order path beside them."""

import contextlib
import multiprocessing
import statistics
import time
from multiprocessing.synchronize import Event
from typing import Any

import redis

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.exchange import ExchangeError, Withheld
from market.rate_limits import Cost, Priority
from soak.findings import Findings
from soak.fleet import Say
from tests.rig import Rig

FORK = multiprocessing.get_context("fork")
HUNGRY, LIMIT, LASTING_S, EVERY_S = 8, 1_200, 150.0, 1.0


def hungry_processes(say: Say) -> Findings:
    """For two and a half minutes, so that two windows end meanwhile."""
    findings = Findings()
    with Rig(1.0) as rig:
        rig.tell_exchange("/sim/limits", {"weight_1m": LIMIT})
        stop, waits, tries = FORK.Event(), FORK.Queue(), FORK.Value("i", 0)
        path = f"{rig.var}/redis.sock"
        orders = FORK.Process(target=_order_path, args=(rig.sim_url, path, stop, waits), daemon=True)
        orders.start()
        alone = [waits.get(timeout=20) for _ in range(10)]
        wanting = (rig.sim_url, path, stop, tries)
        hungry = [FORK.Process(target=_want_candles, args=wanting, daemon=True) for _ in range(HUNGRY)]
        for process in hungry:
            process.start()
        say(f"  {HUNGRY} processes are hungry for {LASTING_S / 60:.1f} min")
        time.sleep(LASTING_S)
        among = [waits.get(timeout=20) for _ in range(waits.qsize())]
        stop.set()
        for process in [orders, *hungry]:
            process.join(10)
        _judge(findings, rig.exchange_stats(), tries.value, alone, among)
    return findings


def _judge(
    findings: Findings, stats: dict[str, Any], tries: int, alone: list[float | None], among: list[float | None]
) -> None:
    waited = sorted(wait * 1000 for wait in among if wait is not None)
    calm = sorted(wait * 1000 for wait in alone if wait is not None)
    findings.figures["weight a minute allowed, peak used"] = f"{stats['weight_limit_1m']}, {stats['peak_weight_1m']}"
    findings.figures["candle requests wanted, made"] = f"{tries}, {stats['candle_requests']}"
    findings.figures["order path alone, ms (median, worst)"] = f"{statistics.median(calm):.1f}, {calm[-1]:.1f}"
    findings.figures["among the hungry, ms (median, p99, worst)"] = (
        f"{statistics.median(waited):.1f}, {waited[int(len(waited) * 0.99)]:.1f}, {waited[-1]:.1f} of {len(waited)}"
    )
    refused = stats["answers_429"] + stats["answers_418"]
    findings.require(refused == 0, f"the exchange had to refuse {refused} requests")
    findings.require(None not in among, "an urgent request was withheld")
    findings.require(tries > 10 * stats["candle_requests"], "the processes were not hungry enough")


def _member(url: str, path: str) -> tuple[CcxtExchange, Access]:
    access = Access(redis.Redis(unix_socket_path=path, socket_timeout=5), "access")
    exchange = CcxtExchange("binance", url, access=access)
    exchange.instruments()
    return exchange, access


def _want_candles(url: str, path: str, stop: Event, tries: Any) -> None:
    """As many as can be had; what is withheld is wanted again a hundredth of a second later."""
    exchange, _ = _member(url, path)
    while not stop.is_set():
        with tries.get_lock():
            tries.value += 1
        try:
            exchange.fetch_candles("BTC/USDT", "15m", None, 5)
        except Withheld:
            time.sleep(0.01)
        except ExchangeError:
            pass


def _order_path(url: str, path: str, stop: Event, waits: Any) -> None:
    """A question about an order every second: leave to ask, and the answer. None when it was withheld."""
    exchange, access = _member(url, path)
    while not stop.is_set():
        began = time.monotonic()
        with contextlib.suppress(ExchangeError):
            try:
                access.admit(Priority.EXITS, Cost(4))
                exchange._ccxt.publicGetTime()
                waits.put(time.monotonic() - began)
            except Withheld:
                waits.put(None)
        stop.wait(EVERY_S)
