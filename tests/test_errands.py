"""What a hand of the reconciler does when a stop was reached, and when an exchange goes on saying no."""

from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace

import pytest

from bots.models import ExchangeAccount, Mode
from execution import chores
from execution.drive import PAUSE
from execution.executors import BaseExecutor
from execution.models import Position
from execution.states import PositionStatus
from market.clock import Clock, Now
from market.exchange import Withheld
from market.orders import ReportStatus
from notifications.models import Event
from risk.exits import review_price
from tests.execution.test_drive import Exchange, opened
from tests.execution.test_orders_and_money import NOW
from tests.factories import instrument
from tests.fakes import filled_at, quote, raises, says
from tradingplatform.errands import take_exit
from tradingplatform.exit_watch import Reached

pytestmark = pytest.mark.django_db

BELOW_ITS_LIMIT = Decimal("58000")


@dataclass
class Platform:
    """The platform as an errand sees it, at a moment that the test sets."""

    exchange: BaseExecutor
    after_s: float = 0
    clock: Clock = field(init=False)
    fetcher: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(quote=lambda symbol: quote(symbol, "1")))

    def __post_init__(self):
        self.clock = SimpleNamespace(now=self.now)

    def now(self):
        ms = round(self.after_s * 1000)
        return Now(NOW.wall_ms + ms, NOW.market_ms + ms)

    def executor(self, account):
        return self.exchange

    def instrument(self, symbol):
        return instrument(symbol)


def live(position: Position) -> Position:
    ExchangeAccount.objects.filter(pk=position.account_id).update(mode=Mode.LIVE)
    return position


def look(platform: Platform, price: Decimal = BELOW_ITS_LIMIT) -> None:
    """One look of the reconciler's, which looks every second."""
    for watched in chores.watched():
        call = review_price(watched.stop_price, watched.target_price, price)
        take_exit(platform, Reached(watched, call, platform.after_s))
    platform.after_s += 1


def test_a_stop_that_was_jumped_is_sold_at_the_market():
    exchange = Exchange(at_query=[says(ReportStatus.NEW)])
    position = live(opened(exchange))
    platform = Platform(exchange)
    look(platform)
    assert not exchange.canceled  # one look may have been a bad print
    look(platform)
    look(platform)
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED


def test_a_stop_within_its_limit_has_its_time_to_sell():
    exchange = Exchange(at_query=[says(ReportStatus.NEW)])
    position = live(opened(exchange))
    platform, within = Platform(exchange), Decimal("58500")
    for _ in range(5):
        look(platform, within)
    assert not exchange.canceled
    look(platform, within)
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED


def test_without_a_stop_the_first_look_sells():
    exchange = Exchange(at_stop=[says(ReportStatus.REJECTED, "too many")])
    position = live(opened(exchange))
    look(Platform(exchange))
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED


def test_a_sale_that_the_exchange_refuses_is_not_tried_again_every_second():
    exchange = Exchange()
    live(opened(exchange))
    exchange.at_market = exchange.at_stop = [says(ReportStatus.REJECTED, "the market is closed")]
    platform = Platform(exchange)
    for _ in range(60):
        look(platform)
    assert 2 <= len(exchange.sells) <= 60 / PAUSE.total_seconds()
    assert Event.objects.filter(kind="exit_failed").count() == len(exchange.sells)


def test_a_sale_that_was_refused_is_tried_again_after_the_pause():
    exchange = Exchange()
    position = live(opened(exchange))
    exchange.at_market = [says(ReportStatus.REJECTED, "the market is closed"), filled_at("58000")]
    platform = Platform(exchange, after_s=2)
    look(platform)
    platform.after_s = PAUSE.total_seconds() + 3
    look(platform)
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED
    assert len(exchange.sells) == 2


def test_what_is_being_closed_and_has_no_closing_order_is_unprotected_too():
    exchange = Exchange(at_market=[filled_at("60000"), raises(Withheld("a ban", 3600))])
    position = live(opened(exchange))
    assert chores.unprotected() == []
    look(Platform(exchange, after_s=2))
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSING
    assert [chore.position_id for chore in chores.unprotected()] == [position.pk]
