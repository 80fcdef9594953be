"""Commands that change what bots do. Each shows what it would do and happens only when it is confirmed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bots.lifecycle import IllegalTransition
from bots.models import Bot, BotStatus
from market.clock import Clock
from market.money import ZERO, exact
from notifications.telegram.commands import Asked, Command, Question
from notifications.telegram.markup import bold, escape
from notifications.telegram.values import Note, Role
from tradingplatform import operator
from tradingplatform.acting import By
from tradingplatform.telegram_commands.arguments import bot_named
from tradingplatform.telegram_commands.fleet_rows import PositionLine, live_positions
from tradingplatform.telegram_commands.tables import money, signed

ALL = "all"
ADDRESS = "telegram"
MOST_NAMED = 10

REFUSALS = (IllegalTransition, ValueError)
"""What an act may say no with, in words for its operator."""


def by(asked: Asked, clock: Clock, reason: str = "") -> By:
    """Who acts: the person, now."""
    return By(f"telegram:{asked.user_id}", clock.now(), reason, ADDRESS)


def reason_of(words: tuple[str, ...]) -> str:
    """All that follows the name, as typed."""
    return " ".join(words)[:200]


@dataclass(frozen=True, slots=True)
class Acting:
    """What acts on bots."""

    clock: Clock

    def commands(self) -> Iterator[Command]:
        for name, does, answer in (
            ("pause", "no more entries; exits go on", self.pause),
            ("resume", "a paused bot may enter again", self.resume),
            ("close", "sell what is held", self.close),
        ):
            yield Command(name, "BOT|all [reason]", does, answer, Role.OPERATOR)

    def pause(self, asked: Asked) -> Question:
        if asked.words[:1] == (ALL,):
            number = Bot.objects.filter(status=BotStatus.RUNNING).count()
            return self._of_all(asked, f"Pause all {number} running bots?", operator.pause_all, "paused")
        bot = bot_named(asked.words, "pause")
        return self._of_one(asked, bot, f"Pause {bot.name}? It is {bot.status}.", operator.pause_bot, "paused")

    def resume(self, asked: Asked) -> Question:
        if asked.words[:1] == (ALL,):
            number = Bot.objects.filter(status=BotStatus.PAUSED).count()
            return self._of_all(asked, f"Resume all {number} paused bots?", operator.resume_all, "resumed")
        bot = bot_named(asked.words, "resume")
        return self._of_one(asked, bot, f"Resume {bot.name}? It is {bot.status}.", operator.resume_bot, "resumed")

    def close(self, asked: Asked) -> Question:
        if asked.words[:1] == (ALL,):
            held = live_positions()
            shown = f"Sell ALL that is held, {len(held)} positions?\n{_worth(held)}"
            return Question(shown, lambda: self._close_all(asked), f"Yes, sell all {len(held)}")
        bot = bot_named(asked.words, "close")
        held = live_positions(bot)
        if not held:
            raise ValueError(f"Bot {bot.name} holds nothing: there is nothing to close.")
        shown = f"Sell what {bold(bot.name)} holds?\n{_worth(held)}"
        return Question(shown, lambda: self._close(asked, bot), "Yes, sell it")

    def _of_one(self, asked: Asked, bot: Bot, question: str, act: Callable[[Bot, By], Bot], done: str) -> Question:
        def do() -> Note:
            try:
                after = act(bot, by(asked, self.clock, reason_of(asked.words[1:])))
            except REFUSALS as error:
                return Note(escape(f"Not done: {error}"))
            return Note(f"{bold(after.name)} is {done}: {escape(after.status)}.")

        return Question(escape(question), do)

    def _of_all(self, asked: Asked, question: str, act: Callable[[By], int], done: str) -> Question:
        def do() -> Note:
            return Note(f"{act(by(asked, self.clock, reason_of(asked.words[1:])))} bots {done}.")

        return Question(escape(question), do)

    def _close(self, asked: Asked, bot: Bot) -> Note:
        try:
            position = operator.close_position(bot, by(asked, self.clock, reason_of(asked.words[1:])))
        except REFUSALS as error:
            return Note(escape(f"Not done: {error}"))
        return Note(f"{bold(bot.name)} sells {escape(position.symbol)}: an alert tells when it is done.")

    def _close_all(self, asked: Asked) -> Note:
        """One transaction each: a position in trouble does not keep the others."""
        who = by(asked, self.clock, reason_of(asked.words[1:]))
        closing, refused = 0, []
        for line in live_positions():
            try:
                operator.close_position(Bot.objects.select_related("account").get(name=line.bot), who)
                closing += 1
            except REFUSALS as error:
                refused.append(escape(error))
        more = [f"and {len(refused) - MOST_NAMED} more"] if len(refused) > MOST_NAMED else []
        return Note("\n".join([f"{closing} positions are being sold.", *refused[:MOST_NAMED], *more]))


def _worth(held: list[PositionLine]) -> str:
    """What it cost and what it is worth, by quote currency."""
    lines = []
    for quote in sorted({line.symbol.partition("/")[2] for line in held}):
        of_it = [line for line in held if line.symbol.endswith(f"/{quote}")]
        with exact():
            cost = sum((line.cost for line in of_it), ZERO)
            unrealised = sum((line.unrealised for line in of_it), ZERO)
        lines.append(f"cost {money(cost, quote)} {quote}, open {signed(unrealised, quote)}")
    return escape("\n".join(lines))
