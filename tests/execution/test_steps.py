"""The table of what is done next about a position and its orders."""

from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.states import UNFINISHED_ORDER, OrderStatus, PositionStatus
from execution.steps import Kind, Scene, Step, Working, next_step

OPENING, OPEN, CLOSING, CLOSED = (
    PositionStatus.OPENING,
    PositionStatus.OPEN,
    PositionStatus.CLOSING,
    PositionStatus.CLOSED,
)
ENTRY, EXIT, STOP = Kind.ENTRY, Kind.EXIT, Kind.STOP
PREPARED, SENT, ACKED, PARTIAL, UNKNOWN = (
    OrderStatus.PREPARED,
    OrderStatus.SENT,
    OrderStatus.ACKED,
    OrderStatus.PARTIAL,
    OrderStatus.UNKNOWN,
)


def scene(status, *orders, sellable="2", protected=True, selling=True, asked=(), entering=True):
    """Orders are given as (kind, status) or (kind, status, rest)."""
    working = tuple(
        Working(number, kind, order_status, Decimal(rest[0] if rest else sellable or "2"))
        for number, (kind, order_status, *rest) in enumerate(orders)
    )
    return Scene(
        status, None if sellable is None else Decimal(sellable), working, protected, selling, frozenset(asked), entering
    )


@pytest.mark.parametrize(
    ("given_scene", "step", "about"),
    [
        # the entry
        (scene(OPENING, (ENTRY, PREPARED), sellable="0"), Step.WITHDRAW, 0),
        (scene(OPENING, (ENTRY, SENT), sellable="0"), Step.ASK, 0),
        (scene(OPENING, (ENTRY, UNKNOWN), sellable="0"), Step.ASK, 0),
        (scene(OPENING, (ENTRY, UNKNOWN), sellable="0", asked=[0]), Step.REST, None),
        (scene(OPENING, (ENTRY, ACKED), sellable="0"), Step.ASK, 0),
        (scene(OPENING, (ENTRY, ACKED), sellable="0", asked=[0]), Step.REST, None),
        # while nothing may enter, what still buys is found out about, and ended
        (scene(OPENING, (ENTRY, PREPARED), sellable="0", entering=False), Step.WITHDRAW, 0),
        (scene(OPENING, (ENTRY, SENT), sellable="0", entering=False), Step.ASK, 0),
        (scene(OPENING, (ENTRY, UNKNOWN), sellable="0", entering=False), Step.ASK, 0),
        (scene(OPENING, (ENTRY, ACKED), sellable="0", entering=False), Step.CANCEL, 0),
        (scene(OPENING, (ENTRY, ACKED), sellable="0", entering=False, asked=[0]), Step.CANCEL, 0),
        (scene(OPEN, (ENTRY, PARTIAL), (STOP, ACKED, "1"), entering=False), Step.CANCEL, 0),
        (scene(OPEN, (STOP, ACKED), entering=False), Step.REST, None),  # a stop rests on
        (scene(OPEN, entering=False), Step.PROTECT, None),
        (scene(CLOSING, entering=False), Step.SELL, None),
        # open: protected as far as it was filled
        (scene(OPEN), Step.PROTECT, None),
        (scene(OPEN, protected=False), Step.REST, None),
        (scene(OPEN, sellable="0"), Step.WRITE_OFF, None),
        (scene(OPEN, (ENTRY, PARTIAL), asked=[0]), Step.PROTECT, None),
        (scene(OPEN, (ENTRY, PARTIAL), sellable="0", asked=[0]), Step.REST, None),
        (scene(OPEN, (STOP, PREPARED)), Step.WITHDRAW, 0),
        (scene(OPEN, (STOP, SENT)), Step.ASK, 0),
        (scene(OPEN, (STOP, UNKNOWN), asked=[0]), Step.REST, None),
        (scene(OPEN, (STOP, ACKED)), Step.REST, None),
        (scene(OPEN, (STOP, PARTIAL)), Step.REST, None),
        (scene(OPEN, (STOP, ACKED, "1")), Step.CANCEL, 0),  # more was bought since
        (scene(OPEN, (STOP, ACKED, "1"), sellable=None), Step.REST, None),  # nothing could replace it
        (scene(OPEN, sellable=None), Step.REST, None),
        (scene(CLOSING, (STOP, ACKED), sellable=None), Step.REST, None),
        (scene(CLOSING, (ENTRY, PARTIAL), sellable=None), Step.CANCEL, 0),
        (scene(CLOSING, sellable=None), Step.REST, None),
        (scene(OPEN, (ENTRY, PARTIAL), (STOP, ACKED, "1"), asked=[0]), Step.CANCEL, 1),
        # closing: what still works is ended, then all of it is sold
        (scene(CLOSING), Step.SELL, None),
        (scene(CLOSING, selling=False), Step.REST, None),
        (scene(CLOSING, sellable="0"), Step.WRITE_OFF, None),
        (scene(CLOSING, (STOP, ACKED)), Step.CANCEL, 0),
        (scene(CLOSING, (STOP, PARTIAL)), Step.CANCEL, 0),
        (scene(CLOSING, (STOP, ACKED), selling=False), Step.REST, None),  # it protects until it can be followed
        (scene(CLOSING, (ENTRY, PARTIAL), selling=False), Step.CANCEL, 0),
        (scene(CLOSING, (STOP, UNKNOWN)), Step.ASK, 0),
        (scene(CLOSING, (STOP, UNKNOWN), asked=[0]), Step.REST, None),  # never a second one beside it
        (scene(CLOSING, (ENTRY, PARTIAL)), Step.CANCEL, 0),
        (scene(CLOSING, (EXIT, PREPARED)), Step.WITHDRAW, 0),
        (scene(CLOSING, (EXIT, SENT)), Step.ASK, 0),
        (scene(CLOSING, (EXIT, UNKNOWN), asked=[0]), Step.REST, None),
        (scene(CLOSING, (EXIT, ACKED)), Step.ASK, 0),
        (scene(CLOSING, (EXIT, PARTIAL), asked=[0]), Step.REST, None),
        # over
        (scene(CLOSED, sellable="0"), Step.REST, None),
        (scene(PositionStatus.FLAT, sellable="0"), Step.REST, None),
    ],
)
def test_the_table(given_scene, step, about):
    found, order = next_step(given_scene)
    assert (found, None if order is None else order.order_id) == (step, about)


