"""Every act of a human on a bot is one function here, whether it comes from the admin, a message or a command.

Each is one transaction, and leaves an event that says who did it and why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

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
from market.instruments import Instrument
from notifications.events import publish
from risk import deadman
from risk.exits import ExitReason
from risk.halts import clear_halt
from risk.models import DeadMansSwitch, Halt
from tradingplatform.acting import By
from tradingplatform.symbols import why_unknown


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
        "bot_created",
        f"Bot {bot.name} created by {by.actor}",
        bot_id=bot.pk,
        payload={"actor": by.actor, "strategy": bot.strategy, "symbol": bot.symbol, "timeframe": bot.timeframe},
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
    return start_bot(bot, by) if start else bot


def start_bot(bot: Bot, by: By) -> Bot:
    """Put a stopped bot in service. Raises lifecycle.IllegalTransition."""
    return lifecycle.start(bot, now=by.now, actor=by.actor, reason=by.reason)


@transaction.atomic
def pause_bot(bot: Bot, by: By) -> Bot:
    """No more entries; exits go on. Raises lifecycle.IllegalTransition."""
    lock_portfolio(bot.account_id)  # so that it falls before an order's send, or after it, never in between
    return lifecycle.pause(bot, now=by.now, actor=by.actor, reason=by.reason)


def resume_bot(bot: Bot, by: By) -> Bot:
    """Let a paused bot enter again. Raises lifecycle.IllegalTransition."""
    return lifecycle.resume(bot, now=by.now, actor=by.actor, reason=by.reason)


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
    return lifecycle.stop(bot, now=by.now, actor=by.actor, reason=by.reason)


@transaction.atomic
def reset_bot(bot: Bot, by: By) -> Bot:
    """Acknowledge a bot's halts and clear them; the bot is paused then, and its drawdown counts from today's equity.

    A halt that ends by itself (a daily loss) is not cleared: its limit is still reached. Raises ValueError without a
    reason, lifecycle.IllegalTransition when there is nothing to reset.
    """
    if not by.reason.strip():
        raise ValueError("a halt is cleared for a reason: give one")
    lock_portfolio(bot.account_id)
    halts = Halt.objects.filter(bot=bot, cleared_at=None, until=None).values_list("pk", flat=True)
    cleared = sum(clear_halt(halt_id, by.actor, by.reason, by.now) for halt_id in list(halts))
    rebase_bot_peak(bot)
    bot.refresh_from_db(fields=["status"])
    if cleared and bot.status != BotStatus.HALTED:
        return bot  # it was stopped, or halted by a person: its status had not followed
    return lifecycle.reset(bot, now=by.now, actor=by.actor, reason=by.reason)


def check_in(by: By) -> DeadMansSwitch:
    """A human is here: the dead man's switch begins its time anew. Raises ValueError when it has triggered already."""
    with transaction.atomic():
        deadman.check_in(by.actor, by.now.wall_ms, by.now)
    switch = _switch()
    if switch.latched_at is not None:  # perhaps just now: the latch is committed, whatever is said here
        raise ValueError("the dead man's switch has triggered: a check-in does not reset it, `reset_switch` does")
    return switch


def reset_switch(by: By) -> DeadMansSwitch:
    """Let entries happen again after the dead man's switch has triggered. Raises ValueError when it has not."""
    with transaction.atomic():
        deadman.pull(by.now)  # an overdue switch that nobody has asked yet triggers now, and is reset
        if not deadman.reset(by.actor, by.reason, by.now):
            raise ValueError("the dead man's switch has not triggered: there is nothing to reset")
        return _switch()


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
        "close_asked",
        f"{by.actor} closes the position of {bot.name} in {position.symbol}",
        bot_id=bot.pk,
        payload={"actor": by.actor, "reason": by.reason, "position": position.pk},
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
    return position


def _switch() -> DeadMansSwitch:
    switch = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON).first()
    if switch is None:
        raise ValueError("there is no dead man's switch: nothing may enter. `first_start` makes one")
    return switch


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
