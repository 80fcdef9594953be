"""What one hand of the reconciler does about one position, holding its bot's lease."""

from collections.abc import Callable
from decimal import Decimal

import structlog

from bots.lifecycle import borrow_lease, return_lease
from bots.models import ExchangeAccount
from execution.chores import Chore, Watched
from execution.drive import ask, drive, is_pausing, leave
from execution.models import Order, Position, Purpose
from execution.record import LostRace
from execution.states import UNFINISHED_ORDER, PositionStatus
from execution.submit import Exit, Means
from market.exchange import ExchangeError
from risk.exits import ExitReason
from tradingplatform.holder import new_token
from tradingplatform.leases import give_back
from tradingplatform.wiring import Platform

log = structlog.get_logger()


def means_of(platform: Platform, account: ExchangeAccount, symbol: str) -> Means:
    """What the orders of one symbol of an account are sent with."""
    try:
        instrument = platform.instrument(symbol)
    except ExchangeError:
        instrument = None

    def bid() -> Decimal | None:
        try:
            return platform.fetcher.quote(symbol).bid
        except ExchangeError:
            return None

    return Means(platform.executor(account), platform.clock.now, instrument, bid)


def see_to(platform: Platform, chore: Chore) -> bool:
    """Carry a position on. False when somebody else is at it."""
    return _with_lease(platform, chore, lambda means: drive(chore.position_id, means))


def at_the_stop(platform: Platform, watched: Watched, price: Decimal, impatient: bool) -> bool:
    """The price is at the stop or beyond: see whether the stop at the exchange has sold, and sell where it did not.

    It cannot sell where none rests, nor below its own limit; ``impatient``: it had its time. A sale that was refused a
    moment ago (the symbol is halted, the key is revoked) waits: the look is repeated every second. False when somebody
    else is at it.
    """

    def act(means: Means) -> None:
        chore = watched.chore
        stops = Order.objects.filter(position=chore.position_id, purpose=Purpose.STOP)
        for stop in stops.filter(status__in=list(UNFINISHED_ORDER)):
            ask(stop, means)
        position = Position.objects.get(pk=chore.position_id)
        jumped = watched.limit is None or price < watched.limit
        waits = is_pausing(position, Purpose.EXIT, means.clock())
        if position.status == PositionStatus.OPEN and (jumped or impatient) and not waits:
            why = "no stop rests" if watched.limit is None else "the stop was jumped" if jumped else "the stop hangs"
            text = f"stop reached at {price}; {why}: sold at the market"
            try:
                leave(position, Exit(ExitReason.STOP, text, price), None, means)
            except LostRace as error:
                log.info("stop_lost_race", position=chore.position_id, error=str(error))
        else:
            drive(chore.position_id, means)

    return _with_lease(platform, watched.chore, act)


def _with_lease(platform: Platform, chore: Chore, act: Callable[[Means], object]) -> bool:
    token = new_token()
    before = borrow_lease(chore.bot_id, platform.clock.now(), token)
    if before is None:
        return False
    try:
        account = ExchangeAccount.objects.get(pk=chore.account_id)
        act(means_of(platform, account, chore.symbol))
    finally:
        give_back(lambda: return_lease(chore.bot_id, token, before))
    return True
