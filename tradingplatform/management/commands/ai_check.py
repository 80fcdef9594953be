"""Ask the AI once, and show what came back."""

from typing import Any

from django.core.management.base import CommandError

from bots.ai import AiMode
from bots.models import AiDay, Bot
from tradingplatform.ai import budget
from tradingplatform.ai.answers import Answer, clean
from tradingplatform.ai.config import Service, find_service, why_none
from tradingplatform.ai.opinion import Hearing, hear, note
from tradingplatform.ai.prompt import VERSION
from tradingplatform.ai.sample import sample_question
from tradingplatform.management.base import OperatorCommand, now


class Command(OperatorCommand):
    help = "Ask the AI of AI_BASE_URL once about an invented entry. It is counted as one of the day's calls."

    def act(self, **options: Any) -> None:
        self.stdout.write(_bots())
        service = find_service()
        if service is None:
            raise CommandError(f"{why_none()} (docs/ai.md)")
        self.stdout.write(f"asking {service.model} at {service.url}, at most {service.deadline_s:g} s")
        if spent := budget.count(service.daily_calls, now()):
            raise CommandError(f"{spent}: raise AI_DAILY_CALLS, or wait for 00:00 UTC")
        hearing = hear(service, sample_question(), service.deadline_s)
        note(hearing, now())
        self.stdout.write(_cost(hearing))
        self.stdout.write(_spent(service))
        if hearing.answer is None:
            raise CommandError(f"no answer that could be used: {hearing.failure}")
        self.stdout.write(f"answer: {_said(service, hearing.answer)}")


def _bots() -> str:
    asking = Bot.objects.exclude(ai_mode=AiMode.OFF)
    counts = ", ".join(
        f"{asking.filter(ai_mode=mode).count()} in {mode.value}" for mode in (AiMode.SHADOW, AiMode.VETO)
    )
    return f"bots that ask: {counts} (of {Bot.objects.count()})"


def _cost(hearing: Hearing) -> str:
    tokens = f"{_number(hearing.prompt_tokens)} tokens sent, {_number(hearing.completion_tokens)} received"
    return f"{hearing.latency_ms} ms; {hearing.sent} bytes sent, {hearing.got} received; {tokens}; prompt {VERSION}"


def _number(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _spent(service: Service) -> str:
    calls = AiDay.objects.filter(day=now().wall_at.date()).values_list("calls", flat=True).first() or 0
    return f"{calls} of {service.daily_calls} calls of today (UTC) are used"


def _said(service: Service, answer: Answer) -> str:
    return f"{answer.verdict}, factor {answer.part.normalize():f}: {clean(service.without_key(answer.reason))}"
