"""The exchange's instruments for those who check what a person typed."""

from collections.abc import Mapping

from django.conf import settings

from market.exchange import ExchangeError
from market.instruments import Instrument
from tradingplatform.launcher.folder import is_running
from tradingplatform.launcher.options import SIMULATED
from tradingplatform.typed import make


class ExchangeUnreachable(Exception):
    """The exchange cannot say what it trades, so nothing that names a symbol can be checked."""


def instruments() -> Mapping[str, Instrument]:
    """Every symbol of the exchange by name. Raises ExchangeUnreachable."""
    from tradingplatform.wiring import platform  # here, because importing ccxt takes a second and few need it

    try:
        return platform().instruments()
    except (ExchangeError, RuntimeError, OSError) as error:
        if settings.EXCHANGE != SIMULATED:
            text = f"no answer from {settings.EXCHANGE}: is the internet there? ({error})"
        elif is_running(settings.VAR):
            text = f"the simulated exchange does not answer: see {settings.VAR / 'log' / 'exchange.log'} ({error})"
        else:
            text = f"the platform is not running: start it with {make('run', settings.VAR)}"
        raise ExchangeUnreachable(text) from error
