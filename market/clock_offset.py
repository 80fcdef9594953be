"""How far apart two clocks are, and how far they may be. PURE."""

from dataclasses import dataclass

LIMIT_MS = 1_000
"""Further apart, and the exchange may refuse what we sign (Binance does, a second ahead), and slots are no longer its
candles: nothing is entered then."""


@dataclass(frozen=True, slots=True)
class Offset:
    """``ahead_ms``: the exchange's clock less ours, exact to ``within_ms`` (half of what the question took).

    ``measured_ms`` is when, in UTC milliseconds of our wall time. Both are 0 where the exchange does not tell the time.
    """

    ahead_ms: int
    within_ms: int
    measured_ms: int

    @property
    def too_far(self) -> bool:
        """Whether the clocks are certainly further apart than they may be."""
        return abs(self.ahead_ms) - self.within_ms > LIMIT_MS
