"""Our books against the exchange's: what is found, what is told, and what is left alone."""

from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import pytest

from bots.models import Bot, BotStatus, Mode
from execution import clean
from execution.clean import CLEAN_FOR, why_not_clean
from execution.drive import drive
from execution.live import LiveTrader
from execution.models import AssetBalance, Order, Position, Reconciliation
from execution.reconcile import look_for_fills, reconcile_account
from execution.states import LIVE_POSITION, OrderStatus, PositionStatus
from execution.submit import Means, enter
from market.clock import Now
from market.exchange import Balance, Rejected, Transient
from market.orders import Fill, OrderType, ReportStatus, Side, VenueOrder
from notifications.models import Event
from risk.decisions import Grounds
from risk.halts import clear_halt
from risk.models import Halt
from risk.verdicts import Approved
from tests.execution.test_orders_and_money import NOW, pricing, proposal
from tests.factories import SLOT_0, instrument, make_account, make_bot
from tests.fakes import quote

pytestmark = pytest.mark.django_db

D = Decimal


@dataclass
class Desk:
    """One account at an exchange in memory: market orders fill at 60,000 with a fee of 0.1 % in base, stops rest."""

    usdt: Decimal = field(default_factory=lambda: D(100_000))
    btc: Decimal = field(default_factory=lambda: D(0))
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    down: bool = False
    delisted: set[str] = field(default_factory=set)
    between_looks: list = field(default_factory=list)

    def place(self, request):
        status, fills = ReportStatus.NEW, ()
        if request.type is OrderType.MARKET:
            fee = request.amount / 1000 if request.side is Side.BUY else D(0)
            number = f"t{len(self.orders)}"
            fills = (Fill(number, D(60_000), request.amount, fee, "BTC", NOW.market_at),)
            sign = 1 if request.side is Side.BUY else -1
            self.btc += sign * request.amount - fee
            self.usdt -= sign * request.amount * 60_000
            status = ReportStatus.FILLED
        order = VenueOrder(
            request.symbol,
            request.client_order_id,
            f"x{len(self.orders)}",
            request.side,
            status,
            request.amount,
            sum((fill.amount for fill in fills), D(0)),
            fills,
        )
        self.orders[request.client_order_id] = order
        return order

    def find(self, symbol, name):
        self._answer()
        return self.orders.get(name)

    def fills(self, symbol, number):
        return next(order.fills for order in self.orders.values() if order.exchange_order_id == number)

    def open_orders(self):
        self._answer()
        return [order for order in self.orders.values() if order.status in (ReportStatus.NEW, ReportStatus.PARTIAL)]

    def latest_orders(self, symbol):
        if symbol in self.delisted:
            raise Rejected(f"no spot symbol {symbol}", code="-1121")
        return [order for order in self.orders.values() if order.symbol == symbol]

    def balances(self):
        self._answer()
        found = {"USDT": Balance(self.usdt, D(0)), "BTC": Balance(self.btc, D(0))}
        if self.between_looks:
            self.between_looks.pop(0)()
        return found

    def _answer(self):
        if self.down:
            raise Transient("the exchange is down")

    def end(self, name, status):
        """An order ends without our doing."""
        was = self.orders[name]
        fills = ()
        if status is ReportStatus.FILLED:
            fills = (Fill("s1", D(58_800), was.amount, D(0), "USDT", NOW.market_at),)
            self.btc -= was.amount
            self.usdt += was.amount * 58_800
        filled = was.amount if fills else D(0)
        self.orders[name] = VenueOrder(
            was.symbol, name, was.exchange_order_id, was.side, status, was.amount, filled, fills
        )


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def account(settings):
    settings.LIVE_TRADING = True
    account = make_account()
    account.mode = Mode.LIVE
    account.save()
    for asset, amount in (("USDT", "100000"), ("BTC", "0")):
        AssetBalance.objects.update_or_create(account=account, asset=asset, defaults={"amount": D(amount)})
    return account


@pytest.fixture
def bot(account):
    return make_bot(account, live=True)


def means(desk) -> Means:
    return Means(LiveTrader(desk, lambda symbol: quote(symbol, "1")), lambda: NOW, instrument(), lambda: D(60_000))


def reconcile(account, desk, wait=lambda: None) -> str:
    return reconcile_account(account, desk, lambda _: means(desk), lambda: NOW, wait)


def opened(bot, desk) -> Position:
    assert isinstance(try_to_enter(bot, desk), Approved)
    position = Position.objects.get(bot=bot, status__in=list(LIVE_POSITION))
    drive(position.pk, means(desk))
    return position


def try_to_enter(bot, desk, slot=SLOT_0):
    return enter(bot, proposal(bot, slot=slot), pricing(), Grounds(slot), means(desk).executor, lambda: NOW)


