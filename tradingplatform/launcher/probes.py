"""Is it at work? Asked from outside, each program in its own way."""

import os
import time

import psutil

from tradingplatform.launcher.child import answers
from tradingplatform.launcher.household import Member

SETTLED_S = 1.0  # a process without an address counts as up when it has lived for so long


def is_at_work(member: Member, workers: set[str]) -> bool:
    """``workers`` are the queues whose workers answered a ping."""
    sign = member.program.sign
    if sign == "worker":
        return member.program.name in workers
    return answers(sign) if sign else _settled(member)


def _settled(member: Member) -> bool:
    """It has become its program (see ``child``) and stayed."""
    try:
        process = psutil.Process(member.pid)
        return process.cmdline() == member.program.arguments and time.time() - member.started_at > SETTLED_S
    except psutil.Error:
        return False


def ping_workers() -> set[str]:
    """The queues whose workers answer now. Slow and it may hang as long as Redis does: not for the main loop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")
    from tradingplatform.celery import app

    answers_of_workers = app.control.ping(timeout=0.7) or []
    return {name.partition("@")[0] for answer in answers_of_workers for name in answer}
