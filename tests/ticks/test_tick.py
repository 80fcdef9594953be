"""Whole ticks on a real database and a real Redis, against an exchange in memory."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
import redis

from bots.models import Bot, BotStatus
from execution.models import BotBook, EquitySnapshot, Order, PaperOrder, Portfolio, Position, Trade
from execution.states import OrderStatus, PositionStatus
from execution.totals import bot_equity
from market.clock import Clock, Now, moment
from notifications.models import Condition, Event
from risk.exits import ExitReason
from risk.models import Decision, Halt, Outcome
from tests.factories import SLOT_0, instrument, make_bot
from tests.fakes import FakeMarket, candles_of, quote
from tradingplatform import tick
from tradingplatform.wiring import Platform

pytestmark = pytest.mark.django_db
INTERVAL = 900
RANGE = [100.0 + (i % 3) for i in range(400)]  # closes 100, 101, 102 in turn: no breakout of either side
SLOT = SLOT_0


@dataclass
class World:
    """One bot that buys breakouts, its exchange, and the time."""

    market: FakeMarket
    bot: Bot
    slot: int = SLOT

    @property
    def now(self) -> Now:
        ms = self.slot * INTERVAL * 1000 + 3_000
        return Now(wall_ms=ms, market_ms=ms)

    def closes(self, *closes: float) -> None:
        """The exchange's history now ends with these closes, the last one being the candle before the slot."""
        history = candles_of(RANGE[: 400 - len(closes)] + list(closes), self.slot - 1, INTERVAL)
        self.market.candles[self.bot.symbol, self.bot.timeframe] = history
        last = str(closes[-1] if closes else RANGE[-1])
        self.market.quotes[self.bot.symbol] = quote(self.bot.symbol, last, self.now.market_ms)

    def tick(self, **late: int) -> Decision | None:
        """Run the slot's tick in a process of its own making, and return the slot's decision."""
        redis.Redis.from_url(self.redis_url).flushdb()
        now = self.now
        if late:
            now = Now(now.wall_ms + late["late_ms"], now.market_ms + late["late_ms"])
        clock = Clock(Clock().now().wall_ms, now.market_ms, 1.0)
        tick.run(Platform(clock, self.market), self.bot.pk, now)
        self.bot.refresh_from_db()
        return Decision.objects.filter(bot=self.bot, slot=self.slot).first()

    def next_slot(self) -> None:
        self.slot += 1

    redis_url: str = ""


@pytest.fixture
def world(redis_url, settings):
    settings.REDIS_URL = redis_url
    market = FakeMarket({"BTC/USDT": instrument(tick_size=Decimal("0.01"))})
    world = World(market, make_bot(strategy="donchian_breakout"), redis_url=redis_url)
    Bot.objects.update(stagger_s=2)
    world.closes()
    return world


def position() -> Position:
    return Position.objects.get()


def test_a_quiet_slot_leaves_one_decision_and_one_snapshot(world):
    decision = world.tick()
    assert decision.outcome == Outcome.NOTHING
    assert decision.signal["action"] == "HOLD"
    assert decision.candle["close"] == RANGE[-1]
    snapshot = EquitySnapshot.objects.get()
    assert (snapshot.equity, snapshot.stale) == (Decimal(5000), False)
    assert (world.bot.ticks, world.bot.ticks_failed, world.bot.lease_token) == (1, 0, "")
    assert not Order.objects.exists()


def test_a_slot_is_executed_once_however_often_its_bell_rings(world):
    world.closes(105.0)
    for _ in range(3):
        world.tick()
    assert world.bot.ticks == 1
    assert Order.objects.count() == 1


