"""Between ticks: which prices take a position's stop or target, on paper and live, and which single print does not."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from bots.models import ExchangeAccount, Mode
from execution import chores
from execution.drive import drive
from execution.models import Position
from execution.states import PositionStatus
from market.exchange import Transient
from market.fetcher import Price
from market.orders import ReportStatus
from risk.exits import ExitReason
from tests.execution.test_drive import Exchange
from tests.execution.test_orders_and_money import NOW, buy
from tests.factories import make_bot
from tests.fakes import ScriptedExecutor, filled_at, quote, says
from tests.test_closing import Quiet
from tradingplatform import exit_watch
from tradingplatform.errands import take_exit
from tradingplatform.exit_watch import ExitWatch
from tradingplatform.means import means_of

pytestmark = pytest.mark.django_db


@dataclass
class Market(Quiet):
    """A market whose prints the test makes; each is of its own moment unless it is frozen."""

    price: str = "60000"
    frozen_at_ms: int | None = None
    watch: ExitWatch = field(default_factory=ExitWatch)

    def prices(self, symbols):
        at_ms = self.now().market_ms if self.frozen_at_ms is None else self.frozen_at_ms
        return {symbol: Price(Decimal(self.price), at_ms) for symbol in symbols}

    def quote(self, symbol):
        return quote(symbol, self.price)


@pytest.fixture
def wall(monkeypatch):
    """The monotonic clock that the watch reads, moved by ``look``."""
    clock = {"s": 1000.0}
    monkeypatch.setattr(exit_watch.time, "monotonic", lambda: clock["s"])
    return clock


def entered(exchange, mode=Mode.PAPER, **levels):
    """A bot holds 0.01 bought at 60,000, with its stop at 58,800."""
    bot = make_bot()
    buy(bot, exchange, **levels)
    ExchangeAccount.objects.filter(pk=bot.account_id).update(mode=mode)
    return Position.objects.get()


def look(market, wall, price, after_s=1.0):
    market.price = price
    for reached in market.watch.look(market, chores.watched()):
        take_exit(market, reached)
    market.after_s += after_s
    wall["s"] += after_s
    return PositionStatus(Position.objects.get().status)


def paper():
    return ScriptedExecutor(filled_at("58500"))


def test_a_paper_stop_is_taken_at_the_first_print_that_agrees_with_the_mark(wall):
    exchange = paper()
    entered(exchange)
    market = Market(exchange)
    assert look(market, wall, "58800.01") == PositionStatus.OPEN
    assert look(market, wall, "58800") == PositionStatus.CLOSED
    position = Position.objects.get()
    assert position.exit_reason == ExitReason.STOP
    assert "stop reached at 58800; no stop rests: sold at the market" in position.exit_text


def test_one_print_far_from_the_mark_sells_nothing_and_the_next_that_says_the_same_does(wall):
    exchange = paper()
    entered(exchange)
    market = Market(exchange)
    assert look(market, wall, "30000") == PositionStatus.OPEN
    assert look(market, wall, "60000") == PositionStatus.OPEN  # it was a bad print
    assert [look(market, wall, "50000") for _ in range(3)] == ["OPEN", "OPEN", "CLOSED"]


def test_the_same_print_seen_again_confirms_nothing(wall):
    exchange = paper()
    entered(exchange)
    market = Market(exchange, frozen_at_ms=NOW.market_ms)
    assert {look(market, wall, "30000") for _ in range(10)} == {PositionStatus.OPEN}


def test_an_old_print_is_none(wall):
    exchange = paper()
    entered(exchange)
    market = Market(exchange, after_s=16, frozen_at_ms=NOW.market_ms)
    assert look(market, wall, "58800") == PositionStatus.OPEN


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
def test_a_target_is_taken_on_paper_and_live_alike(wall, mode):
    exchange = Exchange(at_market=[filled_at("60000")], at_query=[says(ReportStatus.NEW)])
    entered(exchange, mode, target_price=Decimal(61200))
    market = Market(exchange)
    assert look(market, wall, "61199.99") == PositionStatus.OPEN
    assert look(market, wall, "61200") == PositionStatus.CLOSED
    assert Position.objects.get().exit_reason == ExitReason.TARGET
    assert len(exchange.sells) == 1


def test_one_spike_takes_no_target(wall):
    exchange = paper()
    entered(exchange, target_price=Decimal(61200))
    market = Market(exchange)
    assert look(market, wall, "90000") == PositionStatus.OPEN
    assert look(market, wall, "60000") == PositionStatus.OPEN


def test_a_live_stop_that_rests_keeps_its_moment(wall):
    exchange = Exchange(at_query=[says(ReportStatus.NEW)])
    entered(exchange, Mode.LIVE)
    market = Market(exchange)
    account = ExchangeAccount.objects.get()
    drive(Position.objects.get().pk, means_of(market, account, "BTC/USDT"))
    assert len(exchange.stops) == 1
    seen = [look(market, wall, "58500") for _ in range(6)]
    assert seen == ["OPEN"] * 5 + ["CLOSED"]
    assert exchange.canceled


def test_a_sale_on_paper_waits_for_a_quote(wall):
    exchange = paper()
    exchange.fills_at_quotes = True
    entered(exchange)
    market = Market(exchange)
    market.quote = _silent
    assert look(market, wall, "58500") == PositionStatus.OPEN
    assert len(exchange.sent) == 1
    del market.quote
    assert look(market, wall, "58500") == PositionStatus.CLOSED


def _silent(symbol):
    raise Transient("no quotes now")
