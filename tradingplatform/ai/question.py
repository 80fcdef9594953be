"""Rows and what a tick saw -> the question that is put to the AI."""

from decimal import Decimal, localcontext

from bots.models import Bot
from bots.strategies.base import Signal
from execution.models import AssetExposure, BotBook, Portfolio
from execution.totals import bot_equity, equity, free_cash
from market.candles import Candles
from market.instruments import Instrument
from market.money import ROUNDED, ZERO, canonical, exact, ratio
from risk.verdicts import Proposal
from tradingplatform.ai.prompt import Question


def question_of(
    bot: Bot, book: BotBook, instrument: Instrument, candles: Candles, signal: Signal, wish: Proposal
) -> Question:
    """One entry with what it would mean for its bot and its account, read without any lock: it decides nothing."""
    return Question(
        base=instrument.base,
        quote=instrument.quote,
        timeframe=bot.timeframe,
        strategy=bot.strategy,
        signal=signal.reason,
        candles=candles,
        indicators=signal.indicators,
        entry=_entry(wish),
        bot=_bot(bot, book, wish),
        account=_account(bot.account_id, instrument.base, wish),
    )


def _entry(wish: Proposal) -> dict[str, str | None]:
    figures = {
        "amount": wish.amount,
        "price": wish.reference_price,
        "notional": wish.notional,
        "stop": wish.stop_price,
        "target": wish.target_price,
    }
    texts = {name: None if figure is None else canonical(figure) for name, figure in figures.items()}
    if wish.stop_price is None:
        return {"side": "buy", **texts}
    distance = percent_of(wish.reference_price - wish.stop_price, wish.reference_price)
    return {"side": "buy", **texts, "stop_distance_percent": distance}


def _bot(bot: Bot, book: BotBook, wish: Proposal) -> dict[str, str]:
    own = bot_equity(bot, book)
    with exact():
        at_risk = ZERO if wish.stop_price is None else wish.amount * (wish.reference_price - wish.stop_price)
    return {
        "entry_percent_of_capital": percent_of(wish.notional, bot.capital),
        "lost_at_stop_percent_of_capital": percent_of(at_risk, bot.capital),
        "losing_trades_in_a_row": str(book.loss_streak),
        "drawdown_percent": percent_of(max(book.peak_equity - own, ZERO), book.peak_equity),
    }


def _account(account_id: int, base: str, wish: Proposal) -> dict[str, str]:
    portfolio = Portfolio.objects.get(account_id=account_id)
    row = AssetExposure.objects.filter(portfolio=portfolio, asset=base).first()
    whole, asset = equity(portfolio), row.exposure if row else ZERO
    return {
        "exposure_percent_of_equity": percent_of(portfolio.exposure, whole),
        "exposure_with_this_entry_percent": percent_of(portfolio.exposure + wish.notional, whole),
        "exposure_in_this_asset_percent": percent_of(asset, whole),
        "free_cash_percent": percent_of(free_cash(portfolio), whole),
        "drawdown_percent": percent_of(max(portfolio.peak_equity - whole, ZERO), portfolio.peak_equity),
    }


def percent_of(part: Decimal, whole: Decimal) -> str:
    """A share in percent, to a hundredth: the AI sees how much of the capital, and not how much that is."""
    with localcontext(ROUNDED):
        return canonical((ratio(part, whole) * 100).quantize(Decimal("0.01")))
