"""The kinds of events of the roof: acts of people, conditions, processes. It knows those of every other floor. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import bots.event_kinds
import execution.event_kinds
import notifications.event_kinds
import risk.event_kinds
from notifications.kinds import Lasting, Payload

BELOW = (bots.event_kinds, execution.event_kinds, notifications.event_kinds, risk.event_kinds)
"""Where the other floors declare theirs: a process that has imported this file knows every kind."""


@dataclass(frozen=True)
class TickFailed(Payload, kind="tick_failed"):
    """A bot failed: its tick ended with an error. Told once for a slot."""

    slot: int


# --- processes


@dataclass(frozen=True)
class OfProcess(Payload):
    """A long-running process of the platform. ``name``: as the launcher calls it."""

    name: str
    host: str
    pid: int


@dataclass(frozen=True)
class ProcessUp(OfProcess, kind="process_up"):
    """A process is ready. A warning where the one before it on this host never said that it went down."""

    version: str
    died_pid: int | None = None
    died_up_at: datetime | None = None


@dataclass(frozen=True)
class ProcessDown(OfProcess, kind="process_down"):
    """A process ended in order."""

    uptime_s: float


# --- acts of people


@dataclass(frozen=True)
class Act(Payload):
    """What a person did, and why."""

    actor: str
    reason: str


@dataclass(frozen=True)
class BotCreated(Payload, kind="bot_created"):
    """A person made a bot."""

    actor: str
    strategy: str
    symbol: str
    timeframe: str


@dataclass(frozen=True)
class CloseAsked(Act, kind="close_asked"):
    """A person closes what a bot holds; it is sold within a second or two."""

    position: int


@dataclass(frozen=True)
class AccountConnected(Act, kind="account_connected"):
    """A person connected a LIVE account. ``key`` is the fingerprint of its API key."""

    account: str
    capital: Decimal
    key: str


@dataclass(frozen=True)
class KeyWarning(Act, kind="key_warning"):
    """The API key of an account that is being connected may do more than it should."""

    account: str


@dataclass(frozen=True)
class BetweenAccounts(Act):
    """A bot was moved from one account to another."""

    from_: str
    to: str


class BotGoneLive(BetweenAccounts, kind="bot_gone_live"):
    """A bot was given leave to enter with money."""


class BotGoneToPaper(BetweenAccounts, kind="bot_gone_to_paper"):
    """A bot trades on paper from now on."""


@dataclass(frozen=True)
class BalancesAccepted(Act, kind="balances_accepted"):
    """A person accepted the exchange's balances as the true ones. ``changes``: booked and at_exchange, by asset."""

    account: str
    changes: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class ClosedByHand(Act, kind="closed_by_hand"):
    """A position that was sold by hand at the exchange was booked as an exit."""

    order: str
    position: str
    price: Decimal


@dataclass(frozen=True)
class FleetLoaded(Payload, kind="fleet_loaded"):
    """A fleet file changed the bots: what it did, line by line."""

    actor: str
    plan: Sequence[str]


@dataclass(frozen=True)
class FieldKeysRotated(Payload, kind="field_keys_rotated"):
    """Every secret in the database was encrypted anew."""

    actor: str
    secrets: int


@dataclass(frozen=True)
class OperatorPasswordChanged(Payload, kind="operator_password_changed"):
    """The operator was given a new password from the command line."""

    actor: str
    user: str


@dataclass(frozen=True)
class LimitChangeWaits(Act, kind="limit_change_waits"):
    """A person loosened a risk limit: it holds from the next slot on, ``holds_from`` in market time."""

    limit: str
    from_: str
    to: str
    holds_from: datetime


@dataclass(frozen=True)
class LimitChangeWithdrawn(Act, kind="limit_change_withdrawn"):
    """A change of a risk limit that waited was withdrawn."""

    limit: str
    stays: str


# --- the dead man's switch


@dataclass(frozen=True)
class OnSwitch(Act):
    """What a person did about the switch, and from where."""

    address: str


class CheckinRefused(OnSwitch, kind="checkin_refused"):
    """A check-in was refused: the code was not the one shown, or it came too late."""


