"""What a fleet file would change: a comparison of what it says with what exists. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from bots.ai import AiMode, OnFailure
from market.money import canonical
from tradingplatform.fleet.problems import Problem
from tradingplatform.fleet.spec import AccountSpec, BotSpec, Fleet

REMOVED = "removed from the fleet file"
"""The reason of the pause or stop of a bot that the file no longer has; a bot with it comes back with its entry."""

IDENTITY = ("strategy", "symbol", "timeframe")
FIELDS = (*IDENTITY, "capital", "parameters", "ai_mode", "ai_on_failure")


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """The account as it is. ``capital`` is the sum of its capital changes."""

    quote: str
    exchange: str
    capital: Decimal
    free_cash: Decimal
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class StoredBot:
    """A bot as it is. ``held`` says what it has in the market, in words; empty for nothing."""

    name: str
    strategy: str
    symbol: str
    timeframe: str
    capital: Decimal
    parameters: Mapping[str, object]
    account: str
    status: str
    status_reason: str = ""
    held: str = ""
    ai_mode: str = AiMode.OFF.value
    ai_on_failure: str = OnFailure.DENY.value


@dataclass(frozen=True, slots=True)
class Change:
    """One bot's changed fields, each with its old and new value."""

    bot: BotSpec
    fields: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to do, bots by name. ``refused`` is why none of it may be done."""

    fleet: Fleet
    capital_change: Decimal
    is_new_account: bool
    created: tuple[BotSpec, ...] = ()
    changed: tuple[Change, ...] = ()
    restarted: tuple[str, ...] = ()  # had left the file, and are back
    resumed: tuple[str, ...] = ()  # had left the file while they held something, and are back
    stopped: tuple[str, ...] = ()  # no longer in the file
    paused: tuple[str, ...] = ()  # no longer in the file, but something is held
    left_halted: tuple[str, ...] = ()  # no longer in the file, and halted: an operator must look first
    refused: tuple[Problem, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        changes = (self.created, self.changed, self.restarted, self.resumed, self.stopped, self.paused)
        return not (self.capital_change or self.is_new_account or any(changes))

    @property
    def raised(self) -> tuple[str, ...]:
        """Who gets more capital, which loosens the limits that are parts of it."""
        account = (f"account {self.fleet.account.name}",) if self.capital_change > 0 and not self.is_new_account else ()
        return (*account, *(f"bot {change.bot.name}" for change in self.changed if _is_raised(change)))


def make_plan(fleet: Fleet, account: StoredAccount | None, exchange: str, bots: Sequence[StoredBot]) -> Plan:
    """The way from what exists (``account`` None: nothing) to the fleet. The platform runs on ``exchange``."""
    mine = {bot.name: bot for bot in bots if bot.account == fleet.account.name}
    others = {bot.name: bot for bot in bots if bot.account != fleet.account.name}
    known = [(bot, mine[bot.name]) for bot in fleet.bots if bot.name in mine]
    gone = [bot for name, bot in mine.items() if name not in {spec.name for spec in fleet.bots}]
    changes = tuple(change for bot, stored in known if (change := _change(bot, stored)))
    held = {stored.name: stored.held for _, stored in known}
    return Plan(
        fleet=fleet,
        capital_change=fleet.account.capital - (account.capital if account else Decimal(0)),
        is_new_account=account is None,
        created=tuple(bot for bot in fleet.bots if bot.name not in mine),
        changed=changes,
        restarted=_back(known, "STOPPED"),
        resumed=_back(known, "PAUSED"),
        stopped=tuple(bot.name for bot in gone if bot.status in ("RUNNING", "PAUSED") and not bot.held),
        paused=tuple(bot.name for bot in gone if bot.status == "RUNNING" and bot.held),
        left_halted=tuple(bot.name for bot in gone if bot.status == "HALTED"),
        refused=(
            *_account_refusals(fleet.account, account, exchange, bool(mine)),
            *(_taken(bot, others[bot.name]) for bot in fleet.bots if bot.name in others),
            *(problem for change in changes for problem in _fixed(change, held[change.bot.name])),
        ),
    )


def _change(bot: BotSpec, stored: StoredBot) -> Change | None:
    fields = {
        name: (getattr(stored, name), getattr(bot, name))
        for name in FIELDS
        if getattr(stored, name) != getattr(bot, name)
    }
    return Change(bot, fields) if fields else None


def _is_raised(change: Change) -> bool:
    old, new = change.fields.get("capital", (None, None))
    return isinstance(old, Decimal) and isinstance(new, Decimal) and new > old


def _back(known: Sequence[tuple[BotSpec, StoredBot]], status: str) -> tuple[str, ...]:
    return tuple(bot.name for bot, stored in known if stored.status == status and stored.status_reason == REMOVED)


def _account_refusals(spec: AccountSpec, stored: StoredAccount | None, exchange: str, has_bots: bool) -> list[Problem]:
    if stored is None:
        return []
    problems = []

    def refuse(name: str, value: object, text: str) -> None:
        problems.append(Problem(spec.origin.line_of(name), f"account.{name}", value, text))

    if stored.exchange != exchange:
        refuse("name", spec.name, f"is at {stored.exchange}, but the platform runs on {exchange}: use another name")
    if stored.is_live and (stored.quote, stored.capital) != (spec.quote, spec.capital):
        has = f"{canonical(stored.capital)} {stored.quote}"
        refuse("capital", spec.capital, f"the account is LIVE: a file does not change that it trades with {has}")
        return problems
    if stored.quote != spec.quote and has_bots:
        refuse("quote", spec.quote, f"is {stored.quote} and stays it while the account has bots: use another account")
    taken_out = stored.capital - spec.capital
    if taken_out > stored.free_cash:
        refuse("capital", spec.capital, f"would take out {taken_out}, but only {stored.free_cash} is free")
    return problems


def _taken(bot: BotSpec, other: StoredBot) -> Problem:
    text = f"is the name of a bot of account {other.account}: names are unique"
    return Problem(bot.origin.line_of("name"), f"{bot.origin.label}name", bot.name, text)


def _fixed(change: Change, held: str) -> list[Problem]:
    if not held:
        return []
    bot = change.bot
    return [
        Problem(
            bot.origin.line_of(name),
            f"{bot.origin.label}{name}",
            getattr(bot, name),
            f"bot {bot.name} has {held} and keeps its {name} {old!r}: pause it, and change this once it is closed",
        )
        for name, (old, _) in change.fields.items()
        if name in IDENTITY
    ]
