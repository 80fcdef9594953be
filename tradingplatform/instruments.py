"""The exchange's instruments for those who check what a person typed."""

from collections.abc import Mapping

from market.exchange import ExchangeError
from market.instruments import Instrument


class ExchangeUnreachable(Exception):
    """The exchange cannot say what it trades, so nothing that names a symbol can be checked."""


def instruments() -> Mapping[str, Instrument]:
    """Every symbol of the exchange by name. Raises ExchangeUnreachable."""
    from tradingplatform.wiring import platform  # here, because importing ccxt takes a second and few need it

    try:
        return platform().instruments()
    except (ExchangeError, RuntimeError, OSError) as error:
        raise ExchangeUnreachable(f"cannot ask the exchange for its symbols: {error}") from error
