"""A live position from its entry to its end: its stop, its exit, and whatever comes in between."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution.drive import LONGEST_PAUSE, MANY, PAUSE, ask, drive, leave
from execution.executors import BaseExecutor
from execution.models import Order, Position, Purpose
from execution.record import LostRace
from execution.states import LIVE_POSITION, OrderStatus, PositionStatus
from execution.submit import Exit, Means, enter
from market.clock import Now
from market.exchange import OutcomeUnknown, Transient, Withheld
from market.orders import Fill, OrderReport, OrderRequest, OrderType, ReportStatus
from notifications.models import Event
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.halts import raise_halt
from risk.models import DeadMansSwitch, Halt
from tests.execution.test_orders_and_money import NOW, check_totals, pricing, proposal
from tests.factories import SLOT_0, instrument, make_bot
from tests.fakes import Answer, filled_at, raises, says

pytestmark = pytest.mark.django_db

BTC = instrument()


@dataclass
class Exchange(BaseExecutor):
    """An exchange in memory that holds stops. ``at_market`` and ``at_cancel`` are its next answers, the last one for
    ever; a stop is accepted unless ``at_stop`` says otherwise."""

    at_market: list[Answer] = field(default_factory=lambda: [filled_at("60000")])
    at_stop: list[Answer] = field(default_factory=lambda: [says(ReportStatus.NEW)])
    at_cancel: list[Answer] = field(default_factory=lambda: [says(ReportStatus.CANCELED)])
    at_query: list[Answer] = field(default_factory=lambda: [raises(Transient("no answer"))])
    sent: list[OrderRequest] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)

    holds_stops = True

    def submit(self, request, now):
        self.sent.append(request)
        report = _next(self.at_stop if request.type is OrderType.STOP_LOSS_LIMIT else self.at_market)(request, now)
        return _named(report)

    def query(self, request, sent, now):
        return _named(_next(self.at_query)(request, now))

    def cancel(self, request, now):
        self.canceled.append(request.client_order_id)
        return _named(_next(self.at_cancel)(request, now))

    @property
    def stops(self):
        return [request for request in self.sent if request.type is OrderType.STOP_LOSS_LIMIT]

    @property
    def sells(self):
        return [request for request in self.sent if request.side == "SELL" and request.type is OrderType.MARKET]


def _next(answers: list[Answer]) -> Answer:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def _named(report: OrderReport) -> OrderReport:
    number = "" if report.status is ReportStatus.REJECTED else "x1"
    return OrderReport(report.client_order_id, report.status, number, report.fills, report.reason, report.code)


def part(amount: str, status: ReportStatus, price: str = "59000") -> Answer:
    """An answer with one fill of so much."""

    def answer(request: OrderRequest, now: Now) -> OrderReport:
        fill = Fill(f"{request.client_order_id}.p", Decimal(price), Decimal(amount), Decimal(0), "USDT", now.market_at)
        return OrderReport(request.client_order_id, status, "x1", (fill,))

    return answer


def means(exchange: Exchange, after_s: float = 0, of=BTC) -> Means:
    now = Now(NOW.wall_ms + round(after_s * 1000), NOW.market_ms + round(after_s * 1000))
    return Means(exchange, lambda: now, of, lambda: Decimal(60000))


def opened(exchange: Exchange) -> Position:
    """A bot's position of 0.01, entered at the exchange and seen to."""
    bot = make_bot()
    enter(bot, proposal(bot), pricing(), Grounds(SLOT_0), exchange, lambda: NOW)
    position = Position.objects.get(bot=bot, status__in=list(LIVE_POSITION))
    drive(position.pk, means(exchange))
    position.refresh_from_db()
    return position


def close(position: Position, exchange: Exchange, after_s: float = 0) -> PositionStatus:
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(60500))
    return leave(position, wish, None, means(exchange, after_s))


def stop_of(position: Position) -> Order:
    return position.orders.filter(purpose=Purpose.STOP).order_by("-id").first()


def test_an_opened_position_is_protected_at_once_by_all_it_holds():
    exchange = Exchange()
    position = opened(exchange)
    (stop,) = exchange.stops
    assert (stop.amount, stop.stop_price) == (position.quantity, Decimal("58800"))
    assert stop.price == Decimal("58212.00")  # one per cent below
    assert stop_of(position).status == OrderStatus.ACKED
    drive(position.pk, means(exchange))
    assert len(exchange.stops) == 1


