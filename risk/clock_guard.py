"""Whether this machine's clock can be believed. PURE: moments and spans in, a sentence out, empty when it can."""

from datetime import datetime, timedelta

BACK_LIMIT = timedelta(seconds=60)
"""How far behind the latest time ever seen the clock may be: corrections of a running clock are far smaller."""

APART_LIMIT_S = 30.0
"""How far the wall clock and a clock that nobody sets may come apart between two looks of one process."""


def why_back(now_at: datetime, seen_at: datetime) -> str:
    """Why a clock that says ``now_at`` is not believed after one that has said ``seen_at``."""
    if seen_at - now_at <= BACK_LIMIT:
        return ""
    return f"this machine's clock went back: it says {_shown(now_at)}, and has said {_shown(seen_at)} before"


def why_jumped(wall_s: float, steady_s: float) -> str:
    """Why a wall clock that moved by ``wall_s`` seconds, while ``steady_s`` went by, is not believed."""
    ahead_s = wall_s - steady_s
    if abs(ahead_s) <= APART_LIMIT_S:
        return ""
    return f"this machine's clock jumped {'forward' if ahead_s > 0 else 'back'} by {abs(ahead_s):.0f} s"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
