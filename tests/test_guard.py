"""The guard on a real database and a real Redis, against an exchange in memory: what is marked, and what is told."""

import json
import threading
import time
from dataclasses import dataclass
from decimal import Decimal

import pytest
import redis
import structlog
from django.db import OperationalError, connection, transaction

from bots.models import Bot
from execution.models import BotBook, Portfolio, Position
from market.access import Access, Ticket
from market.clock import Clock
from market.exchange import Transient
from market.rate_limits import Priority
from notifications.conditions import lasting
from notifications.models import Event
from risk.halts import raise_halt
from risk.models import Halt
from tests.factories import instrument, make_bot, make_position, now_at
from tests.fakes import FakeMarket, candles_of, quote
from tests.redis_server import redis_url  # noqa: F401  (a fixture)
from tests.rig import until
from tradingplatform.conditions import teller
from tradingplatform.guard import Guard
from tradingplatform.wiring import Platform, connect_redis

pytestmark = pytest.mark.django_db(transaction=True)
INTERVAL = 900


@dataclass
class World:
    """Two bots on one series, one of which holds a position; the exchange; the guard."""

    market: FakeMarket
    platform: Platform
    guard: Guard
    bot: Bot

    @property
    def slot(self) -> int:
        return self.platform.clock.now().market_ms // (INTERVAL * 1000)

    def publish(self, until_slot: int) -> None:
        self.market.candles["BTC/USDT", "15m"] = candles_of([100.0] * 400, until_slot - 1, INTERVAL)

    def price(self, text: str) -> None:
        self.market.quotes["BTC/USDT"] = quote("BTC/USDT", text)
        self.platform.redis.delete("market:simulated:prices:young")  # as when it has grown old

    def look(self, name: str) -> None:
        getattr(self.guard, name)(self.platform.clock.now())

    def look_twice(self, name: str) -> None:
        """A second time with new prices."""
        self.look(name)
        self.platform.redis.delete("market:simulated:prices:young")
        self.look(name)


def clock_late_in_a_slot() -> Clock:
    """Speed 1, ten minutes into a slot: every candle is long due."""
    wall_ms = Clock().now().wall_ms
    slot_ms = wall_ms - wall_ms % (INTERVAL * 1000)
    return Clock(origin_wall_ms=wall_ms, origin_market_ms=slot_ms + 600_000, speed=1.0)


@pytest.fixture
def world(redis_url, settings):  # noqa: F811
    settings.REDIS_URL = redis_url
    redis.Redis.from_url(redis_url).flushdb()
    market = FakeMarket({"BTC/USDT": instrument(tick_size=Decimal("0.01"))})
    platform = Platform(clock_late_in_a_slot(), market, Access(connect_redis(), "access"))
    world = World(market, platform, Guard(platform), make_bot())
    world.price("100")
    world.publish(world.slot)
    return world


def open_position(bot: Bot, mark: str | None = "100") -> None:
    held = {"quantity": Decimal(2), "cost": Decimal(200), "exposure": Decimal(200)}
    make_position(bot, Clock().now().market_at, mark_price=None if mark is None else Decimal(mark), **held)
    Portfolio.objects.filter(account=bot.account).update(cost=Decimal(200), exposure=Decimal(200))


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


# marks


def test_open_positions_are_marked_at_live_prices(world):
    open_position(world.bot)
    world.price("104.444")
    world.look_twice("prices")
    position, portfolio = Position.objects.get(), Portfolio.objects.get()
    assert (position.mark_price, position.unrealised) == (Decimal("104.44"), Decimal("8.88"))  # on the tick
    assert (portfolio.unrealised, portfolio.exposure) == (Decimal("8.88"), Decimal("208.88"))


@pytest.mark.parametrize("price", ["1000", "10"])
def test_a_price_that_cannot_be_believed_marks_nothing(world, price):
    open_position(world.bot)
    world.price(price)
    world.look_twice("prices")
    assert Position.objects.get().mark_price == Decimal(100)