def test_an_exit_ends_the_stop_first_and_then_sells_all():
    exchange = Exchange()
    position = opened(exchange)
    assert close(position, exchange) is PositionStatus.CLOSED
    assert exchange.canceled == [exchange.stops[0].client_order_id]
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.01")]
    check_totals(position.account)


def test_a_stop_that_sold_while_it_was_ended_leaves_nothing_to_sell():
    exchange = Exchange(at_cancel=[part("0.01", ReportStatus.FILLED)])
    position = opened(exchange)
    assert close(position, exchange) is PositionStatus.CLOSED
    assert not exchange.sells
    position.refresh_from_db()
    assert position.exit_reason == ExitReason.STOP
    check_totals(position.account)


def test_what_a_stop_sold_before_it_ended_is_not_sold_again():
    exchange = Exchange(at_cancel=[part("0.004", ReportStatus.CANCELED)])
    position = opened(exchange)
    assert close(position, exchange) is PositionStatus.CLOSED
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.006")]
    check_totals(position.account)


def test_while_the_stop_is_not_known_to_have_ended_nothing_else_is_sent():
    exchange = Exchange(at_cancel=[raises(Transient("down")), says(ReportStatus.CANCELED)])
    position = opened(exchange)
    assert close(position, exchange) is PositionStatus.CLOSING
    assert not exchange.sells
    assert drive(position.pk, means(exchange, 1)) is PositionStatus.CLOSED
    assert len(exchange.sells) == 1


def test_a_stop_that_vanished_is_placed_anew_under_another_name():
    exchange = Exchange()
    position = opened(exchange)
    exchange.at_query = [says(ReportStatus.CANCELED)]
    ask(stop_of(position), means(exchange))
    drive(position.pk, means(exchange))
    first, second = exchange.stops
    assert first.client_order_id != second.client_order_id
    assert stop_of(position).status == OrderStatus.ACKED


def test_a_stop_that_is_refused_for_hours_is_not_tried_every_half_minute():
    exchange = Exchange(at_stop=[says(ReportStatus.REJECTED, "MAX_NUM_ALGO_ORDERS")])
    position = opened(exchange)
    for second in range(0, 7200, 30):
        drive(position.pk, means(exchange, second))
    assert MANY < len(exchange.stops) < MANY + 7200 / LONGEST_PAUSE.total_seconds() + 2


def test_a_stop_rests_on_while_the_rules_of_its_symbol_are_not_known():
    fee = lambda request, now: replace(  # noqa: E731 - what is held is not on the lot step
        filled_at("60000")(request, now),
        fills=(Fill("f1", Decimal(60000), request.amount, Decimal("0.000003"), "BTC", now.market_at),),
    )
    exchange = Exchange(at_market=[fee])
    position = opened(exchange)
    assert drive(position.pk, replace(means(exchange), instrument=None)) is PositionStatus.OPEN
    assert not exchange.canceled
    assert stop_of(position).status == OrderStatus.ACKED


@pytest.mark.parametrize("answer", [says(ReportStatus.REJECTED, "too many algo orders"), raises(Withheld("budget", 1))])
def test_a_stop_that_cannot_be_placed_is_tried_again_after_a_pause(answer):
    exchange = Exchange(at_stop=[answer])
    position = opened(exchange)
    drive(position.pk, means(exchange, 1))
    assert len(exchange.stops) == 1
    drive(position.pk, means(exchange, PAUSE.total_seconds()))
    assert len(exchange.stops) == 2
    assert Position.objects.get(pk=position.pk).status == PositionStatus.OPEN


@pytest.mark.parametrize("said", [ReportStatus.NEW, ReportStatus.PARTIAL])
def test_an_answer_that_others_overtook_changes_nothing(said):
    """The comparison of the account asks without the bot's lease, while its tick ends the stop."""
    exchange = Exchange(at_cancel=[part("0.004", ReportStatus.CANCELED)])
    position = opened(exchange)

    def overtaken(request, now):
        known = part("0.004", said)(request, now) if said is ReportStatus.PARTIAL else says(said)(request, now)
        close(position, exchange)
        return known

    exchange.at_query = [overtaken]
    assert ask(stop_of(position), means(exchange))
    assert stop_of(position).status == OrderStatus.CANCELED
    check_totals(position.account)


