"""The reconciler's loop: what fails in one round is done in the next."""

import time
from concurrent.futures import Future
from threading import Event as ThreadEvent

import pytest
from django.db import OperationalError

from execution import clean
from execution.clean import note, why_not_clean
from market.clock import Clock
from market.exchange import Rejected
from proof.actors import AtOnce
from tests.factories import make_account, now_at
from tests.fakes import FakeMarket
from tradingplatform.reconciler import FILLS_S, HANDS, LATER_S, Reconciler
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


@pytest.fixture
def looked_at(monkeypatch):
    """More accounts than hands, whose balances are looked at; nothing else is done."""
    many = [make_account() for _ in range(HANDS + 1)]
    for account in many:
        account.mode = "LIVE"
        account.save()
    monkeypatch.setattr("tradingplatform.reconciler.close_old_connections", lambda: None)  # it is the test's own
    monkeypatch.setattr("execution.chores.guarded_accounts", lambda: {account.pk for account in many})
    return many


def test_accounts_that_are_slow_to_tell_their_balances_keep_nothing_else_waiting(looked_at):
    done, release = ThreadEvent(), ThreadEvent()
    reconciler = Reconciler(lambda: Platform(Clock(), FakeMarket({})))
    reconciler._look_for_fills = lambda account: release.wait(10)
    try:
        reconciler.look_for_fills()
        for key in range(HANDS):
            reconciler._hand_out(key, 3.0, done.set)
            assert done.wait(5)
            done.clear()
    finally:
        release.set()
        for hands in (reconciler._look_hand, reconciler._hands, reconciler._stop_hands):
            hands.shutdown()


def test_many_accounts_use_up_no_more_of_the_exits_budget_than_one(looked_at):
    """A look weighs as much as twenty cancels, and is as urgent."""
    reconciler = Reconciler(lambda: Platform(Clock(), FakeMarket({})))
    reconciler._look_hand.shutdown()
    reconciler._look_hand = AtOnce()
    seen: list[int] = []
    reconciler._look_for_fills = lambda account: seen.append(account.pk)
    before_s = time.monotonic()
    reconciler.look_for_fills()
    assert sorted(seen) == sorted(account.pk for account in looked_at)
    for account in looked_at:
        assert reconciler._not_before["fills", account.pk] >= before_s + len(looked_at) * FILLS_S


def test_an_account_whose_key_was_revoked_is_looked_at_now_and_then_only(looked_at):
    class Revoked:
        def balances(self):
            raise Rejected("the key is not valid", code="-2015")

    class Keyless(Platform):
        def desk(self, account):
            return Revoked()

    reconciler = Reconciler(lambda: Keyless(Clock(), FakeMarket({})))
    reconciler._look_hand.shutdown()
    reconciler._look_hand = AtOnce()
    before_s = time.monotonic()
    reconciler.look_for_fills()
    for account in looked_at:
        assert reconciler._not_before["fills", account.pk] >= before_s + LATER_S
