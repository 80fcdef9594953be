"""How often the AI is called: a limit for each UTC day of wall time, and a rest after failures, for all processes.

Both are rows, and are taken before the call: whoever cannot write them calls nobody.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from bots.models import AiCircuit, AiDay
from market.clock import Now
from notifications.conditions import begin, end
from notifications.models import Severity
from tradingplatform.event_kinds import AI_LIMIT_REACHED, AI_TROUBLE

SUBJECT = "AI"
"""What its conditions are about."""

MOST_FAILURES = 3
"""In a row; then it rests."""

REST = timedelta(seconds=60)
"""Wall time. After it one call is made, and if that fails too, the next rest begins."""


def take(daily_calls: int, now: Now) -> str:
    """Leave for one call. Returns why there is none, in words; empty when the call was counted and may be made.

    Raises django.db.Error.
    """
    return _why_resting(now) or count(daily_calls, now)


def note_success(now: Now) -> None:
    """The AI answers."""
    AiCircuit.objects.filter(pk=AiCircuit.SINGLETON).exclude(failures=0, rests_until=None).update(
        failures=0, rests_until=None
    )
    end(AI_TROUBLE, SUBJECT, "The AI answers again", market_at=now.market_at, wall_at=now.wall_at)


@transaction.atomic
def note_failure(failure: str, now: Now) -> None:
    """A call brought no answer: counted, and after some in a row the AI is left alone for a while."""
    AiDay.objects.filter(day=now.wall_at.date()).update(failures=F("failures") + 1)
    row = AiCircuit.objects.filter(pk=AiCircuit.SINGLETON)
    if not row.update(failures=F("failures") + 1):
        AiCircuit.objects.create(failures=1)
    failures = row.values_list("failures", flat=True).get()
    if failures < MOST_FAILURES:
        return
    row.update(rests_until=now.wall_at + REST)
    text = (
        f"The AI did not answer {failures} times in a row ({failure}): it is asked every {REST.seconds} s only, and"
        " bots in the mode veto do as their ai_on_failure says"
    )
    at = {"market_at": now.market_at, "wall_at": now.wall_at}
    begin(AI_TROUBLE, SUBJECT, text, severity=Severity.WARNING, **at)


def end_all(text: str, now: Now) -> None:
    """Nothing of the AI lasts any more."""
    for kind in (AI_TROUBLE, AI_LIMIT_REACHED):
        end(kind, SUBJECT, text, market_at=now.market_at, wall_at=now.wall_at)


def _why_resting(now: Now) -> str:
    row = AiCircuit.objects.filter(pk=AiCircuit.SINGLETON).first()
    if row is None or row.failures < MOST_FAILURES or row.rests_until is None:
        return ""
    left = row.rests_until - now.wall_at
    if timedelta(0) < left <= REST:  # further away: this machine's clock was set back
        return f"the AI is left alone for {left.total_seconds():.0f} s more, after {row.failures} failures in a row"
    same = AiCircuit.objects.filter(pk=row.pk, rests_until=row.rests_until)
    if same.update(rests_until=now.wall_at + REST) == 1:
        return ""  # ours is the one call that finds out
    return f"the AI is being tried by somebody else, after {row.failures} failures in a row"


def count(daily_calls: int, now: Now) -> str:
    """Count one call, without asking whether the AI is left alone. Returns why it may not be made, empty when it may.

    One statement decides, so that no two processes take the last call. Raises django.db.Error.
    """
    day = now.wall_at.date()
    AiDay.objects.get_or_create(day=day)
    with transaction.atomic():  # else the last call of a day could end what the one after it has begun
        if AiDay.objects.filter(day=day, calls__lt=daily_calls).update(calls=F("calls") + 1) == 1:
            end(AI_LIMIT_REACHED, SUBJECT, "The AI is asked again", market_at=now.market_at, wall_at=now.wall_at)
            return ""
    text = f"all {daily_calls} calls of the AI of {day:%Y-%m-%d} (UTC, wall time) are spent"
    told = f"{text[:1].upper()}{text[1:]} (AI_DAILY_CALLS): without an opinion bots do as their ai_on_failure says"
    begin(AI_LIMIT_REACHED, SUBJECT, told, market_at=now.market_at, wall_at=now.wall_at)
    return text