def test_from_breakout_to_stop(world):
    world.closes(105.0)
    decision = world.tick()
    assert decision.outcome == Outcome.APPROVED
    assert [check["passed"] for check in decision.checks] == [True] * len(decision.checks)
    assert position().status == PositionStatus.OPEN
    assert position().stop_price < Decimal(105)

    world.next_slot()
    world.closes(105.0, 106.0)
    assert world.tick().outcome == Outcome.NOTHING
    assert position().mark_price == Decimal(106)
    assert position().unrealised == position().quantity * Decimal(106) - position().cost
    assert EquitySnapshot.objects.first().unrealised == position().unrealised

    world.next_slot()
    world.closes(105.0, 106.0, 80.0)
    decision = world.tick()
    assert decision.outcome == Outcome.EXIT
    assert set(decision.signal) == {"held"}  # the stop came first, the strategy was not asked
    closed = position()
    assert (closed.status, closed.exit_reason) == (PositionStatus.CLOSED, ExitReason.STOP)
    portfolio = Portfolio.objects.get()
    assert portfolio.realised == closed.realised < 0
    assert (portfolio.unrealised, portfolio.exposure, portfolio.cost) == (0, 0, 0)
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert {"signal", "order_placed", "order_filled", "position_opened", "position_closed"} <= kinds


@pytest.mark.parametrize("status", [BotStatus.PAUSED, BotStatus.HALTED])
def test_a_bot_that_may_not_enter_still_exits(world, status):
    Bot.objects.update(status=status)
    world.closes(105.0)
    decision = world.tick()
    assert (decision.outcome, decision.reason) == (Outcome.NOTHING, f"no entry: the bot is {status}")

    Bot.objects.update(status=BotStatus.RUNNING)
    world.next_slot()
    world.closes(102.0, 106.0)
    assert world.tick().outcome == Outcome.APPROVED
    Bot.objects.update(status=status)
    world.next_slot()
    world.closes(102.0, 106.0, 80.0)
    assert world.tick().outcome == Outcome.EXIT
    assert position().status == PositionStatus.CLOSED


def test_a_late_tick_does_not_enter(world):
    world.closes(105.0)
    decision = world.tick(late_ms=120_000)
    assert (decision.outcome, decision.reason) == (Outcome.NOTHING, "no entry: the tick is late")


def test_an_old_candle_does_not_enter(world):
    world.closes(105.0)
    world.next_slot()  # the exchange has published nothing since
    decision = world.tick()
    assert decision.outcome == Outcome.SKIPPED
    assert decision.reason.startswith("no fresh candles: the exchange has no closed 15m candle of BTC/USDT")
    assert not Condition.objects.exists()  # it may still come in time


def test_a_candle_that_comes_in_time_is_entered_on(world):
    world.closes(105.0)
    world.next_slot()
    assert world.tick().outcome == Outcome.SKIPPED
    world.closes(102.0, 105.0)
    assert world.tick(late_ms=5_000).outcome == Outcome.APPROVED
    assert Decision.objects.filter(slot=world.slot).count() == 1


def test_a_candle_that_does_not_come_in_time_is_told_once_and_not_entered_on(world):
    world.closes(105.0)
    world.next_slot()
    world.tick()
    decision = world.tick(late_ms=120_000)
    assert decision.outcome == Outcome.SKIPPED
    assert world.bot.lease_token == ""
    condition = Condition.objects.get(kind="stale_candles", ended_at=None)
    assert (condition.subject, Event.objects.get(kind="stale_candles").severity) == ("BTC/USDT 15m", "WARNING")
    world.closes(102.0, 105.0)
    assert world.tick(late_ms=130_000) == decision  # the slot is done, nobody rings for it again
    assert not Order.objects.exists()


def test_no_candles_at_all_is_a_skipped_slot_and_not_a_failed_tick(world):
    world.market.down = True
    decision = world.tick()
    assert decision.outcome == Outcome.SKIPPED
    assert decision.reason.startswith("no fresh candles: ")
    assert world.bot.ticks_failed == 0
    assert EquitySnapshot.objects.get().stale


def test_a_symbol_that_is_gone_is_a_skipped_slot(world):
    world.market.instrument_by_symbol.clear()
    assert world.tick().reason == "BTC/USDT is not traded at the exchange"


