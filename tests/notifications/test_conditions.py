"""Things that last: told once when they begin and once when they end, however many notice them."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction

from notifications.conditions import begin, end, lasting, review
from notifications.models import Condition, Event, Severity
from risk.event_kinds import SWITCH_NOT_DRILLED
from tests.factories import now_at
from tradingplatform.event_kinds import EXCHANGE_DOWN, STALE_CANDLES, STALE_PRICES

NOW = now_at()
AT = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
LATER = {"market_at": NOW.market_at, "wall_at": NOW.wall_at + timedelta(seconds=90)}


def kinds():
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.django_db
def test_it_begins_once_and_ends_once():
    assert begin(EXCHANGE_DOWN, "binance", "no answer", severity=Severity.CRITICAL, **AT)
    assert not begin(EXCHANGE_DOWN, "binance", "still no answer", **LATER)
    assert [condition.text for condition in lasting()] == ["no answer"]
    assert end(EXCHANGE_DOWN, "binance", "it answers again", **LATER)
    assert not end(EXCHANGE_DOWN, "binance", "it answers again", **LATER)
    assert kinds() == ["exchange_down", "exchange_down_ended"]
    first, last = Event.objects.order_by("pk")
    assert (first.severity, last.severity) == (Severity.CRITICAL, Severity.INFO)
    assert last.payload == {"subject": "binance", "lasted_s": 90.0}
    assert not lasting().exists()


@pytest.mark.django_db
def test_it_lasts_while_there_is_a_text():
    for text in ("", "not drilled", "still not drilled", "", ""):
        review(SWITCH_NOT_DRILLED, "the switch", text, "It was drilled", severity=Severity.CRITICAL, **AT)
        assert lasting().exists() == bool(text)
    assert kinds() == [SWITCH_NOT_DRILLED, f"{SWITCH_NOT_DRILLED}_ended"]
    assert Event.objects.get(kind=SWITCH_NOT_DRILLED).severity == Severity.CRITICAL


@pytest.mark.django_db
def test_it_may_begin_again():
    for _ in range(2):
        begin(EXCHANGE_DOWN, "binance", "no answer", **AT)
        end(EXCHANGE_DOWN, "binance", "it answers again", **LATER)
    assert kinds() == ["exchange_down", "exchange_down_ended"] * 2
    assert Condition.objects.count() == 2


@pytest.mark.django_db
def test_subjects_and_kinds_are_kept_apart():
    begin(STALE_CANDLES, "BTC/USDT 15m", "old", **AT)
    begin(STALE_CANDLES, "ETH/USDT 15m", "old", **AT)
    begin(STALE_PRICES, "BTC/USDT 15m", "old", **AT)
    end(STALE_CANDLES, "BTC/USDT 15m", "fresh", **LATER)
    assert [(row.kind, row.subject) for row in lasting()] == [
        ("stale_candles", "ETH/USDT 15m"),
        ("stale_prices", "BTC/USDT 15m"),
    ]
    assert lasting("stale_prices").count() == 1


@pytest.mark.django_db
def test_what_never_began_does_not_end():
    assert not end(STALE_CANDLES, "BTC/USDT 15m", "fresh", **LATER)
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_eight_that_notice_at_once_tell_once():
    barrier, begun = threading.Barrier(8), []

    def notice():
        barrier.wait()
        with transaction.atomic():
            begun.append(begin(EXCHANGE_DOWN, "binance", "no answer", **AT))
        connection.close()

    threads = [threading.Thread(target=notice) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(begun) == [False] * 7 + [True]
    assert kinds() == ["exchange_down"]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_has_not_begun():
    with suppress(ZeroDivisionError), transaction.atomic():
        begin(EXCHANGE_DOWN, "binance", "no answer", **AT)
        raise ZeroDivisionError
    assert (kinds(), Condition.objects.count()) == ([], 0)
