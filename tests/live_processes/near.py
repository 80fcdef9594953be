"""An entry whose stop lies a hair below the price: no strategy would want it, and a race needs it."""

from decimal import Decimal

from bots.lifecycle import borrow_lease, return_lease
from bots.models import Bot
from bots.strategies.base import Action, Signal
from execution.drive import drive
from execution.fills import worst_price
from execution.models import Position
from execution.portfolio import Pricing
from execution.submit import enter
from market.slots import slot_at
from risk.verdicts import Approved
from tradingplatform.decide import Nothing, propose
from tradingplatform.holder import new_token
from tradingplatform.means import means_of
from tradingplatform.subject import grounds_of, subject_of
from tradingplatform.tick import MARKS_MAX_AGE_WALL_MS, QUOTE_MAX_AGE_WALL_MS
from tradingplatform.wiring import platform


def enter_near(name: str, below: float) -> str:
    """Enter through the gate with a stop so far (a fraction) below the price, protected. What kept it from it, or
    nothing."""
    ours, bot = platform(), Bot.objects.select_related("account", "book", "limits").get(name=name)
    instrument, quote = ours.instruments()[bot.symbol], ours.fetcher.quote(bot.symbol)
    stop = min(float(quote.bid) * (1 - below), float(quote.bid - 2 * instrument.tick_size))
    signal = Signal(Action.ENTER, "near its stop", stop=stop)
    slot = slot_at(ours.clock.now().market_ms, bot.interval_s)
    worst = instrument.round_price_up(worst_price(quote.ask))
    proposal = propose(subject_of(bot, bot.book, instrument, "", ours.clock.now()), signal, worst, slot)
    if isinstance(proposal, Nothing):
        return proposal.reason
    stale_after_ms = round(QUOTE_MAX_AGE_WALL_MS * ours.clock.speed)
    marks_ms = round(MARKS_MAX_AGE_WALL_MS * ours.clock.speed)
    pricing = Pricing(instrument, Decimal(quote.last), quote, ours.fetcher.clock_offset(), stale_after_ms, marks_ms)
    token = new_token()
    before = borrow_lease(bot.pk, ours.clock.now(), token)
    if before is None:
        return "somebody else has the lease"
    try:
        means = means_of(ours, bot.account, bot.symbol)
        verdict = enter(bot, proposal, pricing, grounds_of(slot, signal, None), means.executor, ours.clock.now)
        if not isinstance(verdict, Approved):
            return verdict.reason
        drive(Position.objects.filter(bot=bot).latest("pk").pk, means)
    finally:
        return_lease(bot.pk, token, before)
    return ""