def test_an_exchange_that_was_never_reached_is_a_skipped_slot_and_tried_again(world):
    """As in a process that starts in an outage."""
    world.market.instruments = world.market.fetch_time  # raises while the exchange is down
    world.market.down = True
    decision = world.tick()
    assert (decision.outcome, world.bot.ticks_failed) == (Outcome.SKIPPED, 0)
    assert decision.reason.startswith("the exchange's symbols are not known yet")
    del world.market.instruments
    world.market.down = False
    world.closes(105.0)
    assert world.tick(late_ms=5_000).outcome == Outcome.APPROVED


def test_a_held_symbol_that_is_gone_is_not_rung_for_for_ever(world):
    held(world)
    world.market.instrument_by_symbol.clear()
    assert world.tick().outcome == Outcome.SKIPPED
    assert world.bot.lease_token == ""


def test_a_failure_that_is_rung_for_again_is_told_once_a_slot(world):
    held(world)
    Bot.objects.update(parameters={"no_such_parameter": 1})
    world.closes(105.0, 106.0)
    for _ in range(3):
        assert world.tick().outcome == Outcome.FAILED
    assert Event.objects.filter(kind="tick_failed").count() == 1
    world.next_slot()
    world.closes(105.0, 106.0, 106.0)
    world.tick()
    assert Event.objects.filter(kind="tick_failed").count() == 2


def test_a_failure_is_stored_and_the_lease_is_given_back(world):
    Portfolio.objects.all().delete()
    world.closes(105.0)
    decision = world.tick()
    assert decision.outcome == Outcome.FAILED
    assert "portfolio" in decision.reason
    assert (world.bot.ticks_failed, world.bot.lease_token) == (1, "")
    assert Event.objects.get(kind="tick_failed").bot_id == world.bot.pk


@pytest.mark.parametrize(
    ("arrived", "order_status", "position_status"),
    [(False, OrderStatus.ABSENT, PositionStatus.FLAT), (True, OrderStatus.FILLED, PositionStatus.OPEN)],
)
def test_an_unfinished_order_is_settled_before_anything_new(world, arrived, order_status, position_status):
    """The process died after the intent was committed as SENT, before or after the order came to the paper book."""
    world.closes(105.0)
    world.tick()
    Trade.objects.all().delete()
    if not arrived:
        PaperOrder.objects.all().delete()
    Order.objects.update(status=OrderStatus.SENT, filled=0, filled_cost=0)
    Position.objects.update(status=PositionStatus.OPENING, quantity=0, cost=0, realised=0, fees=0, unrealised=0)
    world.next_slot()
    world.closes(105.0, 105.0)
    decision = world.tick()
    assert Order.objects.get().status == order_status
    assert position().status == position_status
    assert decision.outcome == Outcome.NOTHING


def test_a_bot_without_limits_is_refused_and_told_why(world):
    world.bot.limits.delete()
    world.closes(105.0)
    decision = world.tick()
    assert (decision.outcome, decision.failed_check) == (Outcome.REFUSED, "limits")


def test_a_day_begins_with_the_equity_of_the_evening_before(world):
    book = world.bot.book
    book.day, book.realised = None, Decimal(-40)
    book.save()
    world.tick()
    book.refresh_from_db()
    assert (book.day, book.day_start_equity) == (world.now.market_at.date(), Decimal(4960))


def test_a_mark_at_the_candles_close_opens_a_breaker_too(world):
    """The guard may be away."""
    world.closes(105.0)
    world.tick()
    book = BotBook.objects.get()
    BotBook.objects.update(day_start_equity=bot_equity(world.bot, book) + 245)  # of 250 that may be lost in a day
    world.next_slot()
    world.closes(105.0, 103.0)
    world.tick()
    assert position().status == PositionStatus.OPEN
    assert Halt.objects.get().cause == "daily_loss"


def test_a_bot_that_is_gone_is_no_error(world):
    tick.run(Platform(Clock(), world.market), 10**9, world.now)
    assert not Decision.objects.exists()


def held(world: World) -> None:
    """The bot has entered at 105; the next slot has begun."""
    world.closes(105.0)
    assert world.tick().outcome == Outcome.APPROVED
    world.next_slot()


