"""How fast one chat may be written to (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this).

PURE: whoever asks brings the time.
"""

from dataclasses import dataclass

EACH_S = 1.0
AT_ONCE = 3
"""About one message a second, a few at once now and then. Whoever is faster meets 429, and is kept out for longer than
waiting would have taken."""


@dataclass
class Pace:
    """One chat's. ``_next_s``: when a message would be due if they came evenly."""

    _next_s: float = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """Book a message, and say in how many seconds it may go out; monotonic seconds."""
        self._next_s = max(self._next_s, now_s - (AT_ONCE - 1) * EACH_S)
        wait_s = max(0.0, self._next_s - now_s)
        self._next_s += EACH_S
        return wait_s
