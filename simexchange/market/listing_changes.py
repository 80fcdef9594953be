"""What an operator of an exchange does to a symbol while it runs: halt it, change its trading rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from simexchange.market.instruments import Instrument


@dataclass(frozen=True)
class Change:
    """How a symbol differs from its listing; None is as listed. ``step`` is in base, the others in quote."""

    halted: bool = False
    step: Decimal | None = None
    tick: Decimal | None = None
    min_notional: Decimal | None = None


@dataclass
class ListingChanges:
    """The changes that hold now, by symbol. ``Market`` shows every instrument through them.

    Orders that are open already keep their prices and quantities. A halted symbol (status BREAK) takes no orders and
    matches none; it may be asked about, and its orders may be cancelled.
    """

    changes: dict[str, Change] = field(default_factory=dict)

    def halted(self, symbol: str) -> bool:
        found = self.changes.get(symbol)
        return found is not None and found.halted

    def applied(self, instrument: Instrument) -> Instrument:
        found = self.changes.get(instrument.symbol)
        if found is None:
            return instrument
        return replace(
            instrument,
            step=found.step or instrument.step,
            tick=found.tick or instrument.tick,
            min_notional=found.min_notional or instrument.min_notional,
        )
