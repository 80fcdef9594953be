"""May we? Every check over one proposal, in order; the first failure blocks. PURE.

There is no override: no argument, no setting and no limit turns a check off, and a check that breaks refuses.
"""

from risk.checks import BOT_CHECKS
from risk.portfolio_checks import PORTFOLIO_CHECKS
from risk.sanity import SANITY_CHECKS
from risk.verdicts import _REVIEW_SEAL, Approved, Check, CheckResult, Exposure, Proposal, Refused

CHECKS: tuple[Check, ...] = SANITY_CHECKS + BOT_CHECKS + PORTFOLIO_CHECKS
"""What every entry passes, in this order."""

NOT_EVALUATED = "not evaluated"
NO_ANSWER = "an answer"


def review(proposal: Proposal, exposure: Exposure) -> Approved | Refused:
    """Approved with the result of every check, or Refused by the first that did not pass. Never raises."""
    results: list[CheckResult] = []
    for position, check in enumerate(CHECKS):
        result = _ask(check, proposal, exposure)
        results.append(result)
        if result.passed is not True:
            rest = (CheckResult(later.name, None, "", "", NOT_EVALUATED) for later in CHECKS[position + 1 :])
            return Refused(
                proposal,
                (*results, *rest),
                check.name,
                limit=result.limit,
                value=result.value,
                reason=_sentence(result),
            )
    return Approved(proposal, tuple(results), _REVIEW_SEAL)


def _ask(check: Check, proposal: Proposal, exposure: Exposure) -> CheckResult:
    try:
        result = check(proposal, exposure)
        if not isinstance(result, CheckResult):
            raise TypeError(f"it answered {result!r}")
        return result
    except Exception as error:  # whatever went wrong, the answer is no
        note = f"{check.name} raised {type(error).__name__}: {error}"[:200]
        return CheckResult(check.name, False, NO_ANSWER, type(error).__name__, note)


def _sentence(result: CheckResult) -> str:
    text = result.note or f"{result.value}, limit {result.limit}"
    return f"{result.name}: {text}"[:300]
