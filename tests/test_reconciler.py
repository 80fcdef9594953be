"""The reconciler's loop: what fails in one round is done in the next."""

import pytest
from django.db import OperationalError

from execution import clean
from execution.clean import note, why_not_clean
from market.clock import Clock
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
