"""A plan as text for people. PURE."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from market.money import ZERO, canonical, exact
from tradingplatform.fleet.plan import Change, Plan
from tradingplatform.fleet.problems import show


def plan_text(plan: Plan) -> str:
    """One line per thing to do, and a summary."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    account = plan.fleet.account
    if plan.is_new_account:
        yield f"  create   account {account.name} with {canonical(account.capital)} {account.quote}"
    elif plan.capital_change:
        kind = "deposit " if plan.capital_change > 0 else "withdraw"
        yield f"  {kind} {canonical(abs(plan.capital_change))} {account.quote}, account {account.name}"
    for bot in plan.created:
        yield f"  create   {bot.name:<24} {bot.symbol:<10} {bot.timeframe:<4} {bot.strategy}"
    for change in plan.changed:
        yield f"  change   {change.bot.name:<24} {'; '.join(_changes(change))}"
    for act, names, why in (
        ("start", plan.restarted, "is in the file again"),
        ("resume", plan.resumed, "is in the file again"),
        ("stop", plan.stopped, "is no longer in the file"),
        ("pause", plan.paused, "is no longer in the file; its position is managed to its end"),
        ("leave", plan.left_halted, "is no longer in the file, but halted: reset it, then load again"),
    ):
        for name in names:
            yield f"  {act:<8} {name:<24} {why}"
    yield summary(plan)
    yield from _overbooking(plan)


def _changes(change: Change) -> Iterator[str]:
    for name, (old, new) in change.fields.items():
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for key in sorted({*old, *new}):
                if old.get(key) != new.get(key):
                    yield f"{key} {_given(old, key)} -> {_given(new, key)}"
        else:
            yield f"{name} {_plain(old)} -> {_plain(new)}"


def _given(values: Mapping[str, object], key: str) -> str:
    return show(values[key]) if key in values else "default"


def _plain(value: object) -> str:
    return canonical(value) if isinstance(value, Decimal) else str(value)


def summary(plan: Plan) -> str:
    """How many bots were created, changed, removed and left as they are."""
    same = len(plan.fleet.bots) - len(plan.created) - len(plan.changed)
    gone = len(plan.stopped) + len(plan.paused)
    return f"{len(plan.created)} created, {len(plan.changed)} changed, {gone} removed, {same} unchanged"


def _overbooking(plan: Plan) -> Iterator[str]:
    account = plan.fleet.account
    with exact():
        shares = sum((bot.capital for bot in plan.fleet.bots), ZERO)
    if shares > account.capital:
        yield (
            f"The bots' shares add up to {canonical(shares)} {account.quote}, more than the account's "
            f"{canonical(account.capital)}: the portfolio's limits decide who enters."
        )
