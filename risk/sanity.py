"""What must hold before the eight checks mean anything, in the order of ``SANITY_CHECKS``. PURE."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal

from market.clock_offset import LIMIT_MS
from market.money import ZERO, canonical, exact
from risk.exits import stop_limit
from risk.measures import cap, required
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
    """Both rows of limits exist, and what they hold makes sense."""

    name = "limits"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        rows = {"bot limits": exposure.bot_limits, "portfolio limits": exposure.portfolio_limits}
        missing = [name for name, row in rows.items() if row is None]
        note = "; ".join(exposure.limit_faults)
        value = f"unusable: {', '.join(missing) or 'a change'}" if missing or note else "both"
        return CheckResult(self.name, not missing and not note, "both rows, within bounds", value, note)


class FreshPrices:
    """The oldest price is at most ``stale_after_ms`` old, and not further than that in the future either."""

    name = "fresh_prices"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limit = f"{exposure.stale_after_ms} ms"
        if exposure.priced_at_ms is None:
            return CheckResult(self.name, False, limit, "no price")
        age = exposure.now_ms - exposure.priced_at_ms
        return CheckResult(self.name, abs(age) <= exposure.stale_after_ms, limit, f"{age} ms")


class FreshMarks:
    """What the account holds was valued a moment ago: equity at old prices must not approve anything."""

    name = "fresh_marks"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limit = f"{exposure.marks_stale_after_ms} ms"
        if exposure.holds is False:
            return CheckResult(self.name, True, limit, "nothing held")
        if exposure.marked_at_ms is None:
            return CheckResult(
                self.name, False, limit, "never", "what the account holds was never valued at live prices"
            )
        age = exposure.now_ms - exposure.marked_at_ms
        return CheckResult(self.name, abs(age) <= exposure.marks_stale_after_ms, limit, f"{age} ms")


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


class PriceCollar:
    """The price to pay is near the close that the strategy decided on: further, and the signal was about another
    market."""

    name = "price_collar"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        collar = required(exposure.portfolio_limits, "portfolio limits").price_collar
        close, price = exposure.trusted_price, proposal.reference_price
        limit = f"within {canonical(collar * 100)} % of the close"
        if close is None:
            return CheckResult(self.name, False, limit, "no close")
        with exact():
            near = abs(price - close) <= collar * close
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


class DuplicateSignal:
    """The bot acts on this signal for the first time: it holds nothing, and has made no entry for this slot or a later
    one, nor on the closed candle that this was decided on."""

    name = "duplicate_signal"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        last, live, limit = exposure.last_entry, exposure.bot_live_positions, f"the first of slot {proposal.slot}"
        if live:
            positions = f"{live} live position{'' if live == 1 else 's'}"
            return CheckResult(self.name, False, limit, positions, "the bot has a live position already")
        if last is None:
            return CheckResult(self.name, True, limit, "no entry before")
        same_candle = last.candle_ms is not None and last.candle_ms == exposure.candle_ms
        note = "the bot has entered on this candle already" if same_candle else ""
        value = f"last entry in slot {last.slot}" + (", on the same candle" if same_candle else "")
        return CheckResult(self.name, last.slot < proposal.slot and not same_candle, limit, value, note)


class OrderRate:
    """The bot and its account have made fewer orders in the last minute than they may: a loop that has gone wrong ends
    here."""

    name = "order_rate"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        of_bot = required(exposure.bot_limits, "bot limits").max_orders_per_minute
        of_account = required(exposure.portfolio_limits, "portfolio limits").max_orders_per_minute
        passed = 0 <= exposure.bot_orders < of_bot and 0 <= exposure.account_orders < of_account
        limit = f"fewer than {of_bot} of the bot and {of_account} of the account in a minute"
        return CheckResult(self.name, passed, limit, f"{exposure.bot_orders} and {exposure.account_orders}")


class MaxOrder:
    """The notional of this one entry is at most a fraction of the account's equity."""

    name = "max_order"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        limits = required(exposure.portfolio_limits, "portfolio limits")
        return cap(self.name, ZERO, proposal.notional, limits.max_order, exposure.account_equity)


FEE_ROOM = Decimal("0.002")
"""Of the notional, kept for a fee in quote: twice what spot exchanges take of somebody who trades little."""


class FreeCash:
    """What is not reserved pays for the proposal at its reference price, and for its fee."""

    name = "free_cash"

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        with exact():
            needed = proposal.notional * (1 + FEE_ROOM)
        return CheckResult(self.name, needed <= exposure.free_cash, canonical(exposure.free_cash), canonical(needed))


SANITY_CHECKS: tuple[Check, ...] = (
    Numbers(),
    DeadMansSwitch(),
    Halts(),
    LimitRows(),
    FreshPrices(),
    ClockInStep(),
    FreshMarks(),
    Prices(),
    PriceCollar(),
    Books(),
    ExchangeFilters(),
    DuplicateSignal(),
    OrderRate(),
    MaxOrder(),
    FreeCash(),
)
"""First whether anything may enter at all, then whether the figures are to be believed, then whether this is sane."""


def _unsound(value: object) -> Iterator[str]:
    """The names of the fields, nested ones included, that are floats or non-finite Decimals."""
    if not is_dataclass(value) or isinstance(value, type):
        return
    for item in fields(value):
        number = getattr(value, item.name)
        if isinstance(number, float) or (isinstance(number, Decimal) and not number.is_finite()):
            yield f"{item.name} {number}"
        yield from _unsound(number)
