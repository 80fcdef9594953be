"""The reconciler's loop: what fails in one round is done in the next."""

from concurrent.futures import Future

import pytest
from django.db import OperationalError

from execution import clean
from execution.clean import note, why_not_clean
from market.clock import Clock
from proof.actors import AtOnce
from tests.factories import make_account, now_at
from tests.fakes import FakeMarket
from tradingplatform.reconciler import Reconciler
from tradingplatform.wiring import Platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    account = make_account()
    account.mode = "LIVE"
    account.save()
    note(account, "", now_at())
    return account


def test_a_start_that_the_database_refused_is_made_up_for(account, monkeypatch):
    """Else the comparison of the run before would go on counting."""
    begin, refused = clean.begin, [OperationalError("database is locked")]

    def locked_once(*arguments):
        if refused:
            raise refused.pop()
        begin(*arguments)

    monkeypatch.setattr(clean, "begin", locked_once)
    monkeypatch.setattr("tradingplatform.reconciler.close_old_connections", lambda: None)  # it is the test's own
    reconciler = Reconciler(lambda: Platform(Clock(), FakeMarket({})))
    monkeypatch.setattr(reconciler, "compare", lambda: None)
    reconciler.round()
    assert why_not_clean(account, now_at()) == ""
    reconciler.round()
    assert "has not been reconciled" in why_not_clean(account, now_at())
    clean_again = now_at(after_ms=5_000)
    note(account, "", clean_again)
    reconciler.round()  # a start is a start once
    assert why_not_clean(account, clean_again) == ""


def test_a_stop_that_was_reached_does_not_queue_behind_its_own_positions_errand():
    """All hands are at an exchange that answers slowly, and the position waits for one of them."""

    class Queue:
        def submit(self, act, *arguments):
            return Future()

    done: list[str] = []
    reconciler = Reconciler(lambda: Platform(Clock(), FakeMarket({})))
    for hands in (reconciler._hands, reconciler._stop_hands):
        hands.shutdown()
    reconciler._hands, reconciler._stop_hands = Queue(), AtOnce()
    reconciler._survive = lambda name, act: act()
    reconciler._hand_out(7, 3.0, lambda: done.append("seen to"))
    reconciler._hand_out_stop(7, lambda: done.append("sold"))
    assert done == ["sold"]
