"""How far apart two clocks are, and how far they may be. PURE."""

from dataclasses import dataclass

LIMIT_MS = 1_000
"""Further apart, and the exchange may refuse what we sign (Binance does, a second ahead), and slots are no longer its
candles: nothing is entered then."""


@dataclass(frozen=True, slots=True)
class Offset:
    """``ahead_ms``: the exchange's clock less ours, exact to ``within_ms`` (half of what the question took).

    Both are 0 where the exchange does not tell the time.
    """

    ahead_ms: int
    within_ms: int

    @property
    def in_step(self) -> bool:
        """Whether the clocks are certainly no further apart than they may be: what an entry needs."""
        return abs(self.ahead_ms) + self.within_ms <= LIMIT_MS

    @property
    def too_far(self) -> bool:
        """Whether the clocks are certainly further apart than they may be: what an alarm needs.

        After a slow answer neither may be certain.
        """
        return abs(self.ahead_ms) - self.within_ms > LIMIT_MS
