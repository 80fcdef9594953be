"""How much to buy. PURE.

Fixed-fractional sizing (Van Tharp, "Trade Your Way to Financial Freedom", ch. 14, the percent risk model): the amount
that loses ``RISK_PER_TRADE`` of the bot's capital when the stop is hit, capped by the largest position allowed.
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext

from market.instruments import Instrument
from market.money import ROUNDED, ZERO, brief, exact, percent
from risk.limits import BotLimits

RISK_PER_TRADE = Decimal("0.01")
"""Share of the capital lost when a stop is hit. With 5 % a day allowed, five stops in a row end a bot's day."""

AMOUNT_STEP = Decimal("1e-18")
"""Quotients are cut off here, downwards, before the lot step rounds them down again."""

HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Size:
    """What to buy, in base: ``amount`` is 0 when nothing can be, and ``why`` says how the amount came about.

    ``normal_amount`` is the amount before the loss-streak factor.
    """

    amount: Decimal
    normal_amount: Decimal
    why: str


def size(
    capital: Decimal,
    equity: Decimal,
    reference_price: Decimal,
    stop_price: Decimal | None,
    loss_streak: int,
    limits: BotLimits,
    instrument: Instrument,
) -> Size:
    """The amount for an entry at ``reference_price`` with a stop at ``stop_price``, on the lot step.

    Risk and cap are measured on the smaller of ``capital`` (allocated) and ``equity`` (what is left of it), all in
    quote: a loser risks less, a winner not more than it was allocated. The amount is at most streak factor x normal
    amount also after rounding. Figures that are not finite and positive, or no stop below the price, give amount 0.
    """
    figures = (capital, equity, reference_price, *(() if stop_price is None else (stop_price,)))
    if stop_price is None or not all(f.is_finite() and f > 0 for f in figures) or stop_price >= reference_price:
        return Size(ZERO, ZERO, "no size without positive figures and a stop below the price")
    stake = min(capital, equity)
    normal, why = _normal(stake, reference_price, stop_price, limits, instrument)
    factor = streak_factor(loss_streak, limits)
    with exact():
        amount = instrument.round_amount_down(normal * factor)
    if factor < 1:
        why = f"{why}, x {brief(factor)} after {loss_streak} losses in a row"
    too_small = _why_too_small(amount, reference_price, stop_price, instrument)
    return Size(ZERO, normal, f"{why}; {too_small}") if too_small else Size(amount, normal, why)


def streak_factor(losses: int, limits: BotLimits) -> Decimal:
    """1 below ``streak_losses`` losses in a row, then 1/2, 1/4, 1/8 ..., never below ``streak_floor``. Exact."""
    factor = Decimal(1)
    with exact():
        for _ in range(losses - limits.streak_losses + 1):
            factor *= HALF
            if factor <= limits.streak_floor:
                return limits.streak_floor
    return factor


def _why_too_small(amount: Decimal, price: Decimal, stop: Decimal, instrument: Instrument) -> str | None:
    """What is bought must be sellable too, at the stop: else the exit could never be made."""
    if not amount:
        return "the amount rounds down to 0"
    too_small = instrument.why_not(amount, price)
    if too_small is None and instrument.is_dust(amount, stop):
        return f"at the stop it would be too little to sell: minimum {instrument.min_notional} {instrument.quote}"
    return too_small


def _normal(
    stake: Decimal, price: Decimal, stop: Decimal, limits: BotLimits, instrument: Instrument
) -> tuple[Decimal, str]:
    with exact():
        risk = stake * RISK_PER_TRADE
        largest = stake * limits.max_position
        distance = price - stop
    by_risk, by_position = _quotient(risk, distance), _quotient(largest, price)
    why = f"{percent(RISK_PER_TRADE)} of {brief(stake)} at risk over {brief(distance)}"
    if by_position < by_risk:
        why = f"the largest position, {percent(limits.max_position)} of {brief(stake)}"
    if instrument.max_amount < min(by_risk, by_position):
        why = "the exchange's largest amount"
    return instrument.round_amount_down(min(by_risk, by_position, instrument.max_amount)), why


def _quotient(part: Decimal, whole: Decimal) -> Decimal:
    """part / whole, rounded down, so that amount x price never exceeds the cap it came from."""
    with localcontext(ROUNDED) as context:
        context.rounding = ROUND_FLOOR
        return (part / whole).quantize(AMOUNT_STEP)
