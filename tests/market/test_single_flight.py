"""Leases in a real Redis."""

import threading
import time

import pytest

from market.exchange import Rejected, Transient
from market.retry import retried
from market.single_flight import SingleFlight
from tests.market.conftest import await_true


def soon(seconds=5.0):
    return time.monotonic() + seconds


class Board:
    """Where the work leaves its result."""

    def __init__(self, client):
        self.client = client
        self.worked = 0

    def find(self):
        return self.client.get("result")

    def work(self, renew):
        self.worked += 1
        renew()
        self.client.set("result", b"done")
        return b"done"


def test_what_is_there_is_not_worked_for(client):
    board = Board(client)
    client.set("result", b"there")
    assert SingleFlight(client).run("lease", board.find, board.work, soon()) == b"there"
    assert board.worked == 0


def test_one_works_and_the_rest_find(client):
    board, flight = Board(client), SingleFlight(client)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(flight.run("lease", board.find, board.work, soon())))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [b"done"] * 12
    assert board.worked == 1
    assert not client.exists("lease")


def test_waiting_ends_at_the_deadline(client):
    client.set("lease", "somebody", px=60_000)
    board = Board(client)
    started = time.monotonic()
    assert SingleFlight(client).run("lease", board.find, board.work, soon(0.1)) is None
    assert 0.1 <= time.monotonic() - started < 0.5
    assert board.worked == 0
    assert client.get("lease") == b"somebody"


def test_the_lease_of_the_dead_runs_out(client):
    client.set("lease", "dead", px=150)
    board = Board(client)
    assert SingleFlight(client).run("lease", board.find, board.work, soon()) == b"done"


def test_the_lease_ends_when_the_work_fails(client):
    def fail(renew):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SingleFlight(client).run("lease", lambda: None, fail, soon())
    assert not client.exists("lease")


def test_a_slow_holder_does_not_touch_its_successor(client):
    def slow(renew):
        await_true(lambda: not client.exists("lease"), "the lease does not run out")
        client.set("lease", "successor", px=60_000)
        renew()
        return b"late"

    assert SingleFlight(client, lease_ms=50).run("lease", lambda: None, slow, soon()) == b"late"
    assert client.get("lease") == b"successor"
    assert client.pttl("lease") > 1000


def test_renewing_prolongs_the_lease(client):
    def work(renew):
        await_true(lambda: client.pttl("lease") < 1900, "time does not pass")
        renew()
        return client.pttl("lease")

    assert SingleFlight(client, lease_ms=2000).run("lease", lambda: None, work, soon()) > 1900


@pytest.mark.parametrize(
    ("troubles", "calls"),
    [
        ([], 1),
        ([Transient("a")], 2),
        ([Transient("a"), Transient("b")], 3),
    ],
)
def test_a_read_is_asked_up_to_three_times(troubles, calls):
    asked = []

    def read():
        asked.append(1)
        if len(asked) <= len(troubles):
            raise troubles[len(asked) - 1]
        return "read"

    assert retried(read, soon()) == "read"
    assert len(asked) == calls


@pytest.mark.parametrize(
    ("error", "deadline_s", "calls"),
    [
        (Transient("down"), 5, 3),
        (Transient("down"), -1, 1),  # no time left
        (Transient("429", retry_after_s=1), 5, 1),
        (Rejected("no"), 5, 1),
    ],
)
def test_then_it_raises(error, deadline_s, calls):
    asked = []

    def read():
        asked.append(1)
        raise error

    with pytest.raises(type(error)):
        retried(read, soon(deadline_s))
    assert len(asked) == calls