def test_a_position_that_was_never_marked_takes_the_first_price(world):
    open_position(world.bot, mark=None)
    world.look_twice("prices")
    assert Position.objects.get().mark_price == Decimal(100)


def test_prices_that_stay_away_are_told_once_and_again_when_they_come(world):
    open_position(world.bot)
    world.market.down = True
    for _ in range(3):
        world.look("prices")
    assert kinds() == ["stale_prices"]
    assert "BTC/USDT" in lasting("stale_prices").get().text
    world.market.down = False
    world.price("101")
    world.look_twice("prices")
    assert kinds() == ["stale_prices", "stale_prices_ended"]
    assert Position.objects.get().mark_price == Decimal(101)


def test_an_old_price_is_none(world):
    open_position(world.bot)
    world.look("prices")
    world.market.down = True
    clock = world.platform.clock
    later = Clock(clock.origin_wall_ms - 16_000, clock.origin_market_ms, 1.0)
    guard = Guard(Platform(later, world.market, world.platform.access))
    world.platform.redis.delete("market:simulated:prices:young")
    guard.prices(later.now())
    assert kinds() == ["stale_prices"]


# candles


def test_fresh_candles_are_nothing_to_tell_of(world):
    world.look("candles")
    assert kinds() == []
    assert world.market.requests == 1  # nobody had asked for them yet
    world.look("candles")
    assert world.market.requests == 1


def test_a_series_that_stays_old_is_told_once_and_again_when_it_comes(world):
    make_bot()  # another bot on the same series
    world.publish(world.slot - 1)
    for _ in range(3):
        world.look("candles")
        world.platform.redis.delete("market:simulated:candles:BTC/USDT:15m:note")
    assert kinds() == ["stale_candles"]
    condition = lasting().get()
    assert condition.subject == "BTC/USDT 15m"
    assert "closed 25 min ago" in condition.text
    world.publish(world.slot)
    world.look("candles")
    assert kinds() == ["stale_candles", "stale_candles_ended"]


def test_a_series_that_nobody_uses_any_more_is_not_stale(world):
    world.publish(world.slot - 1)
    world.look("candles")
    Bot.objects.update(status="STOPPED")
    world.look("candles")
    assert kinds() == ["stale_candles", "stale_candles_ended"]


def test_a_candle_is_given_the_time_until_its_first_bot_is_late(world):
    clock = Clock(world.platform.clock.origin_wall_ms, world.slot * INTERVAL * 1000 + 30_000, 1.0)
    guard = Guard(Platform(clock, world.market, world.platform.access))
    world.publish(world.slot - 1)
    guard.candles(clock.now())
    assert kinds() == []


# the exchange


def test_a_ban_is_told_at_once_and_when_it_ends(world):
    told = []
    access = Access(connect_redis(), "access", told.append)
    access.failed(Ticket(Priority.CANDLES, None, 0), "x", Transient("418 banned", retry_after_s=60, banned=True))
    world.look("exchange")
    world.look("exchange")
    assert [notice.trouble for notice in told] == ["banned"]
    assert kinds() == ["exchange_banned"]
    assert Event.objects.get().severity == "CRITICAL"
    world.platform.redis.delete("access:banned")  # as when it is over
    world.look("exchange")
    assert kinds() == ["exchange_banned", "exchange_banned_ended"]


def test_who_meets_a_limit_first_tells_it_however_short_it_is(world):
    access = Access(connect_redis(), "access", teller("simulated", world.platform.clock))
    access.failed(Ticket(Priority.CANDLES, None, 0), "x", Transient("429 Too Many Requests", retry_after_s=1))
    assert kinds() == ["exchange_limited"]
    assert Event.objects.get().text == "Told to wait 1 s: 429 Too Many Requests"


def test_a_database_that_is_away_keeps_nobody_from_heeding_a_ban(world):
    def away(*_):
        raise OperationalError("database is locked")

    access = Access(connect_redis(), "access", teller("simulated", world.platform.clock))
    with connection.execute_wrapper(away), structlog.testing.capture_logs() as logs:
        access.failed(Ticket(Priority.CANDLES, None, 0), "x", Transient("418 banned", retry_after_s=60, banned=True))
    assert [entry["event"] for entry in logs] == ["exchange_trouble", "trouble_not_told"]
    world.look("exchange")
    assert kinds() == ["exchange_banned"]


