"""Whether an account's books were found to agree with the exchange's, lately: nothing enters otherwise."""

from datetime import timedelta

import structlog
from django.db import transaction

from bots.models import ExchangeAccount
from execution.event_kinds import Reconciled
from execution.models import Reconciliation
from market.clock import Now
from notifications.events import publish

log = structlog.get_logger()

CLEAN_FOR = timedelta(minutes=3)
"""Wall time for which a clean comparison holds: entries stop when none is made any more."""

UNSETTLED = "orders are not settled yet"
"""The problem that goes away by itself."""


def begin(account: ExchangeAccount, now: Now) -> None:
    """The platform starts: nothing enters before the account's books were compared and found clean."""
    Reconciliation.objects.update_or_create(
        account=account, defaults={"begun_at": now.wall_at, "clean_at": None, "problem": ""}
    )


def is_starting(account: ExchangeAccount) -> bool:
    """Whether its books have not been found clean since the start."""
    row, _ = Reconciliation.objects.get_or_create(account=account)
    return row.clean_at is None


def why_not_clean(account: ExchangeAccount, now: Now) -> str:
    """Why the account may not enter; empty when its books were compared a moment ago, or need no comparing."""
    if not account.is_live:
        return ""
    row = Reconciliation.objects.filter(account=account).first()
    if row is None or row.clean_at is None:
        return f"account {account.name} has not been reconciled with the exchange since the start"
    age = now.wall_at - row.clean_at
    if abs(age) > CLEAN_FOR:  # below 0: the clock was set back since
        minutes = age.total_seconds() / 60
        return (
            f"account {account.name} was last found clean {minutes:.0f} min ago: {row.problem or 'nothing reconciles'}"
        )
    return ""


def is_unsettled(account: ExchangeAccount) -> bool:
    """Whether all that keeps the account from being clean since the start are orders that are still being asked for."""
    row = Reconciliation.objects.filter(account=account).first()
    return row is None or (row.clean_at is None and row.problem in ("", UNSETTLED))


def is_first(account: ExchangeAccount) -> bool:
    """Whether nothing has been compared since the start."""
    row, _ = Reconciliation.objects.get_or_create(account=account)
    return row.ran_at is None or (row.begun_at is not None and row.ran_at < row.begun_at)


@transaction.atomic
def note(account: ExchangeAccount, problem: str, now: Now) -> None:
    """A comparison was made; ``problem`` is what it found, empty when all agrees."""
    starting = is_starting(account)
    cleaned = {} if problem else {"clean_at": now.wall_at}
    Reconciliation.objects.filter(account=account).update(ran_at=now.wall_at, problem=problem[:300], **cleaned)
    log.info("reconciled", account=account.name, problem=problem)
    if starting and not problem:
        text = f"Account {account.name} agrees with the exchange: its bots may enter"
        publish(Reconciled(), text, market_at=now.market_at, wall_at=now.wall_at)
