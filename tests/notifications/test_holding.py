"""Who reads for a subscriber: one process at a time, and the next one at once when it is dead."""

from datetime import timedelta

import pytest

from notifications.cursors import LEASE, open_cursor
from notifications.holding import RENEW, Holding, Process
from notifications.models import Cursor
from tests.factories import now_at
from tradingplatform.holder import is_gone, new_token

AT = now_at().wall_at
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cursor():
    return open_cursor("webhook:somebody", AT)


def holding(name, dead=()):
    return Holding("webhook:somebody", Process(name, lambda other: other in dead))


def holder():
    return Cursor.objects.values_list("holder", flat=True).get()


def test_one_at_a_time_and_the_next_when_it_was_given_back():
    first, second = holding("first"), holding("second")
    assert first.take(AT).holder == ""
    assert second.take(AT) is None
    assert (first.held, second.held) == (True, False)

    first.let_go()
    assert second.take(AT)
    assert (first.held, second.held) == (False, True)


def test_what_a_dead_process_held_is_taken_at_once_and_seen_to_have_been_its():
    assert holding("dead").take(AT)

    assert holding("next", dead=["dead"]).take(AT + SECOND).holder == "dead"
    assert holder() == "next"


def test_a_process_that_may_be_alive_keeps_it_until_its_lease_ends():
    assert holding("silent").take(AT)
    other = holding("other")

    assert other.take(AT + LEASE) is None
    assert other.take(AT + LEASE + SECOND)


def test_one_that_lost_it_learns_so_at_its_next_look():
    first = holding("first")
    assert first.take(AT)
    assert holding("second", dead=["first"]).take(AT)

    assert first.take(AT + SECOND) is None
    assert not first.held


def test_it_is_renewed_now_and_then_only(django_assert_num_queries):
    first = holding("first")
    assert first.take(AT)
    with django_assert_num_queries(1):
        assert first.take(AT + RENEW - SECOND)
    assert first.take(AT + RENEW)
    assert Cursor.objects.get().held_until == AT + RENEW + LEASE


def test_a_clock_that_was_set_back_renews_it():
    first = holding("first")
    assert first.take(AT)
    assert first.take(AT - timedelta(hours=1))
    assert Cursor.objects.get().held_until == AT - timedelta(hours=1) + LEASE


def test_the_platforms_own_processes_are_told_apart():
    """A process id that nobody has: another start of the same machine's processes."""
    dead, living = f"{new_token().rpartition('.')[0]}1.abcd", new_token()
    assert Holding("webhook:somebody", Process(dead, is_gone)).take(AT)
    assert Holding("webhook:somebody", Process(living, is_gone)).take(AT)
    assert Holding("webhook:somebody", Process(new_token(), is_gone)).take(AT) is None
    assert holder() == living