def test_a_stop_of_unknown_fate_is_never_doubled():
    exchange = Exchange(at_stop=[raises(OutcomeUnknown("timeout"))])
    position = opened(exchange)
    drive(position.pk, means(exchange, 60))
    assert close(position, exchange, 61) is PositionStatus.CLOSING
    assert len(exchange.stops) == 1
    assert not exchange.sells
    exchange.at_query = [says(ReportStatus.NEW)]  # it had arrived
    assert drive(position.pk, means(exchange, 62)) is PositionStatus.CLOSED
    assert exchange.canceled == [exchange.stops[0].client_order_id]


def test_an_entry_that_is_filled_in_parts_is_protected_part_by_part():
    exchange = Exchange(at_market=[part("0.004", ReportStatus.PARTIAL, "60000")])
    exchange.at_query = [part("0.004", ReportStatus.PARTIAL, "60000"), filled_in_two, says(ReportStatus.CANCELED)]
    position = opened(exchange)
    assert position.status == PositionStatus.OPEN
    assert [stop.amount for stop in exchange.stops] == [Decimal("0.004")]
    drive(position.pk, means(exchange, 1))
    assert [stop.amount for stop in exchange.stops] == [Decimal("0.004"), Decimal("0.01")]
    assert exchange.canceled == [exchange.stops[0].client_order_id]
    check_totals(position.account)


def filled_in_two(request, now):
    """All of it by now: the part that was known, and the rest."""
    known = part("0.004", ReportStatus.FILLED, "60000")(request, now).fills
    rest = Fill(f"{request.client_order_id}.q", Decimal(60010), Decimal("0.006"), Decimal(0), "USDT", now.market_at)
    return OrderReport(request.client_order_id, ReportStatus.FILLED, "x1", (*known, rest))


def test_an_exit_ends_an_entry_that_still_works():
    exchange = Exchange(at_market=[part("0.004", ReportStatus.PARTIAL, "60000"), filled_at("60500")])
    exchange.at_query = [part("0.004", ReportStatus.PARTIAL, "60000")]
    position = opened(exchange)
    exchange.at_cancel = [lambda request, _: OrderReport(request.client_order_id, ReportStatus.CANCELED, "x1")]
    assert close(position, exchange) is PositionStatus.CLOSED
    assert len(exchange.canceled) == 2
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.004")]
    check_totals(position.account)


def test_a_stop_that_sells_all_while_the_entry_works_ends_the_entry():
    exchange = Exchange(at_market=[part("0.004", ReportStatus.PARTIAL, "60000")])
    exchange.at_query = [part("0.004", ReportStatus.PARTIAL, "60000")]
    position = opened(exchange)
    exchange.at_query = [part("0.004", ReportStatus.FILLED)]
    ask(stop_of(position), means(exchange))
    assert Position.objects.get(pk=position.pk).status == PositionStatus.CLOSING
    assert drive(position.pk, means(exchange, 1)) is PositionStatus.CLOSED
    assert not exchange.sells
    check_totals(position.account)


@pytest.mark.parametrize(
    ("answer", "status", "stops"),
    [
        (says(ReportStatus.REJECTED), PositionStatus.OPEN, 2),  # protected again
        (says(ReportStatus.EXPIRED), PositionStatus.OPEN, 2),
        (raises(OutcomeUnknown("timeout")), PositionStatus.CLOSING, 1),
        (raises(Withheld("a ban", 60)), PositionStatus.CLOSING, 1),  # it goes on as soon as it may
    ],
)
def test_what_becomes_of_an_exit_that_does_not_sell(answer, status, stops):
    exchange = Exchange()
    position = opened(exchange)
    exchange.at_market = [answer]
    assert close(position, exchange) is status
    assert len(exchange.sells) == 1
    assert len(exchange.stops) == stops
    check_totals(position.account)


def test_an_exit_that_was_withheld_goes_on_by_itself():
    exchange = Exchange()
    position = opened(exchange)
    exchange.at_market = [raises(Withheld("a ban", 3)), filled_at("60500")]
    close(position, exchange)
    assert drive(position.pk, means(exchange, 1)) is PositionStatus.CLOSING
    assert drive(position.pk, means(exchange, PAUSE.total_seconds() + 1)) is PositionStatus.CLOSED
    assert len({sell.client_order_id for sell in exchange.sells}) == 2


