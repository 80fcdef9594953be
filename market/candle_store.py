"""What the fleet knows of the market, in Redis: windows of candles, quotes, and why something could not be had."""

import json
from decimal import Decimal
from typing import cast

import numpy as np
import redis

from market.candles import Candles
from market.exchange import ExchangeError, Quote, Rejected, Transient
from market.window import NOTHING, Wanted

_WINDOW_AGE_S = 7 * 86_400  # a series that nobody asks for any more goes away (wall time)
_FIRST_NOTE_MS, _LONGEST_NOTE_MS = 300, 10_000  # wall time between two questions for what could not be had
_TRIES_AGE_S = 600
_DEFECTS_AGE_S = 86_400


class CandleStore:
    """Keys under ``namespace``; losing them all costs one request per series. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._redis = client
        self._namespace = namespace

    def key(self, wanted: Wanted) -> str:
        """The name of the series."""
        return f"{self._namespace}:candles:{wanted.symbol}:{wanted.timeframe}"

    def quote_key(self, symbol: str) -> str:
        return f"{self._namespace}:quote:{symbol}"

    def read(self, wanted: Wanted) -> tuple[Candles, str]:
        """The known candles, and why no more may be asked for just now ("" when they may). One round trip."""
        key = self.key(wanted)
        window, note = cast(list[bytes | None], self._redis.mget(key, f"{key}:note"))
        return _candles(window, wanted.interval_ms), (note or b"").decode()

    def keep(self, wanted: Wanted, candles: Candles) -> None:
        self._redis.set(self.key(wanted), candles.to_bytes(), ex=_WINDOW_AGE_S)

    def note(self, wanted: Wanted, reason: str) -> int:
        """Nobody asks for this series again for a while, and for longer each time: ``reason``.

        Returns how often in a row that has been noted now.
        """
        key = self.key(wanted)
        tries = self._redis.incr(f"{key}:tries")
        lasting_ms = min(_LONGEST_NOTE_MS, _FIRST_NOTE_MS * 2 ** min(tries - 1, 10))
        with self._redis.pipeline(transaction=False) as write:
            write.expire(f"{key}:tries", _TRIES_AGE_S)
            write.set(f"{key}:note", reason, px=lasting_ms)
            write.execute()
        return tries

    def has_changed(self, wanted: Wanted, defects: str) -> bool:
        """Whether the series' candles are unsound in another way than they were (what was wrong, in words)."""
        return self._redis.set(f"{self.key(wanted)}:defects", defects, ex=_DEFECTS_AGE_S, get=True) != defects.encode()

    def clear(self, wanted: Wanted) -> int:
        """The series is as it should be. Returns how often in a row it had not been."""
        return int(cast(bytes | None, self._redis.getdel(f"{self.key(wanted)}:tries")) or 0)

    def read_quote(self, symbol: str) -> Quote | ExchangeError | None:
        """The quote or the failure that another call has just got."""
        kept = cast(bytes | None, self._redis.get(self.quote_key(symbol)))
        try:
            return _quote(symbol, json.loads(kept)) if kept else None
        except (ValueError, TypeError, LookupError, ArithmeticError):
            return None  # not what was stored

    def keep_quote(self, symbol: str, found: Quote | ExchangeError, lasting_ms: int) -> None:
        if isinstance(found, Quote):
            fields = ["quote", str(found.bid), str(found.ask), str(found.last), found.at_ms]
        elif isinstance(found, Rejected):
            fields = ["rejected", str(found), found.code]
        else:
            fields = ["transient", str(found)]
        self._redis.set(self.quote_key(symbol), json.dumps(fields), px=lasting_ms)


def _candles(data: bytes | None, interval_ms: int) -> Candles:
    """Stored candles; nothing when they are not what was stored (they are fetched again then)."""
    try:
        candles = Candles.from_bytes(data or b"")
    except ValueError:
        return NOTHING
    times = candles.opened_ms
    whole = bool((np.diff(times) > 0).all()) and bool((times % interval_ms == 0).all())
    return candles if whole else NOTHING


def _quote(symbol: str, fields: list[str]) -> Quote | ExchangeError:
    kind, *rest = fields
    if kind == "rejected":
        return Rejected(rest[0], code=rest[1])
    if kind == "transient":
        return Transient(rest[0])
    bid, ask, last = (Decimal(text) for text in rest[:3])
    return Quote(symbol=symbol, bid=bid, ask=ask, last=last, at_ms=int(rest[3]))
