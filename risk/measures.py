"""The two comparisons that the checks are made of: a cap on what is added up, a limit on what was lost. PURE.

Both compare products, exactly: no ratio is rounded on the way to a verdict.
"""

from decimal import Decimal
from typing import TypeVar

from market.money import brief, canonical, exact, percent, ratio
from risk.verdicts import CheckResult

Row = TypeVar("Row")


def cap(name: str, existing: Decimal, added: Decimal, fraction: Decimal, base: Decimal) -> CheckResult:
    """Passed when existing + added <= fraction x base: a cap may be filled to the last digit. All in quote."""
    with exact():
        limit = fraction * base
        value = existing + added
    share = f"{percent(fraction)} of {brief(base)}"
    note = f"{brief(value)}, limit {brief(limit)} ({share}): {brief(existing)} there and {brief(added)} to come"
    return CheckResult(name, value <= limit, canonical(limit), canonical(value), note)


def decline(name: str, start: Decimal, now: Decimal, fraction: Decimal, base: Decimal) -> CheckResult:
    """Passed when start - now < fraction x base: a breaker opens when its limit is reached, not beyond it.

    The limit and the value are shown as fractions of ``base``; a gain shows as a negative value.
    """
    with exact():
        lost = start - now
        passed = lost < fraction * base
    shown = percent(ratio(lost, base))
    note = f"{shown} lost, limit {percent(fraction)}: from {brief(start)} to {brief(now)}"
    return CheckResult(name, passed, canonical(fraction), canonical(ratio(lost, base)), note)


def required(row: Row | None, what: str) -> Row:
    """The row, or LookupError: a check without its limit must fail, not guess."""
    if row is None:
        raise LookupError(f"there are no {what}")
    return row