def test_the_rest_of_an_exit_filled_in_part_is_sold_next():
    exchange = Exchange()
    position = opened(exchange)
    exchange.at_market = [part("0.007", ReportStatus.EXPIRED, "60500"), filled_at("60400")]
    assert close(position, exchange) is PositionStatus.CLOSED
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.01"), Decimal("0.003")]
    check_totals(position.account)


def test_more_than_one_order_may_sell_is_sold_by_several():
    exchange = Exchange()
    position = opened(exchange)
    tighter = instrument(max_amount=Decimal("0.004"))  # Binance moves the limit of market orders from day to day
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(60500))
    assert leave(position, wish, None, means(exchange, of=tighter)) is PositionStatus.CLOSED
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.004"), Decimal("0.004"), Decimal("0.002")]
    check_totals(position.account)


def test_a_rest_below_the_lot_step_is_dust_and_booked():
    exchange = Exchange()
    coarse = instrument(lot_step=Decimal("0.004"), min_amount=Decimal("0.004"))
    position = opened(exchange)
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(60500))
    assert leave(position, wish, None, means(exchange, of=coarse)) is PositionStatus.CLOSED
    assert [sell.amount for sell in exchange.sells] == [Decimal("0.008")]
    position.refresh_from_db()
    assert position.dust == Decimal("0.002")
    assert Event.objects.filter(kind="dust_written_off").exists()
    check_totals(position.account)


@pytest.mark.parametrize("known", [instrument(active=False), None])
def test_while_nothing_can_be_sold_the_stop_rests_on(known):
    exchange = Exchange()
    position = opened(exchange)
    blind = Means(exchange, lambda: NOW, known)
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(60500))
    assert leave(position, wish, None, blind) is PositionStatus.CLOSING
    assert not exchange.canceled
    assert not exchange.sells
    assert drive(position.pk, means(exchange)) is PositionStatus.CLOSED  # it trades again


def test_what_was_worth_something_is_not_written_off_because_of_a_listing():
    exchange = Exchange()
    position = opened(exchange)
    wrong = instrument(lot_step=Decimal(1), min_amount=Decimal(1))  # 0.01 is held, which cost 600
    assert drive(position.pk, means(exchange, of=wrong)) is PositionStatus.OPEN
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(60500))
    assert leave(position, wish, None, means(exchange, of=wrong)) is PositionStatus.CLOSING
    assert stop_of(position).status == OrderStatus.ACKED
    assert drive(position.pk, means(exchange)) is PositionStatus.CLOSED


def test_only_one_closes_it():
    exchange = Exchange(at_cancel=[raises(Transient("down"))])
    position = opened(exchange)
    close(position, exchange)
    with pytest.raises(LostRace):
        close(position, exchange)


def test_a_key_that_the_exchange_refuses_halts_the_account():
    exchange = Exchange()
    position = opened(exchange)
    refused = lambda request, _: OrderReport(  # noqa: E731
        request.client_order_id, ReportStatus.REJECTED, reason="Invalid API-key", code="-2015"
    )
    exchange.at_market = exchange.at_stop = [refused]
    assert close(position, exchange) is PositionStatus.OPEN
    assert Halt.objects.get(account=position.account, bot=None).cause == "key_refused"
    sells = len(exchange.sells)
    drive(position.pk, means(exchange, 1))
    assert len(exchange.sells) == sells  # no loop


def test_a_pause_ends_even_when_the_clock_was_set_back():
    exchange = Exchange(at_stop=[says(ReportStatus.REJECTED)])
    position = opened(exchange)
    assert stop_of(position).finished_at > NOW.wall_at - timedelta(seconds=1)
    drive(position.pk, means(exchange, -3600))
    assert len(exchange.stops) == 2


def latch() -> None:
    DeadMansSwitch.objects.update(latched_at=NOW.wall_at)


def test_an_entry_on_its_way_when_the_switch_triggers_is_protected_and_no_other_follows():
    def filled_as_it_triggers(request, now):
        latch()
        return filled_at("60000")(request, now)

    exchange = Exchange(at_market=[filled_as_it_triggers, filled_at("60500")])
    position = opened(exchange)
    assert position.status == PositionStatus.OPEN
    assert len(exchange.stops) == 1
    another = make_bot(position.account)
    refused = enter(another, proposal(another), pricing(), Grounds(SLOT_0), exchange, lambda: NOW)
    assert refused.check == "dead_mans_switch"
    assert close(position, exchange) is PositionStatus.CLOSED  # exits wait for nobody