def test_a_strategy_that_cannot_be_made_any_more_does_not_keep_a_position_from_its_stop(world):
    held(world)
    Bot.objects.update(parameters={"no_such_parameter": 1})
    world.bot.refresh_from_db()
    world.closes(105.0, 80.0)
    assert world.tick().outcome == Outcome.EXIT
    assert position().status == PositionStatus.CLOSED


def test_an_exit_that_failed_is_tried_again_in_the_same_slot(world):
    held(world)
    world.closes(105.0, 80.0)
    del world.market.quotes["BTC/USDT"]
    world.market.down_for_quotes = True
    decision = world.tick()
    assert (decision.outcome, Order.objects.count()) == (Outcome.SKIPPED, 1)
    assert decision.reason.endswith("; no price to sell at")
    assert position().status == PositionStatus.OPEN
    world.market.down_for_quotes = False
    world.closes(105.0, 80.0)
    assert world.tick().outcome == Outcome.EXIT
    assert position().status == PositionStatus.CLOSED
    assert Decision.objects.filter(slot=world.slot).count() == 1


def test_a_stop_is_not_given_up_however_long_there_is_no_price(world):
    """Six minutes without a quote, rung for every ten seconds; then the market is there again."""
    held(world)
    world.closes(105.0, 80.0)
    world.market.down_for_quotes = True
    for number in range(36):
        assert world.tick(late_ms=number * 10_000).outcome == Outcome.SKIPPED
    assert Order.objects.count() == 1  # the entry: there was nobody to sell to
    world.market.down_for_quotes = False
    assert world.tick(late_ms=360_000).outcome == Outcome.EXIT
    assert position().status == PositionStatus.CLOSED


def test_refused_exits_have_an_end_in_each_slot_and_begin_anew_in_the_next(world, monkeypatch):
    monkeypatch.setattr(tick, "MOST_EXITS_A_SLOT", 3)
    held(world)
    too_small = instrument(tick_size=Decimal("0.01"), max_amount=Decimal("0.001"))  # so that every exit is refused
    world.market.instrument_by_symbol["BTC/USDT"] = too_small
    for slot in range(2):
        world.closes(105.0, *[80.0] * (slot + 1))
        for _ in range(5):
            world.tick()
        assert Order.objects.filter(purpose="EXIT").count() == 3 * (slot + 1)
        world.next_slot()


def test_a_slot_without_candles_is_tried_again_while_something_is_held(world):
    held(world)
    world.market.down = True
    assert world.tick().outcome == Outcome.SKIPPED
    world.market.down = False
    world.closes(105.0, 80.0)
    assert world.tick().outcome == Outcome.EXIT
    assert Decision.objects.filter(slot=world.slot).count() == 1
    assert position().status == PositionStatus.CLOSED


@pytest.mark.parametrize("status", [BotStatus.PAUSED, BotStatus.HALTED])
def test_a_flat_bot_that_may_not_enter_does_not_try_a_slot_again(world, status):
    Bot.objects.update(status=status)
    world.market.down = True
    world.tick()
    world.market.down = False
    world.closes(105.0)
    assert world.tick().outcome == Outcome.SKIPPED
    assert world.bot.ticks == 1


LIVE_PRICES = {
    # the live price while no candle can be had -> what becomes of a position with its stop at about 100 and no target
    "at the stop": ("100", Outcome.EXIT),
    "far below it": ("30", Outcome.EXIT),
    "above it": ("104", Outcome.SKIPPED),
}


@pytest.mark.parametrize(("price", "outcome"), LIVE_PRICES.values(), ids=LIVE_PRICES.keys())
def test_what_is_held_is_judged_by_the_live_price_while_candles_are_missing(world, price, outcome):
    held(world)
    Position.objects.update(stop_price=Decimal("100.5"), target_price=None)
    world.market.quotes["BTC/USDT"] = quote("BTC/USDT", price, world.now.market_ms)
    decision = world.tick()
    assert decision.outcome == outcome
    assert position().status == (PositionStatus.CLOSED if outcome == Outcome.EXIT else PositionStatus.OPEN)
    assert EquitySnapshot.objects.first().stale  # no candle, and the guard has not valued anything


