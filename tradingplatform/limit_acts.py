"""What a person does with limits: one limit of a bot or of an account is changed, for a reason.

Tightening holds at once. Loosening is confirmed by typing the name of the bot or account again, and holds from the next
slot on: whoever loosens a limit because of a signal is too late for that signal.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from bots.models import Bot, ExchangeAccount
from execution.lock import lock_portfolio
from market.clock import Now, moment
from market.slots import TIMEFRAMES
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity
from risk.event_kinds import LimitChanged
from risk.limit_changes import Row, Wish, book_due, owner_of, put, waiting_of
from risk.limit_rules import loosens, names_of, next_start_ms, plain, read_limit
from risk.limits import BotLimits, PortfolioLimits
from risk.models import BotRiskLimits, LimitChange, PortfolioRiskLimits
from tradingplatform.acting import By
from tradingplatform.event_kinds import LimitChangeWaits, LimitChangeWithdrawn

LONGEST_REASON = 300


class NotConfirmed(ValueError):
    """A limit is loosened only by somebody who types whose it is. The text says what to type."""


@dataclass(frozen=True, slots=True)
class LimitNow:
    """One limit as it is, and the change of it that waits, if one does."""

    name: str
    value: str
    waits: LimitChange | None


def kind_of(whose: Bot | ExchangeAccount) -> type[BotLimits] | type[PortfolioLimits]:
    """Which limits it has."""
    return BotLimits if isinstance(whose, Bot) else PortfolioLimits


@transaction.atomic
def change_limit(
    whose: Bot | ExchangeAccount, name: str, text: str, by: By, confirmation: str = ""
) -> LimitChange | None:
    """Change one limit to what ``text`` says. Returns the change, applied or waiting; None when a waiting change was
    withdrawn, because the present value was asked for.

    Raises ValueError (without a reason, out of bounds, nothing to change), NotConfirmed for a loosening that is not
    confirmed, execution.lock.NoPortfolio.
    """
    _require_reason(by)
    value = read_limit(kind_of(whose), name, text)
    row = _locked(whose, by.now)
    before = getattr(row, name)
    if loosens(name, before, value):
        _require_confirmed(whose, name, f"{plain(before)} to {plain(value)}", confirmation)
    waited = waiting_of(row).filter(name=name).first()
    change = put(row, Wish(name, value, by.actor, by.reason, _loose_at(row, by.now)), by.now)
    _trace(row, name, plain(before), change, waited, by)
    return change


@transaction.atomic
def withdraw_changes(whose: Bot | ExchangeAccount, by: By) -> int:
    """Withdraw every change that waits; how many it were. Raises ValueError without a reason."""
    _require_reason(by)
    row = _locked(whose, by.now)
    waiting = list(waiting_of(row))
    for change in waiting:
        change_limit(whose, change.name, plain(getattr(row, change.name)), by)
    return len(waiting)


def limits_now(whose: Bot | ExchangeAccount, now: Now) -> list[LimitNow]:
    """Every limit in its order, as the gate would find it now. Books nothing. Raises ValueError for an unusable row."""
    row = _row(whose)
    changes = {change.name: change for change in waiting_of(row)}
    found = []
    for name in names_of(kind_of(whose)):
        change = changes.get(name)
        due = change is not None and change.effective_at <= now.market_at
        value = change.after if change is not None and due else plain(getattr(row, name))
        found.append(LimitNow(name, value, None if due else change))
    return found


def _locked(whose: Bot | ExchangeAccount, now: Now) -> Row:
    """The row of limits as nobody else can change it now, with what is due booked."""
    account_id = whose.account_id if isinstance(whose, Bot) else whose.pk
    lock_portfolio(account_id)
    row = _row(whose)
    if isinstance(row, BotRiskLimits) and row.bot.account_id != account_id:
        raise ValueError(f"bot {row.bot.name} was moved to another account meanwhile: try again")
    book_due(row, now)
    return row


def _row(whose: Bot | ExchangeAccount) -> Row:
    row: Row | None
    try:
        if isinstance(whose, Bot):
            row = BotRiskLimits.objects.select_related("bot__account").filter(bot_id=whose.pk).first()
        else:
            row = PortfolioRiskLimits.objects.select_related("account").filter(account_id=whose.pk).first()
    except ArithmeticError:
        raise ValueError(f"the limits of {whose} cannot be read: correct them in the database") from None
    if row is None:
        raise ValueError(f"there are no limits of {whose}, so that it enters nothing: their row was deleted")
    return row


def _require_reason(by: By) -> None:
    if not by.reason.strip():
        raise ValueError("a limit is changed for a reason: give one")
    if len(by.reason) > LONGEST_REASON:
        raise ValueError(f"give the reason in at most {LONGEST_REASON} characters, not {len(by.reason)}")


def _require_confirmed(whose: Bot | ExchangeAccount, name: str, change: str, confirmation: str) -> None:
    if confirmation != whose.name:
        raise NotConfirmed(f"not confirmed: {name} from {change} loosens it; confirm by typing the name {whose.name}")


def _loose_at(row: Row, now: Now) -> datetime:
    """The bot's next slot; of an account, the next one that any of its bots may have."""
    interval_s = row.bot.interval_s if isinstance(row, BotRiskLimits) else min(TIMEFRAMES.values())
    return moment(next_start_ms(now.market_ms, interval_s))


def _trace(row: Row, name: str, before: str, change: LimitChange | None, waited: LimitChange | None, by: By) -> None:
    """The audit entry and the event, in the transaction of the change."""
    after = {name: before if change is None else change.after}
    if change is not None and change.applied_at is None:
        after["holds_from"] = change.effective_at.isoformat()
    kept = {name: before, **({"waiting": waited.after} if waited else {})}
    bot_id = row.bot_id if isinstance(row, BotRiskLimits) else None
    payload = _payload(name, before, change, by)
    by.audit(payload.kind, owner_of(row), bot_id=bot_id, before=kept, after=after)
    publish(
        payload,
        f"{_sentence(row, name, before, change)}, by {by.actor}: {by.reason}",
        severity=Severity.WARNING if isinstance(payload, LimitChangeWaits) else Severity.INFO,
        bot_id=bot_id,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )


def _payload(name: str, before: str, change: LimitChange | None, by: By) -> Payload:
    if change is None:
        return LimitChangeWithdrawn(by.actor, by.reason, name, before)
    if change.applied_at is not None:
        return LimitChanged(name, before, change.after, by.actor, by.reason)
    return LimitChangeWaits(by.actor, by.reason, name, before, change.after, change.effective_at)


def _sentence(row: Row, name: str, before: str, change: LimitChange | None) -> str:
    if change is None:
        return f"{name} of {owner_of(row)} stays {before}"
    if change.applied_at is not None:
        return f"{name} of {owner_of(row)} tightened from {before} to {change.after}"
    loose_at = f"{change.effective_at:%Y-%m-%d %H:%M} UTC of market time"
    return f"{name} of {owner_of(row)} will be loosened from {before} to {change.after} at {loose_at}"
