"""The transition tables say something about every pair, and no status is a trap."""

from itertools import product

import pytest

from execution.states import (
    LIVE_POSITION,
    ORDER_MOVES,
    POSITION_MOVES,
    TERMINAL_ORDER,
    UNFINISHED_ORDER,
    IllegalMove,
    OrderStatus,
    PositionStatus,
    check_order_move,
    check_position_move,
    is_overtaken,
    order_status,
)
from market.orders import ReportStatus

Pos, Ord = PositionStatus, OrderStatus

LEGAL_POSITION_MOVES = {
    (Pos.OPENING, Pos.OPEN),
    (Pos.OPENING, Pos.FLAT),
    (Pos.OPEN, Pos.CLOSING),
    (Pos.OPEN, Pos.CLOSED),
    (Pos.CLOSING, Pos.CLOSED),
    (Pos.CLOSING, Pos.OPEN),
}

ENDED_IN_THE_BOOK = (Ord.FILLED, Ord.CANCELED, Ord.EXPIRED)

LEGAL_ORDER_MOVES = (
    {(Ord.PREPARED, Ord.SENT), (Ord.PREPARED, Ord.CANCELED)}
    | {(Ord.SENT, new) for new in (Ord.ACKED, Ord.PARTIAL, *ENDED_IN_THE_BOOK, Ord.REJECTED, Ord.UNKNOWN)}
    | {(Ord.UNKNOWN, new) for new in (Ord.ACKED, Ord.PARTIAL, *ENDED_IN_THE_BOOK, Ord.REJECTED, Ord.ABSENT)}
    | {(Ord.ACKED, new) for new in (Ord.PARTIAL, *ENDED_IN_THE_BOOK, Ord.UNKNOWN)}
    | {(Ord.PARTIAL, new) for new in (Ord.PARTIAL, *ENDED_IN_THE_BOOK)}
)


@pytest.mark.parametrize(("old", "new"), list(product(Pos, Pos)), ids=lambda status: status.value)
def test_every_pair_of_position_statuses_is_legal_or_raises(old, new):
    if (old, new) in LEGAL_POSITION_MOVES:
        check_position_move(old, new)
    else:
        with pytest.raises(IllegalMove, match=f"{old}.*{new}"):
            check_position_move(old, new)


@pytest.mark.parametrize(("old", "new"), list(product(Ord, Ord)), ids=lambda status: status.value)
def test_every_pair_of_order_statuses_is_legal_or_raises(old, new):
    if (old, new) in LEGAL_ORDER_MOVES:
        check_order_move(old, new)
    else:
        with pytest.raises(IllegalMove, match=f"{old}.*{new}"):
            check_order_move(old, new)


@pytest.mark.parametrize(("moves", "statuses"), [(POSITION_MOVES, Pos), (ORDER_MOVES, Ord)], ids=["position", "order"])
def test_every_status_has_a_row_and_reaches_an_end(moves, statuses):
    assert set(moves) == set(statuses)
    ends = {status for status in statuses if not moves[status]}
    for status in statuses:
        reached, fresh = {status}, {status}
        while fresh:
            fresh = {new for old in fresh for new in moves[old]} - reached
            reached |= fresh
        assert reached & ends, f"{status} never ends"


def test_the_sets_follow_from_the_tables():
    assert {status for status in Pos if POSITION_MOVES[status]} == LIVE_POSITION
    assert {status for status in Ord if ORDER_MOVES[status]} == UNFINISHED_ORDER
    assert {status for status in Ord if not ORDER_MOVES[status]} == TERMINAL_ORDER


def test_absence_is_proven_only_for_an_unknown_order():
    assert [old for old in Ord if Ord.ABSENT in ORDER_MOVES[old]] == [Ord.UNKNOWN]


def test_whatever_an_exchange_reports_an_order_of_unknown_outcome_may_become():
    for report in ReportStatus:
        check_order_move(Ord.UNKNOWN, order_status(report))


def test_only_a_new_order_is_called_something_else():
    assert {report: order_status(report) for report in ReportStatus} == {
        report: Ord.ACKED if report is ReportStatus.NEW else Ord[report.name] for report in ReportStatus
    }


def test_an_answer_is_overtaken_by_what_can_only_come_after_it():
    for old, new in product(OrderStatus, OrderStatus):
        if is_overtaken(old, new):
            assert new not in ORDER_MOVES[old]
    assert is_overtaken(OrderStatus.FILLED, OrderStatus.ACKED)
    assert is_overtaken(OrderStatus.CANCELED, OrderStatus.PARTIAL)
    assert is_overtaken(OrderStatus.PARTIAL, OrderStatus.ACKED)
    assert not is_overtaken(OrderStatus.CANCELED, OrderStatus.FILLED)
    assert not is_overtaken(OrderStatus.PARTIAL, OrderStatus.ABSENT)
