"""Who acts in a history. Each act is what a process of the platform does, with the platform's own code; choices that a
strategy or a person would make are drawn from the seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from django.db.models import Q

from bots.lifecycle import LEASE, claim_tick, pause, release, resume
from bots.models import Bot, BotStatus
from execution.drive import drive, leave, settle_bot
from execution.models import Order, Position
from execution.portfolio import Pricing
from execution.reconcile import reconcile_account
from execution.record import LostRace
from execution.states import LIVE_POSITION, UNFINISHED_ORDER, PositionStatus
from execution.submit import Exit, decide_exit, enter
from market.clock_offset import Offset
from market.exchange import ExchangeError
from market.slots import slot_at
from proof.world import World, now
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.verdicts import Proposal
from simexchange.errors.api_error import ApiError

STOP = Decimal("0.97")
"""Where a stop is put, as a part of the price."""


class Actors:
    """The acts of one history. ``notes`` are errors that nobody expects: a tick that fails is one."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.random = world, random
        self.notes: list[str] = []
        self.paused: list[tuple[int, int, int]] = []  # bot, from, until (wall milliseconds)

    def tick(self, bot: Bot) -> None:
        """One slot of one bot: settle, then enter or exit, and let what is held be protected."""
        began = now()
        claim = claim_tick(bot.pk, slot_at(began.market_ms, bot.interval_s), began, self._token())
        if claim is None:
            return
        with self._noting(f"tick of {bot.name}"):
            self._work(Bot.objects.select_related("account", "book", "limits").get(pk=bot.pk), claim.slot)
        release(claim, now(), failed=False)

    def see_to(self, bot: Bot) -> None:
        """What the reconciler does between ticks: carry on whatever is under way."""
        with self._leased(bot.pk) as ours, self._noting(f"reconciler on {bot.name}"):
            if ours:
                settle_bot(bot.pk, self.world.means(bot.symbol))

    def see_to_all(self) -> None:
        """One round of the reconciler."""
        unfinished = Order.objects.filter(status__in=list(UNFINISHED_ORDER)).values_list("bot_id", flat=True)
        live = Position.objects.filter(status__in=list(LIVE_POSITION)).values_list("bot_id", flat=True)
        for bot in Bot.objects.filter(pk__in={*unfinished, *live}).order_by("pk"):
            self.see_to(bot)

    def reconcile(self) -> None:
        """The comparison of every minute."""
        world = self.world
        with self._noting("reconciliation"):
            reconcile_account(world.account, world.desk, world.means, now, lambda: world.clock.sleep(2))

    def close(self, bot: Bot) -> None:
        """A person closes the position; the lease is somebody else's perhaps, the decision counts all the same."""
        position = self.world.live(bot.pk)
        if position is None or position.status != PositionStatus.OPEN:
            return
        with self._noting(f"operator on {bot.name}"):
            decide_exit(position, self._wish(position, ExitReason.OPERATOR, "closed by hand"), None, now())
        if self.random.random() < 0.5:
            self.see_to(bot)

    def pause_or_resume(self, bot: Bot) -> None:
        """A person lets a bot enter nothing for a while, or again."""
        fresh = Bot.objects.get(pk=bot.pk)
        if fresh.status == BotStatus.RUNNING:
            pause(fresh, now=now(), actor="proof", reason="a pause")
            self.paused.append((bot.pk, now().wall_ms, 2**62))
        elif fresh.status == BotStatus.PAUSED:
            resume(fresh, now=now(), actor="proof", reason="the pause is over")
            self.paused = [
                (pk, begun, now().wall_ms if pk == bot.pk and until == 2**62 else until)
                for pk, begun, until in self.paused
            ]

    def trade_by_hand(self) -> None:
        """Somebody buys on the same account, past the platform."""
        symbol = self.random.choice(("BTCUSDT", "ETHUSDT"))
        with suppress(ApiError):  # the symbol may be halted
            self.world.venue.ask("POST", "order", symbol=symbol, side="BUY", type="MARKET", quoteOrderQty="50")

    def _work(self, bot: Bot, slot: int) -> None:
        means = self.world.means(bot.symbol)
        settle_bot(bot.pk, means)
        position = self.world.live(bot.pk)
        if position is None:
            if self.random.random() < 0.85 and bot.may_enter:
                self._enter(bot, slot)
            return
        if position.status != PositionStatus.OPEN:
            return
        bid = means.bid()
        if bid is not None and bid <= position.stop_price:
            leave(position, self._wish(position, ExitReason.STOP, "stop reached"), Grounds(slot), means)
        elif self.random.random() < 0.45:
            leave(position, self._wish(position, ExitReason.STRATEGY, "exit signal"), Grounds(slot), means)

    def _enter(self, bot: Bot, slot: int) -> None:
        world, means = self.world, self.world.means(bot.symbol)
        if means.instrument is None:
            return
        try:
            quote = world.market.fetch_quote(bot.symbol)
        except ExchangeError:
            return
        price = means.instrument.round_price_up(quote.ask * Decimal("1.002"))
        worth = Decimal(self.random.choice(("5.3", "9", "60", "400", "1200")))
        amount = means.instrument.round_amount_down(worth / price)
        proposal = Proposal(
            bot_id=bot.pk,
            account_id=bot.account_id,
            slot=slot,
            symbol=bot.symbol,
            base=means.instrument.base,
            quote=means.instrument.quote,
            amount=amount,
            normal_amount=amount,
            reference_price=price,
            stop_price=means.instrument.round_price_down(quote.bid * STOP),
            target_price=None,
            reason="drawn",
        )
        pricing = Pricing(means.instrument, quote.last, quote, Offset(0, 0), 10_000)
        enter(bot, proposal, pricing, Grounds(slot), means.executor, now)
        position = world.live(bot.pk)
        if position is not None and self.random.random() < 0.8:
            drive(position.pk, self.world.means(bot.symbol))

    def _wish(self, position: Position, reason: ExitReason, text: str) -> Exit:
        return Exit(reason, text, position.mark_price or position.stop_price)

    @contextmanager
    def _leased(self, bot_id: int) -> Iterator[bool]:
        """The bot's lease, as between ticks; whoever finds it taken leaves the bot alone."""
        at, token = now().wall_at, self._token()
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=at)
        ours = Bot.objects.filter(free, pk=bot_id).update(lease_token=token, lease_until=at + LEASE) == 1
        yield ours
        if ours:
            Bot.objects.filter(pk=bot_id, lease_token=token).update(lease_token="", lease_until=None)

    @contextmanager
    def _noting(self, who: str) -> Iterator[None]:
        """Races and silence belong to a day's work; any other error is a finding. Nothing is raised."""
        try:
            yield
        except (LostRace, ExchangeError):
            return
        except Exception as error:
            self.notes.append(f"{who} failed: {type(error).__name__}: {error}")

    def _token(self) -> str:
        return str(UUID(int=self.random.getrandbits(128)))


LONGEST = timedelta(seconds=90)
"""After so long whoever acts is killed, as Celery does."""
