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
from risk.exits import ExitReason
from tradingplatform.holder import new_token
from tradingplatform.leases import give_back
from tradingplatform.logs import log_context
from tradingplatform.means import means_of
from tradingplatform.wiring import Platform

log = structlog.get_logger()

JUMPED_S = 2.0
"""Wall time that the price has to be below a stop's limit before the platform sells in its place."""

HANGING_S = 5.0
"""Wall time that a stop at the exchange has to sell what it should."""


def see_to(platform: Platform, chore: Chore) -> bool:
    """Carry a position on. False when somebody else is at it."""
    return _with_lease(platform, chore, lambda means: drive(chore.position_id, means))


def at_the_stop(platform: Platform, watched: Watched, price: Decimal, reached_for_s: float) -> bool:
    """The price is at the stop or beyond: see whether the stop at the exchange has sold, and sell where it did not.

    It cannot sell where none rests, nor below its own limit; else it has a moment: one bad print must not end a stop
    that was never touched. A sale that was refused a moment ago (the symbol is halted, the key is revoked) waits: the
    look is repeated every second. ``reached_for_s``: for how long looks have seen the price there. False when somebody
    else is at it.
    """
    why = _why_not_sold(watched, price, reached_for_s)

    def act(means: Means) -> None:
        chore = watched.chore
        stops = Order.objects.filter(position=chore.position_id, purpose=Purpose.STOP)
        for stop in stops.filter(status__in=list(UNFINISHED_ORDER)):
            ask(stop, means)
        position = Position.objects.get(pk=chore.position_id)
        waits = is_pausing(position, Purpose.EXIT, means.clock())
        if position.status == PositionStatus.OPEN and why and not waits:
            text = f"stop reached at {price}; {why}: sold at the market"
            try:
                leave(position, Exit(ExitReason.STOP, text, price), None, means)
            except LostRace as error:
                log.info("stop_lost_race", position=chore.position_id, error=str(error))
        else:
            drive(chore.position_id, means)

    return _with_lease(platform, watched.chore, act)


def _why_not_sold(watched: Watched, price: Decimal, reached_for_s: float) -> str:
    """Why the exchange will not do it; empty while it may."""
    if watched.limit is None:
        return "no stop rests"
    if price < watched.limit and reached_for_s >= JUMPED_S:
        return "the stop was jumped"
    return "the stop hangs" if reached_for_s >= HANGING_S else ""


def _with_lease(platform: Platform, chore: Chore, act: Callable[[Means], object]) -> bool:
    token = new_token()
    before = borrow_lease(chore.bot_id, platform.clock.now(), token)
    if before is None:
        return False
    try:
        account = ExchangeAccount.objects.get(pk=chore.account_id)
        with log_context(bot=chore.bot, bot_id=chore.bot_id, position=chore.position_id, errand=token):
            act(means_of(platform, account, chore.symbol))
    finally:
        give_back(lambda: return_lease(chore.bot_id, token, before))
    return True
