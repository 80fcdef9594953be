"""The code that a check-in has to repeat: shown beside the exposure, good for a few minutes and for one check-in.

Nothing is stored. It is made from the last check-in, so a credited one makes it worthless; from who asks, so that
nobody uses another's; and from a window of wall time, so that neither a script nor a stuck key goes on holding the
switch with one that was read once.
"""

from datetime import datetime

from django.utils.crypto import constant_time_compare, salted_hmac

WINDOW_MS = 600_000
"""Wall time. A code is taken in the window that it was shown in, and in the next one."""

_SALT = "tradingplatform.checkin_code"


def code_shown(last_checkin_at: datetime, actor: str, wall_ms: int) -> str:
    """Six digits."""
    return _code(last_checkin_at, actor, wall_ms // WINDOW_MS)


def is_code(typed: str, last_checkin_at: datetime, actor: str, wall_ms: int) -> bool:
    """Whether it was shown to this person, after that check-in, in this window or the one before."""
    window = wall_ms // WINDOW_MS
    digits = "".join(typed.split())
    return any(constant_time_compare(digits, _code(last_checkin_at, actor, each)) for each in (window, window - 1))


def _code(last_checkin_at: datetime, actor: str, window: int) -> str:
    value = f"{last_checkin_at.isoformat()}|{window}|{actor}"
    digest = salted_hmac(_SALT, value, algorithm="sha256").digest()
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"