def test_a_clock_that_is_off_is_told_once_and_when_it_is_right(world):
    world.market.ahead_ms = -5_000
    for _ in range(2):
        world.look("clock")
    assert kinds() == ["clock_apart"]
    assert "behind this machine's" in lasting().get().text
    world.market.ahead_ms = 0
    world.platform.redis.delete("market:simulated:clock")
    world.look("clock")
    assert kinds() == ["clock_apart", "clock_apart_ended"]


def test_a_slow_answer_is_no_evidence_that_the_clock_is_right_again(world):
    world.market.ahead_ms = -2_500
    world.look("clock")
    world.platform.redis.set("market:simulated:clock", json.dumps([-2_400, 1_600]))  # measured by a slow question
    world.look("clock")
    assert kinds() == ["clock_apart"]
    world.platform.redis.set("market:simulated:clock", json.dumps([-400, 100]))
    world.look("clock")
    assert kinds() == ["clock_apart", "clock_apart_ended"]


def test_an_exchange_that_does_not_answer_is_no_failure_of_the_guard(world):
    world.market.down = True
    world.look("clock")
    assert kinds() == []


def test_a_guard_that_starts_in_an_outage_tells_of_it(world):
    open_position(world.bot)
    world.platform.redis.flushdb()
    unlisted = FakeMarket({}, down=True)
    unlisted.instruments = world.market.fetch_time  # raises, as an exchange does that was never reached
    world.market.down = True
    guard = Guard(Platform(world.platform.clock, unlisted, world.platform.access))
    guard.prices(world.platform.clock.now())
    assert kinds() == ["stale_prices"]


def test_a_symbol_that_does_not_trade_any_more_is_told_and_not_waited_for(world):
    gone = make_bot(symbol="GONE/USDT")
    world.market.instrument_by_symbol["HALTED/USDT"] = instrument("HALTED/USDT", active=False)
    make_bot(symbol="HALTED/USDT")
    for _ in range(2):
        world.look("prices")
    assert kinds() == ["symbol_not_traded"] * 2
    assert sorted(lasting().values_list("subject", flat=True)) == ["GONE/USDT", "HALTED/USDT"]
    world.market.instrument_by_symbol[gone.symbol] = instrument(gone.symbol)
    world.look("prices")
    assert sorted(kinds()[2:]) == ["stale_prices", "symbol_not_traded_ended"]


def test_a_price_from_the_future_is_none(world):
    open_position(world.bot)
    world.look("prices")
    board = json.loads(world.platform.redis.get("market:simulated:prices"))
    board["BTC/USDT"][1:] = ["140", board["BTC/USDT"][2] + 30 * 86_400_000]
    world.platform.redis.set("market:simulated:prices", json.dumps(board))
    world.look("prices")
    assert Position.objects.get().mark_price == Decimal(100)
    assert kinds() == ["stale_prices"]


def test_one_bad_print_marks_nothing_and_makes_no_peak(world):
    """One print of almost twice the price must not leave a drawdown of a fifth behind."""
    open_position(world.bot)
    world.look("prices")
    peaks = lambda: (BotBook.objects.get().peak_equity, Portfolio.objects.get().peak_equity)  # noqa: E731
    before = peaks()
    world.price("199")
    world.look("prices")
    world.price("100")
    world.look("prices")
    assert Position.objects.get().mark_price == Decimal(100)
    assert peaks() == before


def test_a_rise_that_two_looks_have_seen_makes_a_peak(world):
    open_position(world.bot)
    Position.objects.update(unrealised=Decimal(0))
    before = Portfolio.objects.get().peak_equity
    for price in ("100", "140", "141"):
        world.price(price)
        world.look("prices")
    assert Position.objects.get().mark_price == Decimal(141)
    assert Portfolio.objects.get().peak_equity == before + 82