class DeadManChanged(OnSwitch, kind="dead_man_changed"):
    """A person changed how the dead man's switch is set."""


@dataclass(frozen=True)
class Drill(Payload):
    """The dead man's switch was triggered to see whether it works."""

    actor: str
    problems: Sequence[str]


class DrillPassed(Drill, kind="dead_man_drill_passed"):
    """In a drill of the dead man's switch all was as it should be; its reset ends it."""


class DrillFailed(Drill, kind="dead_man_drill_failed"):
    """In a drill of the dead man's switch something was not as it should be."""


# --- edits in the console


@dataclass(frozen=True)
class Edit(Payload):
    """A row was changed in the console. ``changes``: from and to, by field."""

    actor: str
    address: str
    changes: Mapping[str, Mapping[str, Any]]


class BotEdited(Edit, kind="bot_edited"):
    """Somebody edited a bot in the console."""


class AccountCreated(Edit, kind="exchange_account_created"):
    """Somebody made an account in the console."""


class AccountEdited(Edit, kind="exchange_account_edited"):
    """Somebody edited an account in the console."""


class UserCreated(Edit, kind="user_created"):
    """Somebody made a user."""


class UserEdited(Edit, kind="user_edited"):
    """Somebody edited a user."""


class UserDeleted(Edit, kind="user_deleted"):
    """Somebody deleted a user."""


class UserPasswordChanged(Edit, kind="user_password_changed"):
    """Somebody gave a user another password, or chose another one."""


class GroupCreated(Edit, kind="group_created"):
    """Somebody made a group of users."""


class GroupEdited(Edit, kind="group_edited"):
    """Somebody edited a group of users."""


class GroupDeleted(Edit, kind="group_deleted"):
    """Somebody deleted a group of users."""


# --- what lasts

STALE_CANDLES = Lasting.declare(
    "stale_candles",
    "The newest candle of a series could not be had in time: its bots enter nothing.",
    "The candles of a series are fresh again.",
)
STALE_PRICES = Lasting.declare(
    "stale_prices",
    "Symbols in use have no live price: what is held there is valued at older prices.",
    "Live prices come again.",
)
CLOCK_APART = Lasting.declare(
    "clock_apart",
    "The exchange's clock and this machine's are too far apart: nothing enters.",
    "The exchange's clock and this machine's agree again.",
)
NOT_TRADED = Lasting.declare(
    "symbol_not_traded",
    "A symbol is halted or no longer listed: what is held there cannot be sold.",
    "A symbol trades again, or nobody needs it any more.",
)
CLOSING_DOWN = Lasting.declare(
    "closing_down",
    "A halt sells what is held, one position after another.",
    "Nothing is left of what a halt sells, or the halt was lifted.",
)
EXCHANGE_LIMITED = Lasting.declare(
    "exchange_limited",
    "The exchange limits how much may be asked: everybody waits.",
    "The exchange may be asked again as much as before.",
)
EXCHANGE_BANNED = Lasting.declare(
    "exchange_banned",
    "The exchange has banned this address for a while.",
    "The exchange's ban is over.",
)
EXCHANGE_DOWN = Lasting.declare("exchange_down", "The exchange does not answer.", "The exchange answers again.")
UNPROTECTED = Lasting.declare(
    "position_unprotected",
    "A live position has had no stop at the exchange for five seconds.",
    "A position has a stop at the exchange again, or is closed.",
)
STUCK = Lasting.declare(
    "position_stuck",
    "What became of an order of a position is not known after two minutes.",
    "It is known what became of a position's order.",
)
NOT_RECONCILED = Lasting.declare(
    "not_reconciled",
    "An account's comparison with the exchange has kept it from entering for a minute.",
    "An account agrees with the exchange again.",
)
AI_TROUBLE = Lasting.declare(
    "ai_trouble",
    "The AI that is asked about entries does not answer: bots do as they are told for that case.",
    "The AI that is asked about entries answers again.",
)
AI_LIMIT_REACHED = Lasting.declare(
    "ai_limit_reached",
    "The AI was asked about as many entries as it may be in a day.",
    "The AI is asked about entries again.",
)
