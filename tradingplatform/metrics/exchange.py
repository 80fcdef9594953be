"""The request budget, trouble with the exchange, and the queues: two looks at Redis."""

from collections.abc import Iterator
from contextlib import closing

import redis
from django.conf import settings
from prometheus_client.core import Metric

from market.clock import Clock, Now
from market.usage import read_usage
from tradingplatform.metrics.families import gauge, one
from tradingplatform.wiring import access_namespace

QUEUES = ("trading", "housekeeping")
PATIENCE_S = 0.25
"""A scrape does not wait longer for Redis."""


def exchange_metrics(_clock: Clock, now: Now) -> Iterator[Metric]:
    """Raises redis.RedisError, and ValueError where no Redis is named."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    with closing(client):
        usage = read_usage(client, access_namespace(), now.wall_ms)
        with client.pipeline(transaction=False) as ask:
            for queue in QUEUES:
                ask.llen(queue)
            waiting = ask.execute()
    yield one("trading_exchange_weight_used", "Request weight used in this minute, by all processes", usage.weight)
    yield one("trading_exchange_clock_ahead_seconds", "The exchange's clock before ours", usage.ahead_ms / 1000)
    told = [((trouble.value,), float(is_so)) for trouble, is_so in usage.told.items()]
    yield gauge("trading_exchange_told_to_wait", "1: the exchange told us to stay away", ("trouble",), told)
    failing = [((kind.value,), number) for kind, number in usage.failing.items()]
    yield gauge("trading_exchange_failing", "Different things asked for in vain, none answered", ("kind",), failing)
    queued = [((queue,), number) for queue, number in zip(QUEUES, waiting, strict=True)]
    yield gauge("trading_queue_length", "Messages that wait for a worker", ("queue",), queued)
