"""What happened in a slot, in one sentence. PURE."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from market.money import brief

Told = Mapping[str, Any]


def sentence(told: Told) -> str:
    """The first line of the telling (see ``find``): what the bot did or did not do, and why."""
    bot, at = told["bot"], minute(told["slot"]["begins_at"])
    decision = told["decision"]
    if decision is None:
        return f"{bot} did not tick at {at}: {told['why_no_tick']}"
    reason = decision["reason"]
    match decision["outcome"]:
        case "REFUSED":
            return f"{bot} did not enter at {at} because {_named(decision, reason)}"
        case "APPROVED":
            return f"{bot} {_entry(told)} at {at}: {reason}"
        case "EXIT":
            return f"{bot} {_exit(told)} at {at}: {reason}"
        case "SKIPPED":
            return f"{bot} could decide nothing at {at}: {reason}"
        case "FAILED":
            return f"the tick of {bot} at {at} failed, nothing was decided: {reason} (log/trading.log has more)"
    if decision["signal"].get("action") == "ENTER" and reason.startswith("no entry: "):
        return f"{bot} wanted to enter at {at} and did not, because {reason.removeprefix('no entry: ')}"
    return f"{bot} did nothing at {at}: {reason}"


def _named(decision: Told, reason: str) -> str:
    """The reason with the check's name before it."""
    check = decision["failed_check"]
    return reason if not check or reason.startswith(f"{check}:") else f"{check}: {reason}"


def _entry(told: Told) -> str:
    order = _decided(told, "ENTRY")
    if order is None:
        return "was allowed to enter, and its order is not there (verify_ledger tells whether the books are sound)"
    if Decimal(order["filled"]):
        return f"bought {deal(order)}"
    return f"was allowed to enter, but bought nothing (order {order['status']}{_answer(order)})"


def _exit(told: Told) -> str:
    order = _decided(told, "EXIT")
    if order is None:
        return "decided to sell"
    if Decimal(order["filled"]):
        return f"sold {deal(order)}"
    return f"decided to sell, and has sold nothing with the first order ({order['status']}{_answer(order)})"


def _decided(told: Told, purpose: str) -> Told | None:
    """The last order of the decision for this purpose: an exit may need several."""
    ours: list[Told] = [order for order in told["orders"] if order["decided"] and order["purpose"] == purpose]
    filled = [order for order in ours if Decimal(order["filled"])]
    return (filled or ours)[-1] if ours else None


def _answer(order: Told) -> str:
    return f": {order['answer']}" if order["answer"] else ""


def deal(order: Told) -> str:
    """``0.0123 BTC at 60,000``, by what was filled."""
    base, _, quote = order["symbol"].partition("/")
    amount, cost = Decimal(order["filled"]), Decimal(order["filled_cost"])
    part = "" if order["filled"] == order["amount"] else f" (of {brief(Decimal(order['amount']))} ordered)"
    return f"{brief(amount)} {base} at {brief(cost / amount)} {quote}{part}"


def minute(iso: str) -> str:
    """A moment as a person names it; seconds where there are some."""
    at = datetime.fromisoformat(iso)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"
