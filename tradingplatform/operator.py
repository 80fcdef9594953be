"""Every act of a human on a bot is one function here, whether it comes from the admin, a message or a command.

Each is one transaction, and leaves an event and an audit entry that say who did it and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from django.core.exceptions import ValidationError
from django.db import transaction

from bots import lifecycle
from bots.definition import judge, why_not_name
from bots.models import Bot, BotStatus, ExchangeAccount
from execution.capital import capital_of
from execution.held import BotInUse, in_use
from execution.lock import lock_portfolio
from execution.marking import rebase_bot_peak
from execution.models import Position
from execution.record import mark_closing
from execution.states import LIVE_POSITION, PositionStatus
from market.clock import Now
from market.instruments import Instrument
from market.money import canonical
from notifications.events import publish
from risk.exits import ExitReason
from risk.halts import clear_halt
from risk.models import Halt
from tradingplatform.acting import By
from tradingplatform.event_kinds import BotCreated, CloseAsked
from tradingplatform.symbols import why_unknown


class Move(Protocol):
    """A change of a bot's status."""

    def __call__(self, bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot: ...


@dataclass(frozen=True, slots=True)
class NewBot:
    """A bot as a person describes it."""

    name: str
    strategy: str
    symbol: str
    timeframe: str
    capital: Decimal
    parameters: Mapping[str, object] = field(default_factory=dict)


@transaction.atomic
def create_bot(
    account: ExchangeAccount, new: NewBot, instruments: Mapping[str, Instrument], by: By, start: bool
) -> Bot:
    """Make a bot, STOPPED unless it is to ``start``. Raises ValidationError with every problem by field."""
    problems = _problems(account, new, instruments)
    if problems:
        raise ValidationError(problems)
    bot = Bot(
        account=account,
        name=new.name,
        strategy=new.strategy,
        symbol=new.symbol,
        timeframe=new.timeframe,
        capital=new.capital,
        parameters=dict(new.parameters),
    )
    bot.full_clean()
    bot.save()
    publish(
        BotCreated(by.actor, bot.strategy, bot.symbol, bot.timeframe),
        f"Bot {bot.name} created by {by.actor}",
        bot_id=bot.pk,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
    named = ("strategy", "symbol", "timeframe", "parameters", "status")
    made = {name: getattr(bot, name) for name in named} | {"account": account.name, "capital": canonical(bot.capital)}
    by.audit("create_bot", f"bot {bot.name}", bot_id=bot.pk, after=made)
    return start_bot(bot, by) if start else bot


@transaction.atomic
def start_bot(bot: Bot, by: By) -> Bot:
    """Put a stopped bot in service. Raises lifecycle.IllegalTransition."""
    return _moved("start_bot", lifecycle.start, bot, by)


@transaction.atomic
def pause_bot(bot: Bot, by: By) -> Bot:
    """No more entries; exits go on. Raises lifecycle.IllegalTransition."""
    lock_portfolio(bot.account_id)  # so that it falls before an order's send, or after it, never in between
    return _moved("pause_bot", lifecycle.pause, bot, by)


@transaction.atomic
def resume_bot(bot: Bot, by: By) -> Bot:
    """Let a paused bot enter again. Raises lifecycle.IllegalTransition."""
    return _moved("resume_bot", lifecycle.resume, bot, by)


def pause_all(by: By) -> int:
    """Pause every running bot; how many it were. One transaction each: a bot in trouble does not keep the others."""
    return _each(BotStatus.RUNNING, pause_bot, by)


def resume_all(by: By) -> int:
    """Resume every paused bot; how many it were."""
    return _each(BotStatus.PAUSED, resume_bot, by)


@transaction.atomic
def stop_bot(bot: Bot, by: By) -> Bot:
    """Take a bot out of service. Raises BotInUse while it holds anything, lifecycle.IllegalTransition."""
    lock_portfolio(bot.account_id)  # so that no entry comes between the look and the stop
    held = in_use(bot.pk)
    if held:
        raise BotInUse(f"cannot stop bot {bot.name}: it has {held}; pause it, and stop it once that is closed")
    return _moved("stop_bot", lifecycle.stop, bot, by)


@transaction.atomic
def reset_bot(bot: Bot, by: By) -> Bot:
    """Acknowledge a bot's halts and clear them; the bot is paused then, and its drawdown counts from today's equity.

    A halt that ends by itself (a daily loss) is not cleared: its limit is still reached. Raises ValueError without a
    reason, lifecycle.IllegalTransition when there is nothing to reset.
    """
    if not by.reason.strip():
        raise ValueError("a halt is cleared for a reason: give one")
    lock_portfolio(bot.account_id)
    halts = list(Halt.objects.filter(bot=bot, cleared_at=None, until=None))
    cleared = [halt for halt in halts if clear_halt(halt.pk, by.actor, by.reason, by.now)]
    rebase_bot_peak(bot)
    before = {"halts": [halt.text for halt in cleared]}
    bot.refresh_from_db(fields=["status"])
    if cleared and bot.status != BotStatus.HALTED:  # it was stopped, or halted by a person: its status had not followed
        by.audit("reset_bot", f"bot {bot.name}", bot_id=bot.pk, before=before)
        return bot
    return _moved("reset_bot", lifecycle.reset, bot, by, before)


@transaction.atomic
def close_position(bot: Bot, by: By) -> Position:
    """Decide that what a bot holds is sold now; the reconciler carries it out within a second or two.

    Raises ValueError when it holds nothing that could be sold.
    """
    lock_portfolio(bot.account_id)
    position = Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).first()
    if position is None:
        raise ValueError(f"bot {bot.name} holds nothing: there is nothing to close")
    if position.status == PositionStatus.OPENING:
        raise ValueError(f"bot {bot.name} is entering: wait until it is known what it got, and close that")
    if position.status == PositionStatus.CLOSING:
        raise ValueError(f"bot {bot.name} is closing its position already ({position.exit_text})")
    text = f"closed by {by.actor}" + (f": {by.reason}" if by.reason else "")
    mark_closing(position, ExitReason.OPERATOR, text, position.mark_price or position.stop_price)
    publish(
        CloseAsked(by.actor, by.reason, position.pk),
        f"{by.actor} closes the position of {bot.name} in {position.symbol}",
        bot_id=bot.pk,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
    held = {"position": position.pk, "quantity": canonical(position.quantity)}
    before, after = {"status": PositionStatus.OPEN.value, **held}, {"status": PositionStatus.CLOSING.value, **held}
    by.audit("close_position", f"bot {bot.name}", bot_id=bot.pk, before=before, after=after)
    return position


def _moved(action: str, move: Move, bot: Bot, by: By, seen: Mapping[str, object] | None = None) -> Bot:
    """Move a bot's status and keep the act in the audit trail. ``seen``: what else there was before."""
    before = Bot.objects.filter(pk=bot.pk).values_list("status", flat=True).first()
    moved = move(bot, now=by.now, actor=by.actor, reason=by.reason)
    was, is_now = {"status": before, **(seen or {})}, {"status": str(moved.status)}
    by.audit(action, f"bot {moved.name}", bot_id=moved.pk, before=was, after=is_now)
    return moved


def _each(status: BotStatus, act: Callable[[Bot, By], Bot], by: By) -> int:
    done = 0
    for bot in Bot.objects.filter(status=status):
        try:
            act(bot, by)
        except lifecycle.IllegalTransition:
            continue  # somebody else moved it since it was listed
        done += 1
    return done


def _problems(account: ExchangeAccount, new: NewBot, instruments: Mapping[str, Instrument]) -> dict[str, list[str]]:
    problems = judge(
        strategy=new.strategy,
        parameters=new.parameters,
        symbol=new.symbol,
        timeframe=new.timeframe,
        capital=new.capital,
        quote=account.quote,
        account_capital=capital_of(account.pk),
    )
    if "symbol" not in problems and (text := why_unknown(new.symbol, instruments)):
        problems["symbol"] = [text]
    if text := why_not_name(new.name):
        problems["name"] = [text]
    elif Bot.objects.filter(name=new.name).exists():
        problems["name"] = [f"there is a bot {new.name!r} already: names are unique"]
    return problems
