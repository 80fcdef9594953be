"""When a tick asks the AI: before an entry, where its word counts; after it, where it is only recorded.

Never for an exit, never inside a transaction, and never where the entry is known to be refused anyhow.
"""

import structlog

from bots.ai import AiMode
from bots.strategies.base import Signal
from execution.fills import worst_price
from execution.portfolio import why_doomed
from risk.decisions import keep_opinion
from risk.opinion import NOT_ASKED, Opinion
from risk.verdicts import Proposal
from tradingplatform.ai.opinion import no_opinion, opinion_on
from tradingplatform.ai.prompt import AskLater
from tradingplatform.ai.question import question_of
from tradingplatform.decide import Nothing, Subject, propose
from tradingplatform.passes import Pass, Seen

log = structlog.get_logger()

ROOM_S = 1.0
"""Wall seconds of a tick's time to enter that are left for the quote and the gate."""


def before_entry(this: Pass, seen: Seen, subject: Subject, signal: Signal) -> Opinion | None:
    """The opinion that the bot's entry depends on; None where nobody needs to be asked.

    The entry is put as it would be at the last close: the quote is asked for afterwards, so that it is fresh. The bot
    holds nothing at this moment, so that no exit waits for the answer.
    """
    bot = this.bot
    if bot.ai_mode != AiMode.VETO:
        return None
    if why := why_doomed(bot, this.now):
        return no_opinion(bot, f"{NOT_ASKED}{why}")
    assert seen.window is not None
    instrument, candles = subject.instrument, seen.window.candles
    close = instrument.price_from_float(float(candles.close[-1]))
    wish = propose(subject, signal, instrument.round_price_up(worst_price(close)), this.slot)
    if isinstance(wish, Nothing):
        return no_opinion(bot, f"{NOT_ASKED}{wish.reason}")
    question = question_of(bot, bot.book, instrument, candles, signal, wish)
    return opinion_on(question, bot, lambda: this.now, this.left_s - ROOM_S)


def after_entry_ask(this: Pass, seen: Seen, subject: Subject, signal: Signal, wish: Proposal) -> AskLater | None:
    """What the AI will be asked about an entry that is about to be made, in the figures before it. Never raises: a
    shadow changes nothing."""
    if this.bot.ai_mode != AiMode.SHADOW or seen.window is None:
        return None
    try:
        question = question_of(this.bot, this.bot.book, subject.instrument, seen.window.candles, signal, wish)
    except Exception as error:
        log.warning("ai_shadow_failed", error=f"{type(error).__name__}: {error}")
        return None
    return AskLater(question, wish.amount, subject.instrument)


def after_entry(this: Pass, later: AskLater) -> None:
    """Ask about an entry that was made, and keep what is said beside its decision. The tick is over and has given its
    lease back, so that nobody waits for the answer. Never raises."""
    try:
        opinion = opinion_on(later.question, this.bot, lambda: this.now, float("inf"))
        keep_opinion(this.bot.pk, this.slot, opinion.on(later.amount, later.instrument))
    except Exception as error:
        log.warning("ai_shadow_failed", error=f"{type(error).__name__}: {error}")