orders = st.lists(
    st.tuples(st.sampled_from(Kind), st.sampled_from(sorted(UNFINISHED_ORDER)), st.sampled_from(["1", "2"])), max_size=3
)
scenes = st.builds(
    lambda status, some, sellable, protected, selling, asked: scene(
        status, *some, sellable=sellable, protected=protected, selling=selling, asked=asked
    ),
    st.sampled_from(PositionStatus),
    orders,
    st.sampled_from(["0", "1", "2"]),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, 2)),
)


@given(scenes)
def test_nothing_is_sold_beside_another_closing_order(given_scene):
    step, _ = next_step(given_scene)
    closing = [order for order in given_scene.working if order.kind is not ENTRY]
    if step in (Step.SELL, Step.PROTECT):
        assert not closing
    if step is Step.SELL:
        assert not given_scene.working
        assert given_scene.status is CLOSING
    if step is Step.PROTECT:
        assert given_scene.status is OPEN


@given(scenes)
def test_what_is_not_known_is_only_asked_for(given_scene):
    step, order = next_step(given_scene)
    if order is not None and order.status in (SENT, UNKNOWN):
        assert step is Step.ASK
    if step is Step.WRITE_OFF:
        assert not given_scene.sellable
        assert not given_scene.working


@pytest.mark.parametrize(("kind", "status"), list(product(Kind, [SENT, UNKNOWN, ACKED, PARTIAL])))
def test_an_order_at_the_exchange_is_never_withdrawn_without_asking_it(kind, status):
    for position in (OPENING, OPEN, CLOSING):
        step, _ = next_step(scene(position, (kind, status)))
        assert step is not Step.WITHDRAW
