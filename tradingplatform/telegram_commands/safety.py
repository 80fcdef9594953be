"""The kill switch, what ends a halt, and the dead man's switch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from bots.lifecycle import IllegalTransition
from bots.models import Bot, BotStatus, ExchangeAccount
from market.clock import Clock, ms_of
from notifications.telegram.commands import Asked, Command, Question
from notifications.telegram.markup import bold, escape
from notifications.telegram.values import Note, Role
from risk.models import Halt
from tradingplatform import dead_man, kill_switch, operator
from tradingplatform.acting import By
from tradingplatform.alarms import halts_in_force
from tradingplatform.telegram_commands.acting import ALL, by, reason_of
from tradingplatform.telegram_commands.arguments import bot_named
from tradingplatform.telegram_commands.fleet_pages import alarm_lines, page
from tradingplatform.telegram_commands.fleet_rows import live_positions
from tradingplatform.telegram_commands.tables import clock as moment
from tradingplatform.telegram_commands.tables import duration, pairs

SELL, SWITCH, ACCOUNT = "sell", "switch", "account"
NO_REASON = "a halt, without a word"
HOW_RESET = "Say what and why: /reset BOT why, /reset account NAME why, /reset all why, or /reset switch why"


@dataclass(frozen=True, slots=True)
class Safety:
    """What stops everything, and what lets it go on."""

    clock: Clock

    def commands(self) -> Iterator[Command]:
        yield Command("switch", "", "the dead man's switch", self.switch, refreshes=True)
        yield Command("checkin", "[code]", "say that you are here", self.checkin, Role.OPERATOR)
        yield Command("halt", "[BOT] [sell] [reason]", "stop all entries now", self.halt, Role.OPERATOR)
        yield Command("reset", "BOT|account NAME|all|switch why", "end a halt", self.reset, Role.OPERATOR)

    def halt(self, asked: Asked) -> Question:
        """A first word that is no bot's name belongs to the reason: in a hurry nobody should have to look it up."""
        words = asked.words[1:] if asked.words[:1] == (ALL,) else asked.words
        bot = Bot.objects.select_related("account").filter(name=words[0].lower()[:64]).first() if words else None
        words = words[1:] if bot is not None else words
        sells = words[:1] == (SELL,)
        reason = reason_of(words[1:] if sells else words) or NO_REASON
        what = f"bot {bot.name}" if bot is not None else "EVERYTHING"
        held = len(live_positions(bot))
        then = f"What is held is SOLD, {held} positions." if sells else f"What is held stays, {held} positions."

        def do() -> Note:
            who = by(asked, self.clock, reason)
            made = kill_switch.halt_bot(bot, who, sells) if bot is not None else kill_switch.halt_everything(who, sells)
            return Note(
                f"🚨 {bold('HALTED')}: {escape(made.text)}\nIt stays until /reset {bot.name if bot else ALL} why"
            )

        question = f"Halt {bold(what)}? Nothing is entered from then on; exits go on. {then}\n<i>{escape(reason)}</i>"
        return Question(question, do, "Yes, halt and sell" if sells else "Yes, halt")

    def reset(self, asked: Asked) -> Question:
        if len(asked.words) < 2:
            raise ValueError(HOW_RESET)
        what = asked.words[0].lower()
        if what == SWITCH:
            return self._reset_switch(asked)
        if what == ALL:
            return self._question(asked, "the halt of everything", reason_of(asked.words[1:]), _resume_everything)
        if what == ACCOUNT:
            return self._reset_account(asked)
        bot = bot_named(asked.words, "reset")
        return self._question(asked, f"what halts bot {bot.name}", reason_of(asked.words[1:]), _reset_bot(bot))

    def switch(self, asked: Asked) -> Note:
        return Note(_switch_page(dead_man.challenge(by(asked, self.clock)), self.clock))

    def checkin(self, asked: Asked) -> Note:
        """First what is at stake and a code, then the code: it counts from when the message was sent."""
        who = by(asked, self.clock)
        if not asked.words:
            seen = dead_man.challenge(who)
            if seen.switch.latched_at is not None:
                raise ValueError(f"The dead man's switch has triggered: /reset {SWITCH} why, once it is safe to go on.")
            code = f"If this is as it should be, send\n<code>/checkin {escape(seen.code)}</code>"
            return Note("\n".join([_switch_page(seen, self.clock), *map(escape, seen.exposure.lines()), code]))
        dead_man.check_in(who, " ".join(asked.words), ms_of(asked.sent_at))
        due = dead_man.challenge(who).triggers_at
        return Note(f"Checked in. Entries stop unless somebody checks in before {bold(f'{due:%Y-%m-%d %H:%M} UTC')}.")

    def _reset_switch(self, asked: Asked) -> Question:
        latched_at = dead_man.challenge(by(asked, self.clock)).switch.latched_at
        if latched_at is None:
            raise ValueError("The dead man's switch has not triggered: there is nothing to reset. See /switch")
        reason = reason_of(asked.words[1:])

        def act(who: By) -> str:
            paused = dead_man.reset_switch(who, latched_at)
            return f"The dead man's switch is armed again; {paused} bots are paused: /resume them when you are ready."

        return self._question(asked, f"the dead man's switch, triggered {moment(latched_at)}", reason, act)

    def _reset_account(self, asked: Asked) -> Question:
        account = ExchangeAccount.objects.filter(name=asked.words[1]).first()
        reason = reason_of(asked.words[2:])
        if account is None:
            names = ", ".join(ExchangeAccount.objects.values_list("name", flat=True)[:10]) or "none at all"
            raise ValueError(f"There is no account {asked.words[1][:64]!r}: there is {names}")
        if not reason:
            raise ValueError(HOW_RESET)

        def act(who: By) -> str:
            ended = kill_switch.clear_account_halts(account, who)
            return (
                f"{ended} halts of account {account.name} are over."
                if ended
                else "No halt of the account was in force."
            )

        return self._question(asked, f"what halts account {account.name}", reason, act)

    def _question(self, asked: Asked, what: str, reason: str, act: Callable[[By], str]) -> Question:
        in_force = "\n".join(alarm_lines(halts_in_force(self.clock.now()), ()))

        def do() -> Note:
            try:
                done = act(by(asked, self.clock, reason))
            except (IllegalTransition, ValueError) as error:
                return Note(escape(f"Not done: {error}"))
            left = "\n".join(alarm_lines(halts_in_force(self.clock.now()), ()))
            return Note("\n".join([escape(done), *([f"Still in force:\n{left}"] if left else [])]))

        shown = f"End {bold(what)}?\n<i>{escape(reason)}</i>"
        return Question("\n".join([shown, *([f"In force now:\n{in_force}"] if in_force else [])]), do, "Yes, end it")


