"""One scrape: every part, of one moment; a part that cannot be read is missing and named, and spoils no other."""

import time
from collections.abc import Callable, Iterable, Iterator

import structlog
from django.conf import settings
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from market.clock import Clock, Now, load_clock
from tradingplatform.metrics.accounts import account_metrics
from tradingplatform.metrics.bots import bot_metrics
from tradingplatform.metrics.events import event_metrics
from tradingplatform.metrics.exchange import exchange_metrics
from tradingplatform.metrics.families import gauge, one
from tradingplatform.metrics.orders import order_metrics
from tradingplatform.metrics.trouble import trouble_metrics

log = structlog.get_logger()

Part = Callable[[Clock, Now], Iterable[Metric]]

PARTS: dict[str, Part] = {
    "bots": bot_metrics,
    "accounts": account_metrics,
    "orders": order_metrics,
    "trouble": trouble_metrics,
    "events": event_metrics,
    "exchange": exchange_metrics,
}


class PlatformCollector(Collector):
    """Asked anew at each scrape."""

    def collect(self) -> Iterator[Metric]:
        began_s = time.perf_counter()
        clock = load_clock(settings.CLOCK_FILE)
        now, readable = clock.now(), {}
        for name, part in PARTS.items():
            try:
                found = list(part(clock, now))
            except Exception as error:  # whatever it is, the other parts are told
                log.warning("metrics_not_read", part=name, error=f"{type(error).__name__}: {error}")
                readable[(name,)] = 0.0
            else:
                readable[(name,)] = 1.0
                yield from found
        yield gauge("trading_scrape_readable", "1: this part of the metrics could be read", ("part",), readable.items())
        yield one("trading_clock_speed", "Market time per wall time", clock.speed)
        yield one("trading_market_time_seconds", "Market time, as a Unix time", now.market_ms / 1000)
        yield one("trading_scrape_duration_seconds", "How long reading took", time.perf_counter() - began_s)


def scrape() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(PlatformCollector())
