"""A halt that closes sells what is held, one position after another, whoever dies and comes back meanwhile."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from bots.models import Bot
from execution.models import Order, Position, Purpose
from execution.states import LIVE_POSITION, PositionStatus
from market.clock import Now
from market.exchange import Transient
from market.orders import ReportStatus
from notifications.conditions import lasting
from notifications.models import Event
from proof.actors import OneHand
from risk.exits import ExitReason
from risk.halts import clear_halt, raise_halt
from risk.models import Halt
from tests.execution.test_drive import Exchange
from tests.execution.test_orders_and_money import NOW, buy, check_totals
from tests.factories import instrument, make_account, make_bot
from tests.fakes import filled_at, says
from tradingplatform import kill_switch
from tradingplatform.acting import By

pytestmark = pytest.mark.django_db
ANN = By("ann", NOW, "enough")


@dataclass
class Quiet:
    """A market without prices: what is sold here is sold by a halt."""

    exchange: Exchange
    after_s: float = 0
    speed = 1.0
    clock: object = field(init=False)
    fetcher: object = field(init=False)

    def __post_init__(self):
        self.clock = self.fetcher = self

    def now(self):
        return Now(NOW.wall_ms + round(self.after_s * 1000), NOW.market_ms + round(self.after_s * 1000))

    def prices(self, symbols):
        return {}

    def quote(self, symbol):
        raise Transient("no quotes now")

    def executor(self, account):
        return self.exchange

    def instrument(self, symbol):
        return instrument(symbol)


@pytest.fixture
def exchange():
    return Exchange(at_query=[says(ReportStatus.NEW)])


def holding(exchange, *amounts, account=None):
    """One account whose bots hold so much each."""
    account = account or make_account()
    bots = [make_bot(account) for _ in amounts]
    for bot, amount in zip(bots, amounts, strict=True):
        buy(bot, exchange, amount=amount)
    exchange.sent.clear()
    return bots


def round_of(exchange, after_s=0.0):
    """A reconciler that has just been started looks once."""
    notes = []
    platform = Quiet(exchange, after_s)
    reconciler = OneHand(platform, notes)
    reconciler._begun = True
    reconciler.close_down()
    assert not notes


def held():
    return set(Position.objects.filter(status__in=list(LIVE_POSITION)).values_list("bot_id", flat=True))


def test_the_largest_goes_first_one_a_second_and_every_second_is_a_new_process(exchange):
    small, large, middle = holding(exchange, "0.001", "0.02", "0.01")
    kill_switch.halt_everything(ANN, closes=True)
    left = [held()]
    for second in range(4):
        round_of(exchange, second)
        left.append(held())
    assert left[1:] == [{small.pk, middle.pk}, {small.pk}, set(), set()]
    assert set(Position.objects.values_list("exit_reason", flat=True)) == {ExitReason.OPERATOR}
    assert "sold by a halt of everything" in Position.objects.get(bot=large).exit_text
    assert len(exchange.sells) == 3
    check_totals(large.account)


def test_each_account_sells_at_its_own_pace(exchange):
    ones, twos = holding(exchange, "0.01", "0.01"), holding(exchange, "0.01", "0.01")
    kill_switch.halt_everything(ANN, closes=True)
    round_of(exchange)
    assert len(held() & {bot.pk for bot in ones}) == len(held() & {bot.pk for bot in twos}) == 1


@pytest.mark.parametrize("scope", ["account", "bot"])
def test_nothing_outside_its_scope_is_sold(exchange, scope):
    one, two = holding(exchange, "0.01", "0.02")
    [elsewhere] = holding(exchange, "0.01")
    if scope == "account":
        kill_switch.halt_account(one.account, ANN, closes=True)
    else:
        kill_switch.halt_bot(one, ANN, closes=True)
    for second in range(4):
        round_of(exchange, second)
    assert held() == ({elsewhere.pk} if scope == "account" else {two.pk, elsewhere.pk})


def test_a_halt_that_does_not_close_sells_nothing(exchange):
    holding(exchange, "0.01")
    kill_switch.halt_everything(ANN)
    round_of(exchange)
    assert not exchange.sells


def test_a_halt_that_was_lifted_or_is_over_sells_nothing_more(exchange):
    [bot] = holding(exchange, "0.01")
    halt = kill_switch.halt_everything(ANN, closes=True)
    clear_halt(halt.pk, "ann", "enough was sold", NOW)
    raise_halt(bot.account, None, "x", "over", {}, NOW, until=NOW.market_at + timedelta(seconds=5), closes=True)
    round_of(exchange, 5)
    assert not exchange.sells


def test_the_dead_mans_switch_may_say_it_too(exchange):
    holding(exchange, "0.01", "0.01")
    raise_halt(None, None, "dead_mans_switch", "nobody is there", {}, NOW, closes=True)
    for second in range(2):
        round_of(exchange, second)
    assert held() == set()


def test_one_that_cannot_be_sold_keeps_no_other_waiting(exchange):
    """The largest is refused: it is tried again after a pause, and the others go meanwhile."""
    small, large = holding(exchange, "0.001", "0.02")
    kill_switch.halt_everything(ANN, closes=True)
    exchange.at_market = [says(ReportStatus.REJECTED, "the market is closed"), filled_at("60000")]
    round_of(exchange, 0)
    assert Position.objects.get(bot=large).status == PositionStatus.OPEN
    round_of(exchange, 1)
    assert held() == {large.pk}
    round_of(exchange, 2)
    assert len(exchange.sells) == 2
    round_of(exchange, 10)
    assert held() == set()
    assert small.pk not in held()


def test_one_whose_bot_is_ticking_keeps_no_other_waiting(exchange):
    _, large = holding(exchange, "0.001", "0.02")
    Bot.objects.filter(pk=large.pk).update(lease_token="a tick", lease_until=NOW.wall_at + timedelta(seconds=60))
    kill_switch.halt_everything(ANN, closes=True)
    round_of(exchange)
    assert held() == {large.pk}
    round_of(exchange, 61)
    assert held() == set()


def test_one_that_is_seen_to_all_the_time_has_its_turn(exchange):
    """No stop rests for it, so the reconciler is at it every few seconds."""
    [bot] = holding(exchange, "0.01")
    type(bot.account).objects.update(mode="LIVE")
    exchange.at_stop = [says(ReportStatus.REJECTED, "too many stops")]
    kill_switch.halt_everything(ANN, closes=True)
    notes = []
    reconciler = OneHand(Quiet(exchange), notes)
    reconciler.settle()
    assert len(exchange.stops) == 1
    reconciler.close_down()
    assert held() == set()
    assert not notes


def test_what_opens_later_is_sold_as_well(exchange):
    """An entry that was past the gate when the switch was pulled: it is resolved first."""
    bot = make_bot()
    exchange.at_market = [says(ReportStatus.NEW), filled_at("60000")]
    buy(bot, exchange)
    kill_switch.halt_everything(ANN, closes=True)
    round_of(exchange)
    assert Position.objects.get().status == PositionStatus.OPENING
    assert lasting("closing_down").exists()
    exchange.at_query = [filled_at("60000")]
    platform = Quiet(exchange, 1)
    reconciler = OneHand(platform, [])
    reconciler._begun = True
    reconciler.settle()
    assert Position.objects.get().status == PositionStatus.OPEN
    round_of(exchange, 2)
    assert held() == set()


def test_it_is_told_when_it_begins_and_when_nothing_is_left(exchange):
    holding(exchange, "0.01", "0.02")
    kill_switch.halt_everything(ANN, closes=True)
    for second in range(4):
        round_of(exchange, second)
    told = list(Event.objects.filter(kind__startswith="closing_down").order_by("pk").values_list("kind", "text"))
    assert [kind for kind, _ in told] == ["closing_down", "closing_down_ended"]
    assert told[0][1].startswith("Everything that is held is being sold, one position after another: everything halted")
    assert told[1][1].startswith("Everything that is held was sold: nothing is left")
    assert Halt.objects.get().cleared_at is None


def test_selling_goes_on_although_a_position_was_decided_on_by_a_tick(exchange):
    [bot] = holding(exchange, "0.01")
    kill_switch.halt_everything(ANN, closes=True)
    Position.objects.update(status=PositionStatus.CLOSING, exit_reason=ExitReason.STOP)
    round_of(exchange)
    assert not Order.objects.filter(purpose=Purpose.EXIT).exists()  # whoever carries it out already does
    assert Position.objects.get(bot=bot).exit_reason == ExitReason.STOP


def test_more_than_one_halt_sells_each_position_once(exchange):
    [bot] = holding(exchange, "0.01")
    kill_switch.halt_everything(ANN, closes=True)
    kill_switch.halt_account(bot.account, ANN, closes=True)
    kill_switch.halt_bot(bot, ANN, closes=True)
    for second in range(3):
        round_of(exchange, second)
    assert len(exchange.sells) == 1
    assert Position.objects.get().quantity == Decimal(0)
