"""Invented histories of an account, made by the functions that make real ones, with an exchange of many moods."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from django.db import transaction

from bots.models import Bot
from execution.capital import book_capital
from execution.drive import drive, leave
from execution.executors import BaseExecutor
from execution.marking import mark_all
from execution.models import Position
from execution.portfolio import Pricing
from execution.states import LIVE_POSITION, PositionStatus
from execution.submit import Exit, Means, enter
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import OutcomeUnknown
from market.live_prices import Price
from market.orders import Fill, OrderReport, OrderRequest, OrderType, ReportStatus, Side
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.verdicts import Proposal
from tests.factories import SLOT_0, freshly_marked, instrument, make_account, make_bot, now_at
from tests.fakes import quote

PRICES = {"BTC/USDT": Decimal("60000"), "ETH/USDT": Decimal("3000.01"), "BNB/USDT": Decimal("600.1")}
AMOUNTS = {"BTC/USDT": Decimal("0.00321"), "ETH/USDT": Decimal("0.07007"), "BNB/USDT": Decimal("0.33333")}
THIRD = Decimal("0.001")


@dataclass
class MoodyVenue(BaseExecutor):
    """Fills in pieces, loses answers, refuses; a question gets what really became of the order. Stops rest with it."""

    random: Random
    prices: dict[str, Decimal]
    outcomes: dict[str, OrderReport] = field(default_factory=dict)
    holds_stops = True  # type: ignore[misc]

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        name = request.client_order_id
        mood = self.random.choice(["filled", "filled", "partial", "expired", "lost", "absent", "rejected"])
        if request.type is OrderType.STOP_LOSS_LIMIT:
            mood = "rejected" if mood == "rejected" else "rests"
        fills = self._fills(request, now)
        some = fills[: self.random.randrange(len(fills) + 1)]
        self.outcomes[name] = OrderReport(name, ReportStatus.FILLED, fills=fills)
        match mood:
            case "partial" if some and len(some) < len(fills):
                return OrderReport(name, ReportStatus.PARTIAL, fills=some)
            case "rests" | "partial":
                return OrderReport(name, ReportStatus.NEW)
            case "expired":
                self.outcomes[name] = OrderReport(name, ReportStatus.EXPIRED, fills=some)
            case "absent":
                self.outcomes[name] = OrderReport(name, ReportStatus.ABSENT, reason="proven")
                raise OutcomeUnknown("no answer")
            case "lost":
                raise OutcomeUnknown("no answer")
            case "rejected":
                self.outcomes[name] = OrderReport(name, ReportStatus.REJECTED, reason="no")
        return self.outcomes[name]

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        return self.outcomes[request.client_order_id]

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        report = self.outcomes[request.client_order_id]
        return report if self.random.random() < 0.3 else replace(report, status=ReportStatus.CANCELED, fills=())

    def _fills(self, request: OrderRequest, now: Now) -> tuple[Fill, ...]:
        pieces = self.random.randint(1, 3)
        each = (request.amount / pieces).quantize(Decimal("0.00001"))
        amounts = [each] * (pieces - 1) + [request.amount - each * (pieces - 1)]
        return tuple(self._fill(request, amount, now, number) for number, amount in enumerate(amounts, 1))

    def _fill(self, request: OrderRequest, amount: Decimal, now: Now, number: int) -> Fill:
        base, _, quoted = request.symbol.partition("/")
        price = self.prices[request.symbol] + self.random.randint(-500, 500) * Decimal("0.01")
        rate = THIRD * self.random.randint(-1, 10) / 10
        currency = self.random.choice([base, quoted, "BNB", "BNB"] if request.side is Side.BUY else [quoted, "BNB"])
        if request.side is Side.SELL and base == "BNB":
            currency = quoted  # a base fee on a sell needs more base than is sold
        value = {base: amount, quoted: amount * price}.get(currency, amount * price / PRICES["BNB/USDT"])
        fee = (value * rate).quantize(Decimal("1e-12"))
        third = currency not in (base, quoted)
        at = now.market_at + timedelta(milliseconds=number)
        name = f"{request.client_order_id}.{number}"
        return Fill(name, price, amount, fee, currency, at, self.prices["BNB/USDT"] if third else None)


@dataclass
class History:
    """Bots of one account, moved on step by step; a slot passes with each."""

    random: Random
    slot: int = SLOT_0

    def __post_init__(self) -> None:
        self.account = make_account("100000")
        self.bots = [make_bot(self.account, symbol=symbol) for symbol in (*PRICES, "BTC/USDT")]
        self.prices = dict(PRICES)
        self.venue: BaseExecutor = MoodyVenue(self.random, self.prices)

    def now(self) -> Now:
        return now_at(self.slot)

    def step(self) -> None:
        """Something happens."""
        self.slot += 1
        acts: list[Callable[[Bot], object]] = [self.enter, self.enter, self.mark, self.leave, self.leave, self.settle]
        self.random.choice([*acts, self.move_capital])(self.random.choice(self.bots))

    def settle_all(self) -> None:
        for bot in self.bots:
            self.settle(bot)

    def close(self, bot: Bot) -> None:
        """Until the bot holds nothing."""
        for _ in range(50):
            self.slot += 1
            self.settle(bot)
            self.leave(bot)
        assert not Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).exists()

    def enter(self, bot: Bot) -> None:
        if Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).exists():
            return
        bot = Bot.objects.select_related("account", "book", "limits").get(pk=bot.pk)
        price, wanted = self.prices[bot.symbol], AMOUNTS[bot.symbol]
        proposal = Proposal(
            bot_id=bot.pk,
            account_id=bot.account_id,
            slot=self.slot,
            symbol=bot.symbol,
            base=bot.symbol.partition("/")[0],
            quote="USDT",
            amount=wanted,
            normal_amount=wanted * 100,
            reference_price=price,
            stop_price=price * Decimal("0.9"),
            target_price=None,
            reason="a history",
        )
        live = quote(bot.symbol, str(price), self.now().market_ms - 1000)
        pricing = Pricing(instrument(bot.symbol), price, live, Offset(0, 0), 300_000)
        freshly_marked(self.account, self.now())
        enter(bot, proposal, pricing, Grounds(self.slot), self.venue, self.now)

    def leave(self, bot: Bot) -> None:
        position = Position.objects.filter(bot=bot, status=PositionStatus.OPEN).first()
        if position is not None:
            wish = Exit(ExitReason.STRATEGY, "enough", self.prices[bot.symbol])
            leave(position, wish, Grounds(self.slot), self._means(bot))

    def settle(self, bot: Bot) -> None:
        for position in Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)):
            drive(position.pk, self._means(bot))

    def mark(self, bot: Bot) -> None:
        price = PRICES[bot.symbol] * self.random.randint(900, 1100) / 1000
        self.prices[bot.symbol] = price
        mark_all({bot.symbol: Price(price, self.now().market_ms)}, self.now())

    def move_capital(self, _: Bot) -> None:
        with transaction.atomic():
            book_capital(self.account, Decimal(self.random.choice(["250.5", "-100.25"])), "moved", self.now())

    def _means(self, bot: Bot) -> Means:
        return Means(self.venue, self.now, instrument(bot.symbol), lambda: self.prices[bot.symbol])
