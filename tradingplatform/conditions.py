"""What may last and keeps the fleet from trading on what it sees: in words, and as events that begin and end once.

Market data, on its floor, knows no events: it says what it met, and here it is told.
"""

from collections.abc import Collection, Mapping

import structlog
from django.db import Error, transaction

from execution.closing import held_in
from market.clock import Clock, Now
from market.clock_offset import LIMIT_MS, Offset
from market.standing import Notice, OnNotice, Trouble
from market.window import Window
from notifications.conditions import begin, end, lasting
from notifications.kinds import Lasting
from notifications.models import Severity
from risk.models import Halt
from tradingplatform.event_kinds import (
    CLOCK_APART,
    CLOSING_DOWN,
    EXCHANGE_BANNED,
    EXCHANGE_DOWN,
    EXCHANGE_LIMITED,
    NOT_TRADED,
    STALE_CANDLES,
    STALE_PRICES,
)

log = structlog.get_logger()

TROUBLES: dict[Trouble, tuple[Lasting, Severity]] = {
    Trouble.LIMITED: (EXCHANGE_LIMITED, Severity.WARNING),
    Trouble.BANNED: (EXCHANGE_BANNED, Severity.CRITICAL),
    Trouble.DOWN: (EXCHANGE_DOWN, Severity.CRITICAL),
}
"""The kind of event that tells of each trouble with the exchange."""


def teller(exchange: str, clock: Clock) -> OnNotice:
    """Who is told by market data when trouble with the exchange begins."""

    def tell(notice: Notice) -> None:
        now = clock.now()
        try:
            _begin_trouble(exchange, notice.trouble, notice.text, now)
        except Error as error:  # the guard tells it again as long as it lasts
            log.error("trouble_not_told", trouble=notice.trouble, error=str(error))

    return tell


def review_troubles(exchange: str, troubles: Mapping[Trouble, str], now: Now) -> None:
    """Begin what is there, end what is not there any more. One transaction."""
    with transaction.atomic():
        for trouble, text in troubles.items():
            _begin_trouble(exchange, trouble, text, now)
        for trouble, (kind, _) in TROUBLES.items():
            if trouble not in troubles:
                over = "answers again" if trouble is Trouble.DOWN else "may be asked again"
                _end(kind, exchange, f"{exchange} {over}", now)


def series_name(symbol: str, timeframe: str) -> str:
    return f"{symbol} {timeframe}"


def begin_stale(symbol: str, timeframe: str, window: Window, now: Now) -> None:
    """The newest candle of a series has not been had in time."""
    age_ms = window.age_ms(now.market_ms)
    known = "none is known" if age_ms is None else f"the last one closed {age_ms / 60_000:.0f} min ago (market time)"
    text = f"No fresh {timeframe} candles of {symbol}, its bots enter nothing: {known}; {window.reason}"
    _begin(STALE_CANDLES, series_name(symbol, timeframe), text, now)


def review_stale_series(in_use: Mapping[tuple[str, str], Window | None], now: Now) -> None:
    """``in_use`` are the windows of all series in use by symbol and timeframe; None where it was not asked this time.
    One transaction."""
    with transaction.atomic():
        windows = {series_name(*series): (series, window) for series, window in in_use.items()}
        for series, window in windows.values():
            if window is not None and not window.fresh:
                begin_stale(*series, window, now)
        for name in lasting(STALE_CANDLES).values_list("subject", flat=True):
            if name not in windows:
                _end(STALE_CANDLES, name, f"No bot in service uses the candles of {name} any more", now)
            elif (window := windows[name][1]) is not None and window.fresh:
                _end(STALE_CANDLES, name, f"The candles of {name} are fresh again", now)


def review_prices(exchange: str, old: Collection[str], now: Now) -> None:
    """``old`` are the listed symbols in use without a live price of the last seconds. One transaction."""
    with transaction.atomic():
        if old:
            named = ", ".join(sorted(old)[:5]) + (f" and {len(old) - 5} more" if len(old) > 5 else "")
            text = f"No live prices of {named}: what is held there is valued at older prices"
            _begin(STALE_PRICES, exchange, text, now)
        else:
            _end(STALE_PRICES, exchange, "Live prices come again", now)


def review_symbols(untraded: Collection[str], now: Now) -> None:
    """``untraded`` are the symbols of bots in service and of positions that do not trade any more. One transaction."""
    with transaction.atomic():
        for symbol in untraded:
            text = f"{symbol} is halted or no longer listed: its bots enter nothing, and what they hold cannot be sold"
            _begin(NOT_TRADED, symbol, text, now, Severity.CRITICAL)
        for symbol in lasting(NOT_TRADED).values_list("subject", flat=True):
            if symbol not in untraded:
                _end(NOT_TRADED, symbol, f"{symbol} trades again, or nobody needs it any more", now)


def review_clock(exchange: str, offset: Offset, now: Now) -> None:
    """The exchange's clock against ours. One transaction."""
    with transaction.atomic():
        if offset.too_far:
            ahead = "ahead of" if offset.ahead_ms > 0 else "behind"
            text = (
                f"The clock of {exchange} is {abs(offset.ahead_ms)} ms {ahead} this machine's, more than {LIMIT_MS} ms:"
                " nothing is entered. Set this machine's clock (chrony or ntpd)"
            )
            _begin(CLOCK_APART, exchange, text, now, Severity.CRITICAL)
        elif offset.in_step:  # after a slow answer neither is certain: what lasted lasts on
            _end(CLOCK_APART, exchange, f"The clock of {exchange} and this machine's agree again", now)


def review_closing(halts: Collection[Halt], now: Now) -> None:
    """``halts`` are those in force that sell what is held: told while there is something left. One transaction."""
    selling = {halt.scope: halt for halt in halts if held_in(halt).exists()}
    told = list(lasting(CLOSING_DOWN).values_list("subject", flat=True))
    if not selling and not told:
        return
    with transaction.atomic():
        for scope, halt in selling.items():
            text = f"{_what_holds(scope)} is being sold, one position after another: {halt.text}"
            _begin(CLOSING_DOWN, scope, text, now)
        for scope in told:
            if scope not in selling:
                lifted = scope not in {halt.scope for halt in halts}
                over = "is not sold any more: the halt was lifted" if lifted else "was sold: nothing is left"
                _end(CLOSING_DOWN, scope, f"{_what_holds(scope)} {over}", now)


def _what_holds(scope: str) -> str:
    return "Everything that is held" if scope == "everything" else f"What {scope} holds"


def _begin_trouble(exchange: str, trouble: Trouble, text: str, now: Now) -> None:
    kind, severity = TROUBLES[trouble]
    _begin(kind, exchange, text[:1].upper() + text[1:], now, severity)


def _begin(kind: Lasting, subject: str, text: str, now: Now, severity: Severity = Severity.WARNING) -> None:
    begin(kind, subject, text, severity=severity, market_at=now.market_at, wall_at=now.wall_at)


def _end(kind: Lasting, subject: str, text: str, now: Now) -> None:
    end(kind, subject, text, market_at=now.market_at, wall_at=now.wall_at)
