"""Whether the exchange has a symbol: the one judgement of a bot that needs to know the exchange. PURE."""

from collections.abc import Mapping
from difflib import get_close_matches

from market.instruments import Instrument

_LISTED = 30
"""So many symbols are listed in full; of more, the nearest are named."""


def why_unknown(symbol: str, instruments: Mapping[str, Instrument]) -> str | None:
    """Why no bot can trade this symbol, None when it can."""
    instrument = instruments.get(symbol)
    if instrument is None and symbol.upper() in instruments:
        return f"symbols are written in capitals: use {symbol.upper()}"
    if instrument is None:
        return f"the exchange has no {symbol!r}: use {_suggestion(symbol, instruments)}"
    return None if instrument.active else f"{symbol} is not trading at the exchange now"


def _suggestion(symbol: str, instruments: Mapping[str, Instrument]) -> str:
    active = [name for name, instrument in instruments.items() if instrument.active]
    if len(active) <= _LISTED:
        return f"one of {', '.join(active)}"
    near = get_close_matches(symbol, active, n=5, cutoff=0.5)
    return f"one of its {len(active)} symbols" + (f", perhaps {', '.join(near)}" if near else "")
