"""A paper stop is taken within a second or two of its price, whatever the bot's timeframe: on the simulated exchange's
own prices, by the reconciler as it runs."""

from datetime import timedelta
from decimal import Decimal

import pytest
import redis

from bots.lifecycle import claim_tick
from bots.models import ExchangeAccount
from execution.drive import drive
from execution.models import Order, Position, Purpose
from execution.portfolio import Pricing
from execution.states import PositionStatus
from execution.submit import enter
from market.clock_offset import Offset
from notifications.models import Event
from proof.actors import OneHand
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.verdicts import Approved
from tests.execution.test_orders_and_money import check_totals, proposal
from tests.factories import make_account, make_bot
from tests.redis_server import redis_url  # noqa: F401  (a fixture)
from tradingplatform.guard import Guard
from tradingplatform.means import means_of
from tradingplatform.wiring import Platform

pytestmark = pytest.mark.django_db
FOUR_HOURS = 14_400


@pytest.fixture
def platform(venue, redis_url, settings):  # noqa: F811
    settings.REDIS_URL = redis_url
    redis.Redis.from_url(redis_url).flushdb()
    return Platform(venue.clock, venue.exchange, venue.access)


@pytest.fixture
def position(venue, platform):
    """A bot on 4-hour candles holds something on paper, bought at the exchange's quote; its slot was ticked."""
    account = make_account(now=venue.now())
    ExchangeAccount.objects.filter(pk=account.pk).update(exchange=venue.exchange.id)
    account.refresh_from_db()
    bot = make_bot(account, timeframe="4h")
    assert claim_tick(bot.pk, venue.now().market_ms // (FOUR_HOURS * 1000), venue.now())
    type(bot).objects.update(lease_until=None, lease_token="")
    quote = platform.fetcher.quote("BTC/USDT")
    bot.refresh_from_db()
    wish = proposal(bot, amount="0.01", price=str(quote.ask * Decimal("1.01")), slot=bot.last_slot)
    means = means_of(platform, account, "BTC/USDT")
    verdict = enter(bot, wish, _pricing(platform, quote), Grounds(bot.last_slot), means.executor, platform.clock.now)
    assert isinstance(verdict, Approved), verdict
    held = Position.objects.get()
    assert drive(held.pk, means) == PositionStatus.OPEN
    return held


def _pricing(platform, quote):
    return Pricing(
        instrument=platform.instrument("BTC/USDT"),
        trusted_price=quote.last,
        quote=quote,
        clock=Offset(0, 0),
        stale_after_ms=10_000,
    )


def reconciler_of(platform):
    notes = []
    reconciler = OneHand(platform, notes)
    reconciler._begun = True
    return reconciler, notes


def test_a_stop_that_was_not_reached_is_left_alone(platform, position):
    reconciler, notes = reconciler_of(platform)
    for _ in range(2):
        reconciler.round()
    assert not notes
    assert Position.objects.get().status == PositionStatus.OPEN


def test_a_stop_is_sold_at_the_quote_between_two_ticks(venue, platform, position):
    Position.objects.update(stop_price=venue.near("1.02"), mark_price=venue.last())  # as if the price had come down
    reconciler, notes = reconciler_of(platform)
    reconciler.round()
    assert not notes
    position.refresh_from_db()
    assert (position.status, position.exit_reason) == (PositionStatus.CLOSED, ExitReason.STOP)
    assert Order.objects.filter(purpose=Purpose.EXIT).count() == 1
    assert Event.objects.filter(kind="position_closed").count() == 1
    check_totals(position.account)


def test_a_target_is_sold_between_two_ticks(venue, platform, position):
    Position.objects.update(target_price=venue.near("0.98"), mark_price=venue.last())
    reconciler_of(platform)[0].round()
    assert Position.objects.get().exit_reason == ExitReason.TARGET
    assert Position.objects.get().status == PositionStatus.CLOSED


def test_a_bot_that_ticks_is_left_to_its_tick(venue, platform, position):
    Position.objects.update(stop_price=venue.near("1.02"), mark_price=venue.last())
    until = platform.clock.now().wall_at + timedelta(seconds=60)
    type(position.bot).objects.update(lease_token="a tick", lease_until=until)
    reconciler, _ = reconciler_of(platform)
    reconciler.round()
    assert Position.objects.get().status == PositionStatus.OPEN
    type(position.bot).objects.update(lease_token="", lease_until=None)
    reconciler.round()
    assert Position.objects.get().status == PositionStatus.CLOSED


def test_the_guard_values_it_at_the_exchanges_prices(venue, platform, position):
    guard = Guard(platform)
    for _ in range(2):
        guard.prices(platform.clock.now())
        platform.redis.delete(f"market:{venue.exchange.id}:prices:young")
    held = Position.objects.get()
    assert held.account.portfolio.marked_at is not None
    assert abs(held.mark_price / venue.last() - 1) < Decimal("0.01")
