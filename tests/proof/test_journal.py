"""The judges over what the exchange did: each finds what it is for, and nothing else."""

from dataclasses import replace
from decimal import Decimal

from proof.journal import Entry, entered_twice, naked, name_of, oversold
from simexchange.orders.order import Fill, Order, OrderType, Side, Status

D = Decimal


def order(number: int, name: str, side: Side, quantity: str, status: Status = Status.FILLED) -> Order:
    return Order(
        symbol="BTCUSDT",
        order_id=number,
        client_order_id=f"p-1-5-{name}",
        side=side,
        type=OrderType.STOP_LOSS_LIMIT if name.startswith("s") else OrderType.MARKET,
        quantity=D(quantity),
        quote_quantity=D(0),
        executed=D(quantity) if status is Status.FILLED else D(0),
        quote_executed=D(0),
        status=status,
        time_ms=number,
        updated_ms=number,
    )


def entry(at_ms: int, what: Order) -> Entry:
    fee = D("0.001") if what.side is Side.BUY else D(0)
    fill = Fill("BTCUSDT", at_ms, what.order_id, what.side, D(100), what.quantity, D(100), fee, "BTC", at_ms, False)
    return Entry(at_ms, what, (fill,) if what.executed else ())


BOUGHT = entry(1, order(1, "e", Side.BUY, "1"))
STOP = order(2, "s1", Side.SELL, "0.999", Status.NEW)


def test_names_tell_position_and_purpose():
    assert name_of("p-1-5-s3").position == "1-5"
    assert name_of("p-1-5-s3").kind == "s"
    assert name_of("somebody else's") is None


def test_a_stop_then_its_cancel_then_an_exit_is_sound():
    gone = entry(3, replace(STOP, status=Status.CANCELED))
    journal = [BOUGHT, entry(2, STOP), gone, entry(4, order(3, "x1", Side.SELL, "0.999"))]
    assert oversold(journal) == []
    assert naked(journal, 9) == {"1-5": [(1, 2), (3, 4)]}


def test_an_exit_beside_its_stop_is_found():
    assert oversold([BOUGHT, entry(2, STOP), entry(3, order(3, "x1", Side.SELL, "0.5"))])


def test_a_fee_in_base_cannot_be_sold():
    assert oversold([BOUGHT, entry(2, order(2, "x1", Side.SELL, "1"))])


def test_two_entries_are_found():
    assert entered_twice([BOUGHT, entry(2, order(2, "e", Side.BUY, "1"))])
    assert entered_twice([BOUGHT, BOUGHT]) == []
