"""Lengths of time as an operator types them. PURE."""

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read_span(text: str) -> timedelta:
    """``90s``, ``15m``, ``36h`` or ``2d``. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,7})([smhd])", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a length of time: give one such as 90s, 15m, 36h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
