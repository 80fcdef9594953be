"""What an opinion may do to a proposal and to a verdict: less, or nothing. For every opinion there can be."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.ai import AiMode, OnFailure
from risk.opinion import Advice, Opinion, obeyed, sentence, shrunk
from risk.review import review
from risk.verdicts import Approved, Refused
from tests import factories

D = Decimal
frozen = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # fixtures that nothing changes


@st.composite
def opinions(draw):
    advice = draw(st.sampled_from(Advice))
    factor = draw(st.decimals("0.0001", "1", places=4)) if advice is Advice.SHRINK else D(1)
    return Opinion(
        mode=draw(st.sampled_from([AiMode.SHADOW, AiMode.VETO])),
        advice=advice,
        on_failure=draw(st.sampled_from(OnFailure)),
        factor=factor,
        reason=draw(st.text(max_size=300)),
    )


@frozen
@given(opinion=opinions(), amount=st.decimals("0.00001", "9000", places=5))
def test_nothing_is_enlarged(proposal, opinion, amount):
    wish = replace(proposal, amount=amount, normal_amount=amount)
    ours = factories.instrument()
    left = shrunk(wish, opinion.on(amount, ours))
    assert left.amount <= wish.amount
    assert left.amount == ours.round_amount_down(left.amount)
    assert replace(left, amount=wish.amount, reason=wish.reason) == wish, "amount and words are all that changes"
    if opinion.mode is AiMode.SHADOW:
        assert left is wish


@frozen
@given(
    opinion=opinions(),
    needed=st.booleans(),
    amount=st.decimals("0.001", "20", places=3),
    triggered=st.booleans(),
)
def test_no_entry_passes_that_would_have_failed(proposal, exposure, opinion, needed, amount, triggered):
    """Also where what is judged is smaller: a smaller amount fails no less than its checks say."""
    exposure = replace(exposure, dead_man_triggered=triggered)
    wish = replace(proposal, amount=amount, normal_amount=amount)
    left = shrunk(wish, opinion.on(amount, exposure.instrument))
    alone, verdict = review(left, exposure), obeyed(review(left, exposure), opinion, needed=needed)
    if isinstance(alone, Refused):
        assert verdict == alone
    if isinstance(verdict, Approved):
        assert isinstance(alone, Approved)
        assert verdict.proposal.amount <= amount
        assert not triggered
        assert not (opinion.binds and opinion.denies)
        assert opinion.binds or not needed


def test_who_needs_an_opinion_does_not_enter_without_one(proposal, exposure):
    approved = review(proposal, exposure)
    assert isinstance(approved, Approved)
    refused = obeyed(approved, None, needed=True)
    assert (refused.check, refused.value) == ("ai_opinion", "nobody was asked")
    shadow = Opinion(AiMode.SHADOW, Advice.ALLOW)
    assert obeyed(approved, shadow, needed=True).check == "ai_opinion"
    assert obeyed(approved, None, needed=False) is approved


NONE = Opinion(AiMode.VETO, Advice.NONE, failure="HTTP 500")
TOLD = {
    "veto": (Opinion(AiMode.VETO, Advice.VETO, reason="it falls"), "the AI vetoed it: it falls"),
    "shadow": (
        Opinion(AiMode.SHADOW, Advice.VETO, reason="it falls"),
        "the AI would have vetoed it: it falls (shadow: not acted on)",
    ),
    "shrunk": (
        Opinion(AiMode.VETO, Advice.SHRINK, factor=D("0.5"), reason="high").on(D("0.00003"), factories.instrument()),
        "the AI shrank it from 0.00003 to 0.00001 (x 0.5): high",
    ),
    "denied": (NONE, "no opinion of the AI, which denied it: HTTP 500"),
    "allowed": (
        replace(NONE, on_failure=OnFailure.ALLOW),
        "no opinion of the AI, which allowed it: HTTP 500",
    ),
}


@pytest.mark.parametrize(("opinion", "words"), TOLD.values(), ids=TOLD.keys())
def test_a_stored_opinion_in_words(opinion, words):
    assert sentence(opinion.as_dict()) == words


@pytest.mark.parametrize("factor", ["0", "-1", "1.0001", "NaN", "Infinity"])
def test_no_opinion_can_hold_a_factor_that_enlarges(factor):
    with pytest.raises(ValueError, match="factor"):
        Opinion(AiMode.VETO, Advice.SHRINK, factor=D(factor))


def test_a_factor_belongs_to_shrinking():
    with pytest.raises(ValueError, match="with allow"):
        Opinion(AiMode.VETO, Advice.ALLOW, factor=D("0.5"))
