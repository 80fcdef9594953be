"""What the simulated exchange says of the traffic it sees."""

import json
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_S = 2
KEYS = ("requests", "candle_requests", "weight_1m")


def exchange_stats(sim_url: str) -> dict[str, Any]:
    """Requests since its start, and the request weight of the current minute; nulls, and a ``reason``, when unknown."""
    if not sim_url:
        return _unknown("only the simulated exchange counts its requests")
    try:
        with urlopen(f"{sim_url.rstrip('/')}/sim/stats", timeout=TIMEOUT_S) as answer:  # http, from our own settings
            stats = json.load(answer)
        return {key: int(stats[key]) for key in KEYS}
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        return _unknown(f"the simulated exchange does not answer: {error}")


def _unknown(reason: str) -> dict[str, Any]:
    return {**dict.fromkeys(KEYS), "reason": reason}
