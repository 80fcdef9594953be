"""What is proposed, what is known, and what was decided. PURE.

Only ``risk.review.review`` makes an ``Approved``; whoever sends orders takes nothing else.
"""

from dataclasses import InitVar, dataclass
from decimal import Decimal
from typing import Protocol

from market.clock_offset import Offset
from market.instruments import Instrument
from market.money import exact
from risk.limits import BotLimits, PortfolioLimits


@dataclass(frozen=True, slots=True)
class Proposal:
    """One entry that a bot would like to make. Amounts in base, prices in quote; long only.

    ``reference_price`` is the most that a unit of base may cost, slippage included: what is measured against a limit is
    measured at it. ``normal_amount`` is the size before the loss-streak factor; ``slot`` names the decision (see
    market/slots.py).
    """

    bot_id: int
    account_id: int
    slot: int
    symbol: str
    base: str
    quote: str
    amount: Decimal
    normal_amount: Decimal
    reference_price: Decimal
    stop_price: Decimal | None
    target_price: Decimal | None
    reason: str

    @property
    def notional(self) -> Decimal:
        """amount x reference price in quote, exact. Raises decimal.Inexact beyond 80 digits."""
        with exact():
            return self.amount * self.reference_price


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was made: the slot it was made for, and the open time of the closed candle it was decided on (None:
    not known, or one of another symbol)."""

    slot: int
    candle_ms: int | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """Every figure the checks need, read at one moment under the portfolio lock. Quote currency unless said otherwise.

    "Open + reserved" counts orders on their way as if they had been filled. Equity is allocation (or deposits) plus
    realised and unrealised profit; the peaks include the present. Times are UTC milliseconds of market time. Counts of
    orders need not go beyond their limit.
    """

    bot_capital: Decimal  # what the bot was allocated
    bot_equity: Decimal
    bot_peak_equity: Decimal
    bot_day_start_equity: Decimal  # at the start of the UTC day
    bot_position_notional: Decimal  # open + reserved, this bot
    loss_streak: int  # losing trades in a row of this bot, 0 after a win
    account_equity: Decimal  # the aggregate capital
    account_peak_equity: Decimal
    total_exposure: Decimal  # open + reserved, all bots of the account
    asset_exposure: Decimal  # open + reserved in the proposal's base asset, all bots of the account
    free_cash: Decimal  # what our books have of the quote currency, and is not reserved
    halts: tuple[str, ...]  # open halts of this bot or its account, in words
    trusted_price: Decimal | None  # the close of the last closed candle: what the market was when the strategy decided
    bid: Decimal | None  # what a sale would fetch now
    priced_at_ms: int | None  # when bid and reference price were asked for; None when they could not be had
    clock: Offset  # the exchange's clock against ours
    now_ms: int
    stale_after_ms: int  # a price older than this is no price
    holds: bool  # whether the account holds anything, so that its equity depends on marks
    marked_at_ms: int | None  # when everything held was last valued at live prices; None: never
    marks_stale_after_ms: int  # equity at marks older than this approves nothing
    bot_live_positions: int
    last_entry: Entry | None  # the bot's latest
    candle_ms: int | None  # open time of the closed candle decided on; None: not known
    bot_orders: int  # in the last minute, of any purpose
    account_orders: int  # the same of the account
    dead_man_triggered: bool
    bot_limits: BotLimits | None  # None refuses, and limit_faults says why
    portfolio_limits: PortfolioLimits | None  # None refuses, and limit_faults says why
    limit_faults: tuple[str, ...]  # what is missing, out of bounds or unreadable among the limits, in words
    instrument: Instrument


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found. ``passed`` is None when an earlier check had already refused and this one was not run."""

    name: str
    passed: bool | None
    limit: str
    value: str
    note: str = ""

    def as_dict(self) -> dict[str, str | bool | None]:
        """Plain JSON values, for the decision row."""
        return {
            "name": self.name,
            "passed": self.passed,
            "limit": self.limit,
            "value": self.value,
            "note": self.note,
        }


class Check(Protocol):
    """One question about a proposal: no state, no I/O. May raise anything, which counts as no."""

    @property
    def name(self) -> str:
        """How decision rows call it."""

    def __call__(self, proposal: Proposal, exposure: Exposure) -> CheckResult:
        """Passed, or not, with the limit and the value that was measured against it."""


_REVIEW_SEAL = object()
"""Shown by review() alone; a test reads the sources to see that nobody else does."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A proposal that passed every check. Raises TypeError when anyone but review() makes one."""

    proposal: Proposal
    results: tuple[CheckResult, ...]
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        if seal is not _REVIEW_SEAL:
            raise TypeError("only risk.review.review() approves a proposal")


@dataclass(frozen=True, slots=True)
class Refused:
    """A proposal that failed ``check``: the limit, the value measured against it, and both in a sentence.

    ``results`` holds every check in order: those that passed, the one that failed, and the rest as not evaluated.
    """

    proposal: Proposal
    results: tuple[CheckResult, ...]
    check: str
    limit: str
    value: str
    reason: str
