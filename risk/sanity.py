"""What must hold before the eight checks mean anything, in the order of ``SANITY_CHECKS``. PURE."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

from market.clock_offset import LIMIT_MS
from market.money import canonical, exact
from risk.exits import stop_limit
from risk.verdicts import Check, CheckResult, Exposure, Proposal


class Numbers:
    """Every figure is an exact, finite number: NaN compares as neither above nor below any limit."""

    name = "numbers"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        bad = [*_unsound(proposal), *_unsound(exposure)]
        return CheckResult(self.name, not bad, "finite Decimals", ", ".join(bad) or "all")


class DeadMansSwitch:
    """The switch has not triggered."""

    name = "dead_mans_switch"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        triggered = exposure.dead_man_triggered
        return CheckResult(self.name, triggered is False, "not triggered", "triggered" if triggered else "ok")


class Halts:
    """Neither the bot nor its account is halted."""

    name = "halts"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        halts = "; ".join(exposure.halts)
        return CheckResult(self.name, not halts, "no open halt", halts or "none", note=halts)


class LimitRows:
    """Both rows of limits exist."""

    name = "limits"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        rows = {"bot limits": exposure.bot_limits, "portfolio limits": exposure.portfolio_limits}
        missing = [name for name, row in rows.items() if row is None]
        return CheckResult(self.name, not missing, "both rows", f"missing: {', '.join(missing)}" if missing else "both")


class FreshPrices:
    """The oldest price is at most ``stale_after_ms`` old, and not further than that in the future either."""

    name = "fresh_prices"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limit = f"{exposure.stale_after_ms} ms"
        if exposure.priced_at_ms is None:
            return CheckResult(self.name, False, limit, "no price")
        age = exposure.now_ms - exposure.priced_at_ms
        return CheckResult(self.name, abs(age) <= exposure.stale_after_ms, limit, f"{age} ms")


class ClockInStep:
    """The exchange's clock and ours agree: further apart, slots are not its candles and it may refuse what we sign."""

    name = "clock"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        clock = exposure.clock
        value = f"{clock.ahead_ms} ms ahead, give or take {clock.within_ms}"
        return CheckResult(self.name, clock.in_step, f"{LIMIT_MS} ms apart", value)


class Prices:
    """The reference price is positive and a target lies above it (the stop is the first check's business)."""

    name = "prices"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        price, target = proposal.reference_price, proposal.target_price
        passed = price > 0 and (target is None or target > price)
        value = f"price {canonical(price)}, target {'none' if target is None else canonical(target)}"
        return CheckResult(self.name, passed, "0 < price < target", value)


COLLAR = Decimal("0.02")
"""How far the price may have run from the last closed candle: further, and the signal was about another market."""


class PriceCollar:
    """The price to pay is near the close that the strategy decided on."""

    name = "price_collar"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        close, price = exposure.trusted_price, proposal.reference_price
        limit = f"within {canonical(COLLAR * 100)} % of the close"
        if close is None:
            return CheckResult(self.name, False, limit, "no close")
        with exact():
            near = abs(price - close) <= COLLAR * close
        return CheckResult(self.name, near, limit, f"{canonical(price)} for a close of {canonical(close)}")


class Books:
    """Capital, equity and peaks are positive and no exposure is negative: a negative one would make room."""

    name = "books"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        positive = ("bot_capital", "bot_equity", "bot_peak_equity", "account_equity", "account_peak_equity")
        counted = ("bot_position_notional", "total_exposure", "asset_exposure", "loss_streak")
        bad = [name for name in positive if getattr(exposure, name) <= 0]
        bad += [name for name in counted if getattr(exposure, name) < 0]
        value = ", ".join(f"{name} {getattr(exposure, name)}" for name in bad)
        return CheckResult(self.name, not bad, "equity above 0, exposures not below", value or "all")


class ExchangeFilters:
    """The proposal is for this instrument, of a positive amount, and passes the exchange's filters: now, and when its
    stop has to sell it."""

    name = "exchange_filters"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        instrument = exposure.instrument
        asked = (proposal.symbol, proposal.base, proposal.quote)
        known = (instrument.symbol, instrument.base, instrument.quote)
        if asked != known:
            return CheckResult(self.name, False, "/".join(known), "/".join(asked), "another instrument's filters")
        why_not = instrument.why_not(proposal.amount, proposal.reference_price)
        if why_not is None and proposal.stop_price is not None and proposal.stop_price > 0:
            at_stop = instrument.why_not(proposal.amount, stop_limit(proposal.stop_price))
            why_not = f"its stop could not sell it: {at_stop}" if at_stop else None
        if proposal.amount <= 0:
            why_not = f"amount {proposal.amount} is not positive"
        return CheckResult(self.name, why_not is None, "the exchange's filters", why_not or "passes")


class FreeCash:
    """What is not reserved pays for the proposal at its reference price."""

    name = "free_cash"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        notional, cash = proposal.notional, exposure.free_cash
        return CheckResult(self.name, notional <= cash, canonical(cash), canonical(notional))


SANITY_CHECKS: tuple[Check, ...] = (
    Numbers(),
    DeadMansSwitch(),
    Halts(),
    LimitRows(),
    FreshPrices(),
    ClockInStep(),
    Prices(),
    PriceCollar(),
    Books(),
    ExchangeFilters(),
    FreeCash(),
)


def _unsound(value: object) -> Iterator[str]:
    """The names of the fields, nested ones included, that are floats or non-finite Decimals."""
    if not is_dataclass(value) or isinstance(value, type):
        return
    for item in fields(value):
        number = getattr(value, item.name)
        if isinstance(number, float) or (isinstance(number, Decimal) and not number.is_finite()):
            yield f"{item.name} {number}"
        yield from _unsound(number)
