"""What the exchange's answer to a new order means, when it is not the order. PURE.

After a refusal that is misread as one, an order works at the exchange that nobody manages. So what is definite is
listed, and everything else is unknown: whatever happened on the way, and every status of 500 and above, which Binance
documents as "the execution status is unknown".
"""

import json
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What is known of an order that was sent."""

    REJECTED = "rejected"  # it definitely was not accepted, and will not be
    UNKNOWN = "unknown"  # it may or may not have been accepted
    DUPLICATE = "duplicate"  # unknown as well: an open order has this name, which may be this very one


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as it came. ``status`` is HTTP's, None where no answer came at all; ``code`` and ``message`` are the
    exchange's own, "" where it sent none."""

    status: int | None = None
    code: str = ""
    message: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the exchange says that it is the request which is at fault."""
        return self.status is not None and 400 <= self.status < 500


FILTERS_CHANGED = frozenset({"-1013", "-1111"})
"""Refusals (a filter, too many decimals) of an order that fits the rules as they were known."""

OUT_OF_STEP = "-1021"
"""The request was signed with a time that the exchange does not accept."""

_DEFINITE = frozenset(
    str(code)
    for code in (
        -1002,  # not authorised
        -1003,  # too many requests
        *range(-1016, -1012),  # a filter; an unknown order composition; too many orders; shutting down
        *range(-1022, -1019),  # not supported; the timestamp is off; the signature is wrong
        *range(-1135, -1099),  # parameters: malformed, missing, too many, or at odds with each other
        -2010,  # the matching engine says no, for the reason in its message
        -2014,  # this is no key
        -2015,  # this key is not valid (any more), not from here, or not for this
    )
)


def outcome(answer: Answer) -> Outcome:
    """What became of a new order that was answered so."""
    if not answer.refuses or answer.code not in _DEFINITE:
        return Outcome.UNKNOWN
    if answer.code == "-2010":
        if "duplicate" in answer.message.lower():
            return Outcome.DUPLICATE
        return Outcome.REJECTED if answer.message else Outcome.UNKNOWN
    return Outcome.REJECTED


def answer_of(status: int, body: str) -> Answer:
    """An answer with an error status, read: whatever is not ``{"code": ..., "msg": ...}`` has no code."""
    try:
        told = json.loads(body)
        return Answer(status, str(int(told["code"])), str(told.get("msg", "")))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Answer(status)
