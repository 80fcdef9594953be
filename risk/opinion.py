"""What an adviser said about one entry, and what that does to it: it may be forbidden or made smaller. PURE.

This floor knows no more of advisers than this value. Whatever it holds, it enlarges nothing and passes no check: it is
applied to a proposal before the review, and to the review's verdict after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from bots.ai import AiMode, OnFailure
from market.instruments import Instrument
from market.money import ZERO, brief, canonical, exact
from risk.verdicts import Approved, CheckResult, Proposal, Refused

CHECK = "ai_opinion"
"""How a refusal by the adviser is called in decisions and events."""

NOT_ASKED = "not asked: "
"""How a failure begins where an entry could not be made anyhow, so that nobody was asked about it."""

WHOLE = Decimal(1)


class Advice(StrEnum):
    """What was said."""

    ALLOW = "allow"
    SHRINK = "shrink"  # to a part of the amount
    VETO = "veto"
    NONE = "none"  # nothing that counts: nobody could be asked, or what came was no answer


@dataclass(frozen=True, slots=True)
class Opinion:
    """One opinion, and how it was come by. ``factor``: what is left of the amount, in (0, 1], 1 unless it was SHRINK.

    ``reason`` is the adviser's; ``failure`` says why there is none. ``amount`` and ``leaves`` (base) are known once the
    opinion was held against a proposal. Raises ValueError for a factor that could enlarge, or that nobody said.
    """

    mode: AiMode
    advice: Advice
    on_failure: OnFailure = OnFailure.DENY
    factor: Decimal = WHOLE
    reason: str = ""
    failure: str = ""
    model: str = ""
    prompt: str = ""
    latency_ms: int | None = None
    amount: Decimal | None = None
    leaves: Decimal | None = None

    def __post_init__(self) -> None:
        if not (self.factor.is_finite() and ZERO < self.factor <= WHOLE):
            raise ValueError(f"factor {self.factor} is not in (0, 1]")
        if self.factor != WHOLE and self.advice is not Advice.SHRINK:
            raise ValueError(f"factor {self.factor} with {self.advice}")

    @property
    def binds(self) -> bool:
        """Whether it is acted on."""
        return self.mode is AiMode.VETO

    @property
    def denies(self) -> bool:
        """Whether it stands against the entry, acted on or not."""
        return self.advice is Advice.VETO or (self.advice is Advice.NONE and self.on_failure is OnFailure.DENY)

    def on(self, amount: Decimal, instrument: Instrument) -> "Opinion":
        """The same, held against an amount: what it leaves of it is on the lot step."""
        if self.advice is Advice.VETO:
            return replace(self, amount=amount, leaves=ZERO)
        with exact():
            part = instrument.round_amount_down(amount * self.factor) if self.factor != WHOLE else amount
        return replace(self, amount=amount, leaves=min(part, amount))

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, for the decision's row."""
        return {
            "mode": self.mode.value,
            "advice": self.advice.value,
            "on_failure": self.on_failure.value,
            "factor": canonical(self.factor),
            "reason": self.reason,
            "failure": self.failure,
            "model": self.model,
            "prompt": self.prompt,
            "latency_ms": self.latency_ms,
            "amount": None if self.amount is None else canonical(self.amount),
            "leaves": None if self.leaves is None else canonical(self.leaves),
        }


def shrunk(proposal: Proposal, opinion: Opinion) -> Proposal:
    """The proposal as far as a binding opinion leaves it; what is too little is the review's to refuse."""
    if not opinion.binds or opinion.advice is not Advice.SHRINK or opinion.leaves is None:
        return proposal
    amount = min(opinion.leaves, proposal.amount)
    words = f"; x {brief(opinion.factor)} by the AI: {opinion.reason}"
    return replace(proposal, amount=amount, reason=f"{proposal.reason}{words}")


def obeyed(verdict: Approved | Refused, opinion: Opinion | None, *, needed: bool) -> Approved | Refused:
    """The review's verdict, unless a binding opinion stands against the entry. A refusal stays what it is.

    ``needed``: the bot enters on no word but the adviser's; then nobody having been asked refuses as well.
    """
    if isinstance(verdict, Refused):
        return verdict
    if needed and (opinion is None or not opinion.binds):
        return _refused(verdict, "nobody was asked", "nobody was asked, and this bot enters with an opinion only")
    if opinion is None or not opinion.binds or not opinion.denies:
        return verdict
    if opinion.advice is Advice.VETO:
        return _refused(verdict, "veto", opinion.reason)
    return _refused(verdict, "no opinion", f"no opinion, which denies: {opinion.failure}")


def _refused(verdict: Approved, value: str, why: str) -> Refused:
    limit = "no veto"
    result = CheckResult(CHECK, False, limit, value, why)
    results = (*verdict.results, result)
    return Refused(verdict.proposal, results, CHECK, limit, value, f"{CHECK}: {why}"[:300])


def sentence(opinion: Mapping[str, Any]) -> str:
    """A stored opinion in words."""
    binds = opinion["mode"] == AiMode.VETO
    said = _said(opinion, "" if binds else "would have ")
    return said if binds else f"{said} (shadow: not acted on)"


def _said(opinion: Mapping[str, Any], would: str) -> str:
    reason = opinion["reason"]
    match opinion["advice"]:
        case Advice.ALLOW:
            return f"the AI {would}allowed it: {reason}"
        case Advice.VETO:
            return f"the AI {would}vetoed it: {reason}"
        case Advice.SHRINK:
            return f"the AI {f'{would}shrunk' if would else 'shrank'} it{_figures(opinion)}: {reason}"
    denies = opinion["on_failure"] == OnFailure.DENY
    return f"no opinion of the AI, which {would}{'denied' if denies else 'allowed'} it: {opinion['failure']}"


def _figures(opinion: Mapping[str, Any]) -> str:
    factor = f"x {brief(Decimal(opinion['factor']))}"
    if opinion["amount"] is None:
        return f" {factor}"
    return f" from {brief(Decimal(opinion['amount']))} to {brief(Decimal(opinion['leaves']))} ({factor})"