def _resume_everything(who: By) -> str:
    ended = kill_switch.resume_everything(who)
    return "The halt of everything is over." if ended else "Everything was not halted."


def _reset_bot(bot: Bot) -> Callable[[By], str]:
    def act(who: By) -> str:  # what a person halted, then what a check did: whoever resets a bot has seen both
        ended = kill_switch.resume_bot_trading(bot, who)
        checked = Halt.objects.filter(bot=bot, cleared_at=None, until=None).exists()
        if checked or Bot.objects.filter(pk=bot.pk, status=BotStatus.HALTED).exists() or not ended:
            after = operator.reset_bot(Bot.objects.select_related("account").get(pk=bot.pk), who)
            return f"Bot {after.name} is {after.status}."
        return f"Bot {bot.name} is no longer halted."

    return act


def _switch_page(seen: dead_man.Challenge, clock: Clock) -> str:
    switch = seen.switch
    flatten = switch.flatten_after_h
    rows = [
        ("stage", str(seen.stage)),
        ("left", duration(seen.seconds_left)),
        ("triggers", moment(seen.triggers_at)),
        ("timeout", duration(timedelta(seconds=switch.timeout_s).total_seconds())),
        ("last", f"{switch.last_checkin_at:%m-%d %H:%M} by {switch.last_checkin_by}"),
        ("then", "nothing is ever sold" if flatten is None else f"everything is sold after {flatten} h"),
    ]
    problem = f"⚠️ {escape(seen.clock_problem)}" if seen.clock_problem else ""
    return page("Dead man's switch", pairs(rows), problem, now=clock.now())
