"""An exchange that trades whatever it is asked for: to read a fleet file before the real one can be asked. PURE."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from market.instruments import Instrument


class AnySymbol(Mapping[str, Instrument]):
    """Has every symbol and lists none."""

    def __getitem__(self, symbol: str) -> Instrument:
        base, _, quote = symbol.partition("/")
        one = Decimal(1)
        return Instrument(
            symbol, base, quote, tick_size=one, lot_step=one, min_amount=one, max_amount=one, min_notional=one
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
