"""Rows -> the frozen ``Exposure`` that the checks take, read under the portfolio lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bots.models import Bot
from execution.models import AssetExposure, BotBook, Portfolio, Position
from execution.states import LIVE_POSITION
from execution.totals import equity, free_cash
from market.clock import Now
from market.instruments import Instrument
from market.money import ZERO, exact
from risk.deadman import pull
from risk.halts import open_halts
from risk.limits import BotLimits, PortfolioLimits
from risk.models import BotRiskLimits, PortfolioRiskLimits
from risk.verdicts import Exposure, Proposal


@dataclass(frozen=True, slots=True)
class Pricing:
    """How the proposal was priced: what the exchange allows, when the price was true, and how long it stays so (ms)."""

    instrument: Instrument
    priced_at_ms: int
    stale_after_ms: int


def read_exposure(portfolio: Portfolio, proposal: Proposal, pricing: Pricing, now: Now) -> Exposure:
    """Everything the eight checks look at. Call it inside the gate's transaction, after the lock.

    The bot is read anew: what an operator or a check did to it since the tick began counts.
    """
    bot = Bot.objects.select_related("book").get(pk=proposal.bot_id)
    book: BotBook = bot.book
    with exact():
        bot_equity = bot.capital + book.realised + book.unrealised
    return Exposure(
        bot_capital=bot.capital,
        bot_equity=bot_equity,
        bot_peak_equity=max(book.peak_equity, bot_equity),
        bot_day_start_equity=book.day_start_equity,
        bot_position_notional=_total(_live_exposures(bot.pk)),
        loss_streak=book.loss_streak,
        account_equity=equity(portfolio),
        account_peak_equity=max(portfolio.peak_equity, equity(portfolio)),
        total_exposure=portfolio.exposure,
        asset_exposure=_asset_exposure(portfolio, proposal.base),
        free_cash=free_cash(portfolio),
        halts=_why_stopped(bot) + open_halts(proposal.account_id, bot.pk),
        priced_at_ms=pricing.priced_at_ms,
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


def _why_stopped(bot: Bot) -> tuple[str, ...]:
    return () if bot.may_enter else (f"bot {bot.name} is {bot.status}",)


def _bot_limits(bot_id: int) -> BotLimits | None:
    row = BotRiskLimits.objects.filter(bot_id=bot_id).first()
    return row.value() if row else None


def _portfolio_limits(account_id: int) -> PortfolioLimits | None:
    row = PortfolioRiskLimits.objects.filter(account_id=account_id).first()
    return row.value() if row else None
