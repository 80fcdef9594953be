"""Rows -> the frozen ``Exposure`` that the checks take, read under the portfolio lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bots.live import why_not_live
from bots.models import Bot
from execution.clean import why_not_clean
from execution.models import AssetExposure, BotBook, Portfolio, Position
from execution.states import LIVE_POSITION
from execution.totals import bot_equity, equity, free_cash
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import Quote
from market.instruments import Instrument
from market.money import ZERO, exact
from risk.deadman import pull
from risk.halts import open_halts
from risk.limits import BotLimits, PortfolioLimits
from risk.models import BotRiskLimits, PortfolioRiskLimits
from risk.verdicts import Exposure, Proposal


@dataclass(frozen=True, slots=True)
class Pricing:
    """How the proposal was priced: what the exchange allows, the close that the strategy decided on, the live quote,
    how far the exchange's clock is from ours, and how long a quote may be believed (milliseconds of market time)."""

    instrument: Instrument
    trusted_price: Decimal
    quote: Quote
    clock: Offset
    stale_after_ms: int


DEFINITION = ("account_id", "symbol", "timeframe", "strategy", "parameters", "capital")
"""What a proposal was made for: a bot that was edited since its tick began enters in its next slot."""


def read_exposure(
    portfolio: Portfolio, bot: Bot, as_decided: Bot, proposal: Proposal, pricing: Pricing, now: Now
) -> Exposure:
    """Everything the eight checks look at. Call it inside the gate's transaction, after the lock.

    ``bot`` is read after the lock, ``as_decided`` is what the tick decided with: what an operator or a check did to the
    bot in between counts.
    """
    book: BotBook = bot.book
    own_equity = bot_equity(bot, book)
    return Exposure(
        bot_capital=bot.capital,
        bot_equity=own_equity,
        bot_peak_equity=max(book.peak_equity, own_equity),
        bot_day_start_equity=book.day_start_equity,
        bot_position_notional=_total(_live_exposures(bot.pk)),
        loss_streak=book.loss_streak,
        account_equity=equity(portfolio),
        account_peak_equity=max(portfolio.peak_equity, equity(portfolio)),
        total_exposure=portfolio.exposure,
        asset_exposure=_asset_exposure(portfolio, proposal.base),
        free_cash=free_cash(portfolio),
        halts=_why_stopped(bot, as_decided, now) + open_halts(proposal.account_id, bot.pk, now),
        trusted_price=pricing.trusted_price,
        bid=pricing.quote.bid,
        priced_at_ms=pricing.quote.at_ms,
        clock=pricing.clock,
        now_ms=now.market_ms,
        stale_after_ms=pricing.stale_after_ms,
        dead_man_triggered=pull(now),
        bot_limits=_bot_limits(bot.pk),
        portfolio_limits=_portfolio_limits(proposal.account_id),
        instrument=pricing.instrument,
    )


def _live_exposures(bot_id: int) -> Iterable[Decimal]:
    return Position.objects.filter(bot_id=bot_id, status__in=list(LIVE_POSITION)).values_list("exposure", flat=True)


def _total(amounts: Iterable[Decimal]) -> Decimal:
    with exact():
        return sum(amounts, ZERO)


def _asset_exposure(portfolio: Portfolio, asset: str) -> Decimal:
    row = AssetExposure.objects.filter(portfolio=portfolio, asset=asset).first()
    return row.exposure if row else ZERO


def _why_stopped(bot: Bot, as_decided: Bot, now: Now) -> tuple[str, ...]:
    changed = [name for name in DEFINITION if getattr(bot, name) != getattr(as_decided, name)]
    edited = (f"bot {bot.name} was edited during its tick ({', '.join(changed)})",) if changed else ()
    stopped = "" if bot.may_enter else f"bot {bot.name} is {bot.status}"
    found = (stopped, why_not_live(bot), why_not_clean(bot.account, now))
    return (*filter(None, found), *edited)


def _bot_limits(bot_id: int) -> BotLimits | None:
    row = BotRiskLimits.objects.filter(bot_id=bot_id).first()
    return row.value() if row else None


def _portfolio_limits(account_id: int) -> PortfolioLimits | None:
    row = PortfolioRiskLimits.objects.filter(account_id=account_id).first()
    return row.value() if row else None
