"""``ai_check``, ``ai_report``, and what ``why`` tells of an opinion."""

from decimal import Decimal

import pytest

from bots.models import AiCircuit, AiDay
from execution.models import Order, Position
from execution.states import PositionStatus
from notifications.models import Condition
from risk.models import Decision
from tests.ai.conftest import KEY
from tests.ai.server import hangs, says, says_text, sends
from tests.ai.test_ticks import asks, enter
from tests.commands import refusal, run
from tests.factories import make_bot
from tradingplatform.ai import budget
from tradingplatform.ai.report import judged_since
from tradingplatform.ai.report_table import Judged, report_table
from tradingplatform.management.base import now

pytestmark = pytest.mark.django_db


class TestCheck:
    def test_an_answer_with_what_it_took(self, ai):
        make_bot(ai_mode="shadow")
        ai.will(says_text('{"verdict": "allow", "reason": "calm"}', prompt_tokens=1234, completion_tokens=21))
        told = run("ai_check")
        assert "bots that ask: 1 in shadow, 0 in veto (of 1)" in told
        assert "1234 tokens sent, 21 received; prompt 1" in told
        assert "1 of 500 calls of today" in told
        assert told.splitlines()[-1] == "answer: allow, factor 1: calm"
        assert KEY not in told

    @pytest.mark.parametrize(
        ("act", "words"),
        [
            (sends(401, b'{"error": {"message": "Incorrect API key"}}'), "HTTP 401: the key is refused"),
            (sends(404, b"no such model"), "HTTP 404: no such address or model"),
            (says_text("Sure! I would allow it."), "what the model said is not JSON"),
            (hangs(4), "no answer within 1 s"),
        ],
        ids=["wrong key", "wrong model", "not JSON", "too slow"],
    )
    def test_what_is_wrong_is_said(self, ai, settings, act, words):
        settings.AI_DEADLINE_S = 1.0
        ai.will(act)
        assert words in refusal("ai_check")

    def test_what_is_not_set_is_said(self):
        assert refusal("ai_check").startswith("the AI is not set up: AI_BASE_URL and AI_MODEL are not set")

    def test_a_call_is_a_call(self, ai, settings):
        settings.AI_DAILY_CALLS = 1
        run("ai_check")
        assert "raise AI_DAILY_CALLS" in refusal("ai_check")
        assert (len(ai.asked), AiDay.objects.get().calls) == (1, 1)

    def test_an_answer_ends_the_trouble_at_once(self, ai):
        for _ in range(3):
            budget.note_failure("HTTP 500", now())
        run("ai_check")
        assert AiCircuit.objects.get().failures == 0
        assert not Condition.objects.filter(kind="ai_trouble", ended_at=None).exists()


def test_why_tells_the_opinion_and_how_it_was_come_by(world, ai, settings, tmp_path):
    asks(world, "veto")
    ai.will(says(verdict="veto", factor=1, reason="a market in free fall"))
    decision = enter(world)
    told = run("why", world.bot.name, "--at", f"{decision.market_at:%Y-%m-%dT%H:%M}")
    assert "because ai_opinion: a market in free fall" in told.splitlines()[0]
    assert "AI         the AI vetoed it: a market in free fall" in told
    assert "mode veto, without an opinion: deny, prompt 1, small-one, " in told
    assert "✗ REFUSED        ai_opinion" in told


def test_the_decisions_page_shows_it(world, ai, admin_client):
    asks(world, "shadow")
    ai.will(says(verdict="shrink", factor=0.5, reason="high already"))
    decision = enter(world)
    page = admin_client.get(f"/admin/risk/decision/{decision.pk}/change/").content.decode()
    assert "the AI would have shrunk it from 11.8923 to 5.94615 (x 0.5): high already (shadow: not acted on)" in page
    assert admin_client.get("/admin/risk/decision/?opinion__isempty=0").status_code == 200


class TestReport:
    def test_nothing_yet(self):
        assert "no AI was asked" in run("ai_report")
        assert "give 1 to 36500" in refusal("ai_report", "--days", "0")

    def test_entries_and_what_they_earned(self, world, ai):
        asks(world, "shadow")
        ai.will(says(verdict="veto", reason="never"))
        enter(world)
        (open_one,) = judged_since(world.now.market_at.replace(year=2020))
        assert (open_one.advice, open_one.realised) == ("veto", None)
        world.next_slot()
        world.closes(105.0, 80.0)
        world.tick()
        (closed,) = judged_since(world.now.market_at.replace(year=2020))
        assert Position.objects.get().status == PositionStatus.CLOSED
        assert closed.realised == Position.objects.get().realised < 0
        assert Order.objects.count() == 2, "only the entry's position counts, and once"
        assert Decision.objects.exclude(opinion=None).count() == 1

    def test_what_obeying_the_shadow_would_have_earned(self):
        def one(advice, realised, factor="1", mode="shadow", bot="a"):
            amount = None if realised is None else Decimal(realised)
            return Judged(bot, "USDT", mode, advice, Decimal(factor), amount)

        told = report_table(
            [
                one("allow", "10"),
                one("veto", "-30"),
                one("veto", None),
                one("shrink", "-8", "0.25"),
                one("none", "1"),
                one("shrink", "5", "0.5", "veto", "b"),
                one("veto", None, mode="veto", bot="b"),
            ]
        ).splitlines()
        assert told[1].split() == ["a", "shadow", "5", "1", "1", "2", "1", "4", "-27.00", "-30.00", "-8.00", "+9.00"]
        assert told[2].split() == ["b", "veto", "2", "0", "1", "1", "0", "1", "+5.00", "+0.00", "+5.00", "+5.00"]

    def test_several_bots_are_summed_by_currency_and_mode(self):
        two = [Judged(name, "USDT", "shadow", "allow", Decimal(1), Decimal(3)) for name in ("a", "b")]
        assert report_table(two).splitlines()[3].split()[:4] == ["all", "in", "USDT", "shadow"]