def test_equity_is_not_stale_when_the_guard_has_just_valued_what_is_held(world):
    held(world)
    Position.objects.update(mark_price=Decimal(104), marked_at=world.now.market_at)
    world.tick()
    assert not EquitySnapshot.objects.first().stale
    Position.objects.update(marked_at=moment(world.now.market_ms - 60_000))
    world.tick()
    assert EquitySnapshot.objects.first().stale


def test_the_target_too(world):
    held(world)
    Position.objects.update(target_price=Decimal(110))
    world.market.quotes["BTC/USDT"] = quote("BTC/USDT", "110", world.now.market_ms)
    assert world.tick().outcome == Outcome.EXIT
    assert position().exit_reason == ExitReason.TARGET


def test_without_any_price_the_position_waits_and_its_equity_is_stale(world):
    held(world)
    marked = position().mark_price
    world.market.quotes.clear()
    assert world.tick().outcome == Outcome.SKIPPED
    assert position().mark_price == marked
    assert EquitySnapshot.objects.first().stale
    assert world.bot.lease_token == "again"


def test_an_exchange_whose_clock_is_off_is_not_entered_on(world):
    world.market.ahead_ms = 5_000
    world.closes(105.0)
    decision = world.tick()
    assert (decision.outcome, decision.failed_check) == (Outcome.REFUSED, "clock")


def test_an_exchange_that_does_not_tell_its_time_is_not_entered_on(world):
    world.market.down_for_time = True
    world.closes(105.0)
    decision = world.tick()
    assert decision.outcome == Outcome.NOTHING
    assert "the exchange's time" in decision.reason


def test_no_price_means_no_entry(world):
    world.closes(105.0)
    world.market.down_for_quotes = True
    decision = world.tick()
    assert decision.outcome == Outcome.NOTHING
    assert decision.reason.startswith("no entry: no price")


def test_a_bad_print_is_neither_entered_on_nor_valued_at(world):
    held(world)
    world.closes(105.0, 2100.0)
    Position.objects.update(target_price=None)
    world.tick()
    assert position().mark_price < Decimal(106)
    assert EquitySnapshot.objects.first().stale
    assert Portfolio.objects.get().peak_equity < Decimal(100_001)


def test_a_hole_in_the_look_back_is_not_entered_on(world):
    world.closes(105.0)
    key = (world.bot.symbol, world.bot.timeframe)
    whole = world.market.candles[key]
    from market.candles import Candles

    table = [row for i, row in enumerate(zip(whole.opened_ms, *whole.prices(), strict=True)) if i not in (390, 391)]
    world.market.candles[key] = Candles.from_rows(table)
    assert world.tick().reason == "no entry: 2 candles are missing in the look-back"


def test_what_the_market_did_before_the_entry_happened_to_somebody_else(world):
    """The entry's own candle dipped below the stop, then rose to the entry."""
    held(world)
    world.closes(105.0, 106.0)
    key = (world.bot.symbol, world.bot.timeframe)
    world.market.candles[key].low[-1] = 80.0
    assert world.tick().outcome == Outcome.NOTHING
    world.next_slot()
    world.closes(105.0, 106.0, 106.0)
    world.market.candles[key].low[-1] = 80.0
    assert world.tick().outcome == Outcome.EXIT


def test_a_fill_that_came_slots_later_counts_from_its_own_candle(world):
    """Decided in one slot, filled two candles on: what the price did in between was before the position."""
    held(world)
    late = world.slot + 1
    Position.objects.update(opened_at=moment((late * INTERVAL + 5) * 1000))
    world.slot = late + 1
    world.closes(105.0, 80.0, 106.0)
    assert world.tick().outcome == Outcome.NOTHING
    assert position().status == PositionStatus.OPEN


def test_a_doubled_bell_that_read_the_row_before_the_tick_ended_retries_the_exit(world):
    held(world)
    world.closes(105.0, 80.0)
    world.market.down_for_quotes = True
    world.tick()
    Bot.objects.update(lease_token="somebody-who-ticked-meanwhile")
    world.market.down_for_quotes = False
    world.tick()
    assert position().status == PositionStatus.CLOSED
    assert Bot.objects.get().ticks_failed == 0