def entered(exchange: Exchange) -> Position:
    bot = make_bot()
    enter(bot, proposal(bot), pricing(), Grounds(SLOT_0), exchange, lambda: NOW)
    return Position.objects.get(bot=bot)


STOPS = {
    "the switch triggers": lambda bot: latch(),
    "the bot is halted": lambda bot: raise_halt(bot.account, bot, "operator", "halted", {}, NOW),
    "the account is halted": lambda bot: raise_halt(bot.account, None, "operator", "halted", {}, NOW),
    "everything is halted": lambda bot: raise_halt(None, None, "operator", "halted", {}, NOW),
}


@pytest.mark.parametrize("what", STOPS)
def test_a_resting_entry_is_ended_when(what):
    exchange = Exchange(at_market=[says(ReportStatus.NEW)], at_query=[says(ReportStatus.NEW)])
    position = entered(exchange)
    raise_halt(position.account, make_bot(position.account), "operator", "another bot's", {}, NOW)
    assert drive(position.pk, means(exchange, 1)) is PositionStatus.OPENING
    assert exchange.canceled == []
    STOPS[what](position.bot)
    assert drive(position.pk, means(exchange, 2)) is PositionStatus.FLAT
    assert position.orders.get().status == OrderStatus.CANCELED
    check_totals(position.account)


def test_of_a_resting_entry_what_was_bought_is_kept_and_protected():
    bought = part("0.004", ReportStatus.PARTIAL)
    exchange = Exchange(at_market=[bought], at_query=[bought], at_cancel=[part("0.004", ReportStatus.CANCELED)])
    position = entered(exchange)
    drive(position.pk, means(exchange, 1))
    latch()
    assert drive(position.pk, means(exchange, 2)) is PositionStatus.OPEN
    assert position.orders.get(purpose=Purpose.ENTRY).status == OrderStatus.CANCELED
    assert stop_of(position).status == OrderStatus.ACKED
    assert stop_of(position).amount == Decimal("0.004")
    check_totals(position.account)


def test_an_entry_that_turns_out_to_rest_after_the_trigger_is_ended_however_often_that_fails():
    resting = says(ReportStatus.NEW)
    at_cancel = [raises(Transient("timeout")), raises(Transient("timeout")), says(ReportStatus.CANCELED)]
    exchange = Exchange(at_market=[raises(OutcomeUnknown("timeout"))], at_query=[resting], at_cancel=at_cancel)
    position = entered(exchange)
    latch()
    rounds = [drive(position.pk, means(exchange, second)) for second in range(1, 4)]
    assert rounds[-1] is PositionStatus.FLAT
    assert len(exchange.sent) == 1


def test_an_entry_of_unknown_fate_when_the_switch_triggers_resolves_and_is_protected():
    exchange = Exchange(at_market=[raises(OutcomeUnknown("timeout"))], at_query=[filled_at("60000")])
    bot = make_bot()
    enter(bot, proposal(bot), pricing(), Grounds(SLOT_0), exchange, lambda: NOW)
    latch()
    position = Position.objects.get(bot=bot)
    assert drive(position.pk, means(exchange, 1)) is PositionStatus.OPEN
    assert len(exchange.stops) == 1
    told = list(Event.objects.filter(kind__startswith="order_", payload__purpose="ENTRY").order_by("pk"))
    assert [event.kind for event in told] == ["order_placed", "order_unknown", "order_filled", "order_resolved"]
    assert told[-1].payload == told[-2].payload


def test_an_exit_on_its_way_when_the_switch_triggers_goes_on():
    exchange = Exchange()
    position = opened(exchange)
    exchange.at_market = [raises(OutcomeUnknown("timeout"))]
    close(position, exchange)
    latch()
    exchange.at_query = [says(ReportStatus.ABSENT)]
    exchange.at_market = [filled_at("60500")]
    assert drive(position.pk, means(exchange, 60)) is PositionStatus.OPEN  # it never arrived: protected again
    assert close(position, exchange, 61) is PositionStatus.CLOSED