def test_it_stops_soon_though_the_exchange_is_slow(world, monkeypatch):
    """Thirteen series are late, every answer takes its time, and there is time for all of them."""
    monkeypatch.setattr("tradingplatform.guard.ASKING_S", 60.0)

    def slow(*_):
        asked.append(time.monotonic())
        time.sleep(0.7)
        raise Transient("too slow")

    asked: list[float] = []
    for number in range(13):
        world.market.instrument_by_symbol[f"C{number}/USDT"] = instrument(f"C{number}/USDT")
        make_bot(symbol=f"C{number}/USDT")
    world.market.fetch_candles = slow
    stop = threading.Event()
    guard = threading.Thread(target=lambda: (world.guard.run(stop), connection.close()))
    guard.start()
    until(lambda: len(asked) >= 2, "the guard to ask")
    stop.set()
    guard.join(10)
    assert not guard.is_alive()
    assert len(asked) < 13


def test_a_look_asks_for_a_few_seconds_and_the_next_goes_on_where_it_ended(world, monkeypatch):
    monkeypatch.setattr("tradingplatform.guard.ASKING_S", 0.0)
    world.publish(world.slot - 1)
    world.look("candles")
    assert (kinds(), world.market.requests) == ([], 0)  # what was not asked for is not told
    monkeypatch.setattr("tradingplatform.guard.ASKING_S", 3.0)
    world.look("candles")
    assert kinds() == ["stale_candles"]


def test_what_fails_is_logged_once_and_the_rest_goes_on(world, settings):
    def broken(now):
        raise KeyError("whatever it is")

    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            world.guard._survive(broken)
        broken_and_mended = lambda now: None  # noqa: E731
        broken_and_mended.__name__ = "broken"
        world.guard._survive(broken_and_mended)
    assert [entry["event"] for entry in logs] == ["guard_failed", "guard_works_again"]


# halts, days, and what an account is worth


def test_the_guard_marks_accounts_that_hold_nothing_and_those_whose_prices_agree(world):
    world.look("prices")
    first = Portfolio.objects.get().marked_at
    assert first is not None
    open_position(world.bot)
    world.platform.redis.delete("market:simulated:prices:young")
    world.market.down = True
    world.look("prices")
    world.look("prices")
    Portfolio.objects.update(marked_at=None)
    world.market.down = False
    world.price("200")
    world.look("prices")
    assert Portfolio.objects.get().marked_at is None  # one print that nothing agrees with
    world.price("201")
    world.look("prices")
    assert Portfolio.objects.get().marked_at is None  # more than twice its mark
    world.price("150")
    world.look_twice("prices")
    assert Portfolio.objects.get().marked_at is not None


def test_the_guard_halts_a_bot_between_its_ticks(world):
    open_position(world.bot)
    world.look("days")
    world.look_twice("prices")
    Position.objects.update(quantity=Decimal(200), cost=Decimal(20_000))  # it holds 20,000 by now, of 5,000
    world.price("96")
    world.look_twice("prices")
    causes = set(Halt.objects.values_list("cause", flat=True))
    assert "daily_loss" in causes
    assert "halt_raised" in kinds()


def test_the_guard_writes_down_what_the_clock_ended(world):
    now = world.platform.clock.now()
    halt = raise_in_a_transaction(world.bot, now.market_at)
    world.look("halts")
    halt.refresh_from_db()
    assert halt.cleared_by == "clock"
    assert kinds() == ["halt_raised", "halt_cleared"]


def raise_in_a_transaction(bot: Bot, until) -> Halt:
    with transaction.atomic():
        return raise_halt(bot.account, bot, "daily_loss", "lost", {}, now_at(), until=until)


def test_the_guard_begins_the_day_of_every_bot_though_no_price_comes(world):
    make_bot(world.bot.account)
    world.market.down = True
    world.look("days")
    assert set(BotBook.objects.values_list("day", flat=True)) == {world.platform.clock.now().market_at.date()}
