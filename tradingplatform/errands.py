"""What one hand of the reconciler does about one position, holding its bot's lease."""

from collections.abc import Callable
from decimal import Decimal

import structlog

from bots.lifecycle import borrow_lease, return_lease
from bots.models import ExchangeAccount
from execution.chores import Chore, Watched
from execution.closing import Closing, is_to_close
from execution.drive import ask, drive, is_pausing, leave
from execution.models import Order, Position, Purpose
from execution.record import LostRace
from execution.states import UNFINISHED_ORDER, PositionStatus
from execution.submit import Exit, Means
from risk.exits import ExitReason
from tradingplatform.exit_watch import Reached, is_near
from tradingplatform.guarding.prices import AGREEMENT
from tradingplatform.holder import new_token
from tradingplatform.leases import give_back
from tradingplatform.means import means_of
from tradingplatform.wiring import Platform

log = structlog.get_logger()

JUMPED_S = 2.0
"""Wall time that the price has to be below a stop's limit before the platform sells in its place."""

CONFIRMED_S = 2.0
"""Wall time after which another print has to say what one said that is far from the last mark."""

HANGING_S = 5.0
"""Wall time that a stop at the exchange has to sell what it should."""


def see_to(platform: Platform, chore: Chore) -> bool:
    """Carry a position on. False when somebody else is at it."""
    return _with_lease(platform, chore, lambda means: drive(chore.position_id, means))


def take_exit(platform: Platform, reached: Reached) -> bool:
    """The price is at the stop or beyond, or at the target: see whether the stop at the exchange has sold, and sell at
    the market where the platform has to.

    A sale that was refused a moment ago (the symbol is halted, the key is revoked) waits, and so does one on paper
    that has no price to be filled at: the look is repeated every second. False when somebody else is at it.
    """
    why, chore = _why_sell(reached), reached.watched.chore

    def act(means: Means) -> None:
        stops = Order.objects.filter(position=chore.position_id, purpose=Purpose.STOP)
        for stop in stops.filter(status__in=list(UNFINISHED_ORDER)):
            ask(stop, means)
        position = Position.objects.get(pk=chore.position_id)
        waits = is_pausing(position, Purpose.EXIT, means.clock()) or not _can_fill(means)
        if position.status == PositionStatus.OPEN and why and not waits:
            call = reached.call
            _leave(position, Exit(call.reason, f"{why}: sold at the market", call.price), means)
        else:
            drive(chore.position_id, means)

    return _with_lease(platform, chore, act)


def close_down(platform: Platform, closing: Closing) -> bool:
    """Sell a position that a halt sells, if it still does. False when somebody else is at it."""

    def act(means: Means) -> None:
        position = Position.objects.get(pk=closing.chore.position_id)
        if position.status != PositionStatus.OPEN or not is_to_close(position.pk, means.clock()):
            return
        if _can_fill(means):
            _leave(position, Exit(ExitReason.OPERATOR, closing.text, closing.price), means)

    return _with_lease(platform, closing.chore, act)


def _leave(position: Position, wish: Exit, means: Means) -> None:
    try:
        leave(position, wish, None, means)
    except LostRace as error:
        log.info("exit_lost_race", position=position.pk, exit=wish.reason, error=str(error))


def _can_fill(means: Means) -> bool:
    """On paper nothing is filled without a quote: an exit would be refused, told, and decided anew."""
    return not means.executor.fills_at_quotes or means.bid() is not None


def _why_sell(reached: Reached) -> str:
    """Why the platform sells; empty while it waits.

    One bad print must not sell: it has to agree with what the position was last valued at, or be followed by another
    that says the same. A stop that rests at the exchange has its moment besides; a target rests nowhere.
    """
    watched, price = reached.watched, reached.call.price
    if not is_near(price, watched.mark, AGREEMENT) and reached.for_s < CONFIRMED_S:
        return ""
    if reached.call.reason is ExitReason.TARGET:
        return f"target reached at {price}"
    why = _why_not_sold(watched, price, reached.for_s)
    return f"stop reached at {price}; {why}" if why else ""


def _why_not_sold(watched: Watched, price: Decimal, reached_for_s: float) -> str:
    """Why the exchange will not do it; empty while it may. It cannot where no stop rests, nor below a stop's limit."""
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
        act(means_of(platform, account, chore.symbol))
    finally:
        give_back(lambda: return_lease(chore.bot_id, token, before))
    return True
