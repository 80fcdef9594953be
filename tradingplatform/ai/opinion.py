"""An opinion on one entry: asked for where it may be, and never anything but an ``Opinion``."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog
from django.db import Error

from bots.ai import AiMode, OnFailure
from bots.models import Bot
from market.clock import Now
from risk.opinion import Advice, Opinion
from tradingplatform.ai import budget
from tradingplatform.ai.answers import Answer, BadAnswer, clean, read_answer, read_completion
from tradingplatform.ai.client import Unheard, ask
from tradingplatform.ai.config import Service, find_service, why_none
from tradingplatform.ai.prompt import VERSION, Question, body_of

log = structlog.get_logger()

SHORTEST_S = 0.5
"""Less time than this is not worth a call."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What came of one call: an answer, or why there is none; how long it took, what was sent and what came (bytes),
    and what it cost (tokens, None where the server does not tell)."""

    answer: Answer | None
    failure: str
    latency_ms: int
    sent: int
    got: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def hear(service: Service, question: Question, deadline_s: float) -> Hearing:
    """Ask once. The caller has counted the call. Raises nothing that the network or the server could cause."""
    body = body_of(question, service.model)
    reply = ask(service, body, deadline_s)
    if isinstance(reply, Unheard):
        return Hearing(None, reply.failure, reply.latency_ms, len(body))
    got, latency_ms, sent = len(reply.body), reply.latency_ms, len(body)
    try:
        said = read_completion(reply.body)
    except BadAnswer as error:
        return Hearing(None, service.without_key(str(error)), latency_ms, sent, got)
    tokens = (said.prompt_tokens, said.completion_tokens)
    try:
        return Hearing(read_answer(said.content), "", latency_ms, sent, got, *tokens)
    except BadAnswer as error:
        return Hearing(None, service.without_key(str(error)), latency_ms, sent, got, *tokens)


def opinion_on(question: Question, bot: Bot, clock: Callable[[], Now], left_s: float) -> Opinion:
    """What the AI says, within ``left_s`` seconds of wall time; no opinion where it cannot be asked or does not answer.

    Never inside a transaction. What the database raises while the call is counted means that there is no call.
    """
    service = find_service()
    if service is None:
        return no_opinion(bot, why_none())
    deadline_s = min(service.deadline_s, left_s)
    if deadline_s < SHORTEST_S:
        return no_opinion(bot, "no time was left to ask the AI")
    try:
        if why := budget.take(service.daily_calls, clock()):
            return no_opinion(bot, why)
    except Error as error:
        return no_opinion(bot, f"the call could not be counted: {clean(str(error), 80)}")
    hearing = hear(service, question, deadline_s)
    note(hearing, clock())
    return opinion_of(bot, service, hearing)


def note(hearing: Hearing, now: Now) -> None:
    """Keep whether the AI answers. It is no reason to fail when that cannot be kept."""
    try:
        if hearing.answer is None:
            budget.note_failure(hearing.failure, now)
        else:
            budget.note_success(now)
    except Error as error:
        log.warning("ai_not_noted", error=str(error))


def end_what_is_off(now: Now) -> None:
    """Whoever has turned the AI off, and started anew, is not told of its trouble any more. Raises django.db.Error."""
    if find_service() is None or not Bot.objects.exclude(ai_mode=AiMode.OFF).exists():
        budget.end_all("No AI is asked any more", now)


def no_opinion(bot: Bot, why: str) -> Opinion:
    """Nobody was asked, and why."""
    log.info("ai_not_asked", mode=bot.ai_mode, on_failure=bot.ai_on_failure, reason=why)
    return Opinion(AiMode(bot.ai_mode), Advice.NONE, OnFailure(bot.ai_on_failure), failure=why, prompt=VERSION)


def opinion_of(bot: Bot, service: Service, hearing: Hearing) -> Opinion:
    """What came of a call, as the value that the risk floor knows."""
    answer = hearing.answer
    opinion = Opinion(
        mode=AiMode(bot.ai_mode),
        advice=Advice.NONE if answer is None else Advice(answer.verdict),
        on_failure=OnFailure(bot.ai_on_failure),
        factor=Decimal(1) if answer is None else answer.part,
        reason="" if answer is None else clean(service.without_key(answer.reason)),
        failure=hearing.failure,
        model=service.model,
        prompt=VERSION,
        latency_ms=hearing.latency_ms,
    )
    log.info(
        "ai_opinion",
        mode=bot.ai_mode,
        advice=opinion.advice,
        factor=str(opinion.factor),
        reason=opinion.reason,
        failure=opinion.failure,
        ms=hearing.latency_ms,
        sent=hearing.sent,
        got=hearing.got,
        tokens=[hearing.prompt_tokens, hearing.completion_tokens],
    )
    return opinion
