"""The five checks of one bot, in the order of ``BOT_CHECKS``. PURE."""

from decimal import Decimal

from market.money import brief, canonical, exact, percent
from risk.breakers import DAILY_LOSS, DRAWDOWN, daily_loss, drawdown
from risk.measures import cap, required
from risk.sizing import streak_factor
from risk.verdicts import Check, CheckResult, Exposure, Proposal


class StopLoss:
    """1: no entry without a predefined exit: a stop above zero, below the reference price and the market's bid."""

    name = "stop_loss"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        stop, bid = proposal.stop_price, required(exposure.bid, "bid")
        ceiling = min(proposal.reference_price, bid)
        limit = f"above 0 and below {canonical(ceiling)}"
        if stop is None:
            return CheckResult(self.name, False, limit, "none", "an entry needs a stop")
        return CheckResult(self.name, 0 < stop < ceiling, limit, canonical(stop))


class MaxPosition:
    """2: what the bot holds and has reserved, this proposal included, is at most a fraction of its capital."""

    name = "max_position"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.bot_limits, "bot limits")
        return cap(
            self.name, exposure.bot_position_notional, proposal.notional, limits.max_position, exposure.bot_capital
        )


class Drawdown:
    """3: the bot's equity has declined by less than a fraction of its peak."""

    name = DRAWDOWN

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.bot_limits, "bot limits")
        return drawdown(exposure.bot_peak_equity, exposure.bot_equity, limits.max_drawdown)


class DailyLoss:
    """4: since the start of the UTC day the bot has lost less than a fraction of its capital."""

    name = DAILY_LOSS

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.bot_limits, "bot limits")
        start = exposure.bot_day_start_equity
        return daily_loss(start, exposure.bot_equity, limits.max_daily_loss, exposure.bot_capital)


class LossStreak:
    """5: after losses in a row the amount is at most streak factor x the normal amount, and never more than normal."""

    name = "loss_streak"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.bot_limits, "bot limits")
        factor: Decimal = streak_factor(exposure.loss_streak, limits)
        with exact():
            limit = factor * proposal.normal_amount
        note = f"{exposure.loss_streak} losses in a row: {percent(factor)} of {brief(proposal.normal_amount)}"
        return CheckResult(self.name, proposal.amount <= limit, canonical(limit), canonical(proposal.amount), note)


BOT_CHECKS: tuple[Check, ...] = (StopLoss(), MaxPosition(), Drawdown(), DailyLoss(), LossStreak())
