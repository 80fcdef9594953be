"""Everything by which a person, a check or silence stops entries, and a person's lifting all of it again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

from bots.lifecycle import IllegalTransition
from bots.models import Bot, BotStatus, ExchangeAccount
from execution.lock import under_portfolio_lock
from market.clock import Now
from risk.halts import raise_halt
from risk.models import DeadMansSwitch
from tradingplatform import dead_man, kill_switch, limit_acts, operator
from tradingplatform.acting import By

TINY = "0.0005"
"""Of the account's equity: a largest order under which only the smallest bots may enter."""


class Stops:
    """Acts upon one account, at the moment that is given. What each has done is in the rows alone."""

    def __init__(self, account: ExchangeAccount, random: Random) -> None:
        self._account, self._random = account, random
        self._reset_for: datetime | None = None  # the trigger that was reset last

    def stop(self, now: Now) -> str:
        """One of the ways to stop entries; which one."""
        name, act = self._random.choice(list(self._ways().items()))
        act(now)
        return name

    def lift(self, now: Now) -> None:
        """A person lets everything go on that a person or silence stopped. A check's halt of the account stays."""
        by = self._by(now)
        kill_switch.resume_everything(by)
        kill_switch.resume_account(self._account, by)
        with suppress(ValueError):  # it has not triggered
            self._reset_for = dead_man.challenge(by).switch.latched_at
            dead_man.reset_switch(by, self._reset_for)
        for bot in self._bots():
            with suppress(IllegalTransition):
                operator.reset_bot(bot, by)
        for bot in self._bots():
            if bot.status == BotStatus.PAUSED:
                operator.resume_bot(bot, by)

    def try_in_vain(self, now: Now) -> None:
        """What does not lift a switch that has triggered: a check-in, and the reset of another trigger once more."""
        by = self._by(now)
        with suppress(ValueError):
            dead_man.check_in(by, dead_man.challenge(by).code)
        if self._reset_for is not None:
            with suppress(ValueError):
                dead_man.reset_switch(by, self._reset_for)

    def tighten(self, now: Now) -> None:
        """A limit is made so small that hardly anything may enter; for good, here."""
        limit_acts.change_limit(self._account, "max_order", TINY, self._by(now))

    def _ways(self) -> dict[str, Callable[[Now], object]]:
        return {
            "pause": self._pause,
            "pause of all": lambda now: operator.pause_all(self._by(now)),
            "halt of a bot": self._halt_bot,
            "halt of a bot by a check": self._halt_by_check,
            "halt of the account": lambda now: kill_switch.halt_account(self._account, self._by(now)),
            "kill switch": lambda now: kill_switch.halt_everything(self._by(now)),
            "silence": self._silence,
            "switch latched": self._latch,
            "switch latched again": self._latch_again,
        }

    def _pause(self, now: Now) -> None:
        running = [bot for bot in self._bots() if bot.status == BotStatus.RUNNING]
        if running:
            operator.pause_bot(self._random.choice(running), self._by(now))

    def _halt_bot(self, now: Now) -> None:
        kill_switch.halt_bot(self._random.choice(self._bots()), self._by(now))

    def _halt_by_check(self, now: Now) -> None:
        bot = self._random.choice(self._bots())
        under_portfolio_lock(
            self._account.pk, lambda _: raise_halt(self._account, bot, "drawdown", "halted by a check", {}, now)
        )

    def _silence(self, now: Now) -> None:
        """Of a day, in one moment: the switch has triggered, whether anything has looked or not."""
        DeadMansSwitch.objects.filter(latched_at=None).update(last_checkin_at=now.wall_at - timedelta(hours=25))

    def _latch(self, now: Now) -> None:
        """Somebody saw it first, and has committed that."""
        under_portfolio_lock(
            self._account.pk,
            lambda _: DeadMansSwitch.objects.filter(latched_at=None).update(latched_at=now.wall_at),
        )

    def _latch_again(self, now: Now) -> None:
        """It triggers, is reset, and triggers once more: the reset was not meant for that."""
        self._latch(now)
        self._reset_for = dead_man.challenge(self._by(now)).switch.latched_at
        dead_man.reset_switch(self._by(now), self._reset_for)
        self._latch(Now(now.wall_ms + 1, now.market_ms))

    def _bots(self) -> list[Bot]:
        return list(Bot.objects.select_related("account").filter(account=self._account).order_by("pk"))

    def _by(self, now: Now) -> By:
        return By("proof", now, "it is part of a history")
