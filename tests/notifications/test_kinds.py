"""Kinds as classes, and their payloads as they are stored."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from bots.event_kinds import BotPaused
from execution.event_kinds import OfOrder, OrderFilled, PositionChanged, Reconciled
from market.money import canonical
from notifications.events import publish
from notifications.kinds import Payload, kinds, why_unknown
from notifications.models import Event
from notifications.plain import Unfit, plain, stored
from risk.event_kinds import DeadManTriggered, HaltCleared, HaltRaised
from tests.factories import now_at
from tradingplatform.event_kinds import STALE_CANDLES, BalancesAccepted

NOW = now_at()
AT = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}


def an_order(kind=OrderFilled, **changes):
    texts = {"order": "o-1", "purpose": "ENTRY", "side": "BUY", "symbol": "BTC/USDT", "status": "FILLED"}
    money = {"amount": Decimal("0.5000"), "filled": Decimal("0.5"), "cost": Decimal("1E+3")}
    return kind(**{**texts, **money, "reason": "", "answer": "", **changes})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18))
def test_money_is_spelt_as_everywhere(amount):
    assert plain(amount) == canonical(amount)


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (BotPaused("RUNNING", "PAUSED", "ann", ""), {"from": "RUNNING", "to": "PAUSED", "actor": "ann", "reason": ""}),
        (
            DeadManTriggered(datetime(2026, 1, 31, 12, tzinfo=UTC)),
            {"last_checkin_at": "2026-01-31T12:00:00+00:00"},
        ),
        (
            HaltRaised("drawdown", "bot", False, {"limit": "0.1"}),
            {"cause": "drawdown", "scope": "bot", "closes": False, "limit": "0.1"},
        ),
        (
            HaltCleared("drawdown", "bot", False, "clock"),
            {"cause": "drawdown", "scope": "bot", "closes": False, "actor": "clock"},
        ),
        (
            BalancesAccepted("ann", "", "main", {"BTC": {"booked": "1"}}),
            {"actor": "ann", "reason": "", "account": "main", "changes": {"BTC": {"booked": "1"}}},
        ),
        (Reconciled(), {}),
        (STALE_CANDLES.ended("BTC/USDT 15m", 90.0), {"subject": "BTC/USDT 15m", "lasted_s": 90.0}),
    ],
    ids=["from", "time", "spread", "default", "nested", "nothing", "condition"],
)  # fmt: skip
def test_how_a_payload_is_stored(payload, told):
    assert stored(payload) == told


def test_money_that_there_is_none_of_is_an_empty_text():
    position = PositionChanged(
        "1", "BTC/USDT", "FLAT", Decimal(0), None, None, Decimal(9), Decimal("-0"), Decimal(0), ""
    )
    assert {key: value for key, value in stored(position).items() if "price" in key or key == "realised"} == {
        "entry_price": "", "exit_price": "", "stop_price": "9", "realised": "0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (an_order(amount=0.5), "order_filled: amount cannot be 0.5"),
        (an_order(amount=Decimal("NaN")), "money must be finite"),
        (an_order(status=None), "order_filled: status cannot be None"),
        (an_order(OfOrder), "OfOrder is a shape"),
        (DeadManTriggered(datetime(2026, 1, 31, 12)), "cannot be stored"),  # noqa: DTZ001
        (HaltRaised("drawdown", "bot", False, {"limit": float("nan")}), "cannot be stored"),
        (BalancesAccepted("ann", "", "main", {"BTC": {"booked": object}}), "cannot be stored"),
    ],
    ids=["float", "nan", "none", "shape", "naive", "not finite", "object"],
)  # fmt: skip
@pytest.mark.django_db
def test_what_is_unfit_fails_a_test_and_no_transaction(payload, says, settings):
    with pytest.raises(Unfit, match=says):
        stored(payload)
    with pytest.raises(Unfit, match=says), transaction.atomic():
        publish(payload, "told", **AT)

    settings.STRICT_EVENTS = False
    with transaction.atomic():
        publish(payload, "told", **AT)
    event = Event.objects.get()
    assert event.kind == payload.kind or (payload.kind, event.kind) == ("", "OfOrder")
    assert event.payload


class Untellable:
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (an_order(amount=Decimal("sNaN")), {"amount": "sNaN"}),
        (an_order(amount=Untellable()), {"amount": "Untellable without a text: RuntimeError"}),
        (HaltRaised("drawdown", "bot", False, {"cause": "x"}), {"cause": "drawdown", "figures": "{'cause': 'x'}"}),
    ],
    ids=["no comparing", "no text", "another field's place"],
)
@pytest.mark.django_db
def test_what_cannot_even_be_looked_at_fails_no_transaction(payload, told, settings):
    settings.STRICT_EVENTS = False
    with transaction.atomic():
        publish(payload, "told", **AT)
    stored_as = Event.objects.get().payload
    assert {key: stored_as[key] for key in told} == told


def test_a_kind_is_declared_once():
    with pytest.raises(ValueError, match="two classes declare the kind of event 'signal'"):
        type("Again", (Payload,), {}, kind="signal")
    with pytest.raises(ValueError, match="more than 48 characters"):
        type("Long", (Payload,), {}, kind="k" * 49)


def test_what_a_wrong_name_may_have_meant():
    assert why_unknown("order_filled") == why_unknown("stale_candles_ended") == ""
    assert "'order_fileld': perhaps order_filled" in why_unknown("order_fileld")
    assert "`manage.py event_kinds` lists them" in why_unknown("zzz")
    assert "zzz" not in why_unknown("zzz://planted")


def test_no_kind_is_longer_than_its_column():
    assert max(map(len, kinds())) <= Event._meta.get_field("kind").max_length
