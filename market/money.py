"""Exact money arithmetic. PURE.

Python's default decimal context silently rounds to 28 digits. Money code runs inside ``exact()``, where a
result that cannot be represented exactly raises ``decimal.Inexact`` instead of losing a digit. Rounding on
purpose is the instrument's business (see instruments.py), or a ``quantize`` outside that context.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext

EXACT = Context(prec=80, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""80 digits: a product of two amounts of 18 decimals and 20 integer digits still fits."""

ROUNDED = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])
"""For ratios (percent, average price): figures to show and to compare, never money that is booked."""

ZERO = Decimal(0)


def exact() -> AbstractContextManager[Context]:
    """A context in which money is added and multiplied exactly, or ``decimal.Inexact`` is raised."""
    return localcontext(EXACT)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """All of them added up to the last digit; 0 of none."""
    with exact():
        return sum(amounts, ZERO)


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """part / whole to 12 decimals, 0 when ``whole`` is 0. For limits and percentages, never for booked money."""
    if not whole:
        return ZERO
    with localcontext(ROUNDED):
        return (part / whole).quantize(Decimal("1e-12"))


def canonical(value: Decimal) -> str:
    """One spelling per number: no exponent, no trailing zeros, no negative zero (``1.50`` -> ``1.5``)."""
    if not value.is_finite():
        raise ValueError(f"money must be finite, not {value}")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


COUNTED_IN_CENTS = frozenset(
    {"USD", "USDT", "USDC", "FDUSD", "TUSD", "DAI", "EUR", "GBP", "CHF", "AUD", "CAD", "TRY", "BRL"}
)


def decimals_shown(currency: str) -> int:
    """How many decimals of an amount people want to see: cents of dollars and the like, 8 of bitcoin and its kind."""
    return 2 if currency in COUNTED_IN_CENTS else 8


def brief(value: Decimal) -> str:
    """A figure for a sentence: 8 significant digits, with thousands separated. Never to be computed with."""
    with localcontext(ROUNDED) as context:
        context.prec = 8
        rounded = +value
    return f"{rounded.normalize():,f}" if rounded else "0"


def percent(fraction: Decimal) -> str:
    """A fraction for a sentence, as percent with 4 significant digits: 0.25 -> 25 %."""
    with localcontext(ROUNDED) as context:
        context.prec = 4
        rounded = fraction * 100
    return f"{rounded.normalize():f} %" if rounded else "0 %"
