"""Asking again. For reads only: an order is never sent twice."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from market.exchange import Transient, Withheld

T = TypeVar("T")

_TRIES = 3
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 2.0


def retried(read: Callable[[], T], deadline_s: float) -> T:
    """``read()``, asked up to three times while it raises Transient and ``time.monotonic()`` is before the deadline.

    Waits are exponential with full jitter. An exchange that says how long to stay away, or may not be asked now, is not
    asked again. Raises the last Transient, or Rejected at once.
    """
    for attempt in range(_TRIES):
        try:
            return read()
        except Withheld:
            raise
        except Transient as error:
            wait_s = random.uniform(0, min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**attempt))
            last_one = attempt == _TRIES - 1
            if last_one or error.retry_after_s or time.monotonic() + wait_s >= deadline_s:
                raise
            time.sleep(wait_s)
    raise AssertionError("unreachable: the last attempt returns or raises")