def test_nothing_enters_before_the_first_clean_comparison(account, bot, desk):
    clean.begin(account, NOW)
    verdict = try_to_enter(bot, desk)
    assert verdict.check == "halts"
    assert "has not been reconciled" in verdict.reason
    assert reconcile(account, desk) == ""
    assert Event.objects.filter(kind="reconciled").count() == 1
    assert isinstance(try_to_enter(bot, desk, SLOT_0 + 1), Approved)


def test_a_clean_comparison_does_not_hold_for_ever(account, desk):
    reconcile(account, desk)
    later = Now(NOW.wall_ms + round(CLEAN_FOR.total_seconds() * 1000) + 1, NOW.market_ms)
    assert why_not_clean(account, NOW) == ""
    assert "last found clean 3 min ago" in why_not_clean(account, later)
    set_back = Now(NOW.wall_ms - 3_600_000, NOW.market_ms)
    assert why_not_clean(account, set_back)
    assert why_not_clean(account, Now(NOW.wall_ms - 1000, NOW.market_ms)) == ""  # a tick that read its clock before


def test_a_paper_account_needs_no_comparing():
    assert why_not_clean(make_account(), NOW) == ""


def test_an_account_with_a_position_and_its_stop_is_clean_again_and_again(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    assert [reconcile(account, desk) for _ in range(3)] == ["", "", ""]
    assert not Halt.objects.exists()


def test_an_exchange_that_does_not_answer_proves_nothing(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    desk.down = True
    with pytest.raises(Transient):
        reconcile(account, desk)
    assert not Halt.objects.exists()
    assert Order.objects.get(purpose="STOP").status == OrderStatus.ACKED


@pytest.mark.parametrize(
    ("status", "position_status", "stops"),
    [(ReportStatus.CANCELED, PositionStatus.OPEN, 2), (ReportStatus.FILLED, PositionStatus.CLOSED, 1)],
)
def test_a_stop_that_ended_unseen_is_found_and_followed(account, bot, desk, status, position_status, stops):
    reconcile(account, desk)
    position = opened(bot, desk)
    desk.end(Order.objects.get(purpose="STOP").client_order_id, status)
    assert reconcile(account, desk) == ""
    drive(position.pk, means(desk))
    assert Position.objects.get(pk=position.pk).status == position_status
    assert Order.objects.filter(purpose="STOP").count() == stops


def test_a_quick_look_finds_what_the_exchange_sold_and_asks_about_nothing_twice(account, bot, desk):
    reconcile(account, desk)
    position = opened(bot, desk)
    look = partial(look_for_fills, account, desk, lambda _: means(desk))
    assert look([]) == []
    desk.end(Order.objects.get(purpose="STOP").client_order_id, ReportStatus.FILLED)
    found = look([])
    assert [drifted.asset for drifted in found] == ["BTC", "USDT"]
    drive(position.pk, means(desk))
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED
    assert look(found) == []


def test_a_quick_look_asks_again_about_what_was_not_answered(account, bot, desk, monkeypatch):
    reconcile(account, desk)
    position = opened(bot, desk)
    look = partial(look_for_fills, account, desk, lambda _: means(desk))
    desk.end(Order.objects.get(purpose="STOP").client_order_id, ReportStatus.FILLED)
    with monkeypatch.context() as silent:
        silent.setattr(Desk, "find", lambda *_: (_ for _ in ()).throw(Transient("no answer")))
        found = look([])
    assert found == []
    assert [drifted.asset for drifted in look(found)] == ["BTC", "USDT"]
    drive(position.pk, means(desk))
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSED


def test_a_quick_look_concludes_nothing_of_what_nobody_can_explain(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    desk.btc += 1
    asked = []
    look = partial(look_for_fills, account, desk, lambda symbol: asked.append(symbol) or means(desk))
    found = look([])
    assert look(found) == found
    assert asked == ["BTC/USDT"]  # once
    assert not Halt.objects.exists()
    assert Order.objects.get(purpose="STOP").status == OrderStatus.ACKED


def test_an_open_order_of_ours_that_the_books_lack_halts_its_bot_only(account, bot, desk):
    other = make_bot(account, live=True)
    reconcile(account, desk)
    name = f"{account.order_prefix}-{bot.pk}-7-s1"
    desk.orders[name] = VenueOrder("BTC/USDT", name, "x9", Side.SELL, ReportStatus.NEW, D("0.1"), D(0))
    desk.orders["by-hand"] = VenueOrder("BTC/USDT", "by-hand", "x8", Side.SELL, ReportStatus.NEW, D("0.1"), D(0))
    assert name in reconcile(account, desk)
    assert Halt.objects.get().bot == bot
    assert Bot.objects.get(pk=bot.pk).status == BotStatus.HALTED
    assert Bot.objects.get(pk=other.pk).status == BotStatus.RUNNING
    reconcile(account, desk)
    assert Halt.objects.count() == 1  # told once
    assert desk.orders[name].status is ReportStatus.NEW  # and left alone


def test_the_order_of_a_bot_that_is_not_known_halts_the_account(account, bot, desk):
    name = f"{account.order_prefix}-4711-7-e"
    desk.orders[name] = VenueOrder("BTC/USDT", name, "x9", Side.BUY, ReportStatus.NEW, D("0.1"), D(0))
    reconcile(account, desk)
    assert Halt.objects.get().bot is None


def test_books_restored_from_a_backup_miss_what_was_filled_since(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    rows = Order.objects.filter(bot=bot)
    names = list(rows.values_list("client_order_id", flat=True))
    restore_backup(account)
    clean.begin(account, NOW)
    found = reconcile(account, desk)
    assert all(name in found for name in names)
    assert "balances" in found
    assert set(Halt.objects.values_list("cause", flat=True)) == {"unknown_order", "balance_drift"}
    assert "has not been reconciled" in why_not_clean(account, NOW)


def test_a_symbol_that_was_traded_once_and_is_not_listed_any_more_keeps_nobody_from_entering(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    make_bot(account, live=True, symbol="OLD/USDT")
    desk.delisted = {"OLD/USDT"}
    clean.begin(account, Now(NOW.wall_ms + 1, NOW.market_ms + 1))
    assert reconcile(account, desk) == ""
    assert why_not_clean(account, NOW) == ""


def restore_backup(account):
    """The database as it was before anything was traded."""
    for rows in (account.trades, account.orders, account.positions):
        rows.all().delete()
    AssetBalance.objects.filter(asset="USDT").update(amount=D(100_000))
    AssetBalance.objects.filter(asset="BTC").update(amount=D(0))


@pytest.mark.parametrize(("asset", "change"), [("btc", "-0.004"), ("btc", "0.00000001"), ("usdt", "-1")])
def test_a_balance_that_nobody_can_explain_halts_the_account(account, bot, desk, asset, change):
    reconcile(account, desk)
    position = opened(bot, desk)
    setattr(desk, asset, getattr(desk, asset) + D(change))
    assert "do not agree" in reconcile(account, desk)
    halt = Halt.objects.get()
    assert (halt.cause, halt.bot) == ("balance_drift", None)
    assert drive(position.pk, means(desk)) is PositionStatus.OPEN  # what is held is managed on
    setattr(desk, asset, getattr(desk, asset) - D(change))
    clear_halt(halt.pk, "somebody", "found it", NOW)
    assert reconcile(account, desk) == ""
    assert not Halt.objects.filter(cleared_at=None).exists()


def test_balances_that_somebody_else_keeps_changing_are_a_difference_too(account, bot, desk):
    reconcile(account, desk)
    clean_at = Reconciliation.objects.get().clean_at

    def drains():
        desk.usdt -= 10

    drains()
    later = Now(NOW.wall_ms + 60_000, NOW.market_ms + 60_000)
    found = reconcile_account(account, desk, lambda _: means(desk), lambda: later, drains)
    assert "do not agree" in found
    assert Reconciliation.objects.get().clean_at == clean_at
    assert Halt.objects.get().cause == "balance_drift"


def test_a_stop_that_fills_between_two_looks_is_no_drift(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    stop = Order.objects.get(purpose="STOP").client_order_id
    desk.end(stop, ReportStatus.FILLED)
    listed = desk.orders[stop]
    desk.orders[stop] = VenueOrder(
        listed.symbol, stop, listed.exchange_order_id, listed.side, ReportStatus.NEW, listed.amount, D(0)
    )
    desk.between_looks = [lambda: desk.orders.update({stop: listed})]
    assert reconcile(account, desk) == ""
    assert Order.objects.get(purpose="STOP").status == OrderStatus.FILLED


def test_an_order_that_was_filled_after_it_had_ended_in_our_books_is_named(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    stop = Order.objects.get(purpose="STOP")
    Order.objects.filter(pk=stop.pk).update(status=OrderStatus.ABSENT)
    desk.end(stop.client_order_id, ReportStatus.FILLED)
    found = reconcile(account, desk)
    assert f"{stop.client_order_id} " in found
    assert "is ABSENT there" in found
    assert set(Halt.objects.values_list("cause", flat=True)) == {"unknown_order", "balance_drift"}


def test_what_is_on_its_way_is_no_drift(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    Order.objects.filter(purpose="STOP").update(status=OrderStatus.UNKNOWN)
    desk.btc -= D("0.004")
    assert reconcile(account, desk) == ""
    assert not Halt.objects.exists()


def test_what_is_not_settled_keeps_a_start_from_being_clean_but_not_a_running_platform(account, bot, desk):
    reconcile(account, desk)
    opened(bot, desk)
    Order.objects.filter(purpose="STOP").update(status=OrderStatus.UNKNOWN)
    assert reconcile(account, desk) == ""
    clean.begin(account, NOW)
    assert reconcile(account, desk) == clean.UNSETTLED
    assert clean.is_unsettled(account)
