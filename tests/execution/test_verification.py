"""Whatever happens, the stored books follow from their fills; and whatever is changed in them is found and named."""

from decimal import Decimal as D
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bots.models import Bot
from execution.models import AssetBalance, AssetExposure, BotBook, CapitalChange, Order, Portfolio, Position, Trade
from execution.states import PositionStatus
from execution.verify import verify
from tests.factories import make_account
from tests.histories import History

SEED = 31


class Invented(TestCase):
    """Hypothesis' own TestCase: every example begins with an empty database."""

    @given(st.randoms(use_true_random=False), st.integers(1, 25))
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test_books_follow_from_fills_after_every_step(self, random, steps):
        history = History(random)
        for _ in range(steps):
            history.step()
            assert verify(history.account).differences == []
        history.slot += 1
        history.settle_all()
        assert verify(history.account).differences == []


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    """One history with a row of every kind (see test_it_has_everything), for all tests of this file."""
    outermost = transaction.atomic()
    outermost._from_testcase = True  # as Django's own tests do: what is durable may begin inside
    with django_db_blocker.unblock(), outermost:
        history = History(Random(SEED))
        for _ in range(90):
            history.step()
        history.close(history.bots[0])
        yield history
        transaction.set_rollback(True)


@pytest.fixture
def history(made, db):
    """The same, whose changes are undone after each test."""
    return made


def test_it_has_everything(history):
    statuses = set(Position.objects.values_list("status", flat=True))
    assert statuses >= {"OPENING", "OPEN", "CLOSED", "FLAT"}
    assert set(Order.objects.values_list("status", flat=True)) >= {"FILLED", "ACKED", "CANCELED"}
    assert Position.objects.exclude(dust=0).exists()
    assert Position.objects.exclude(reserved=0).exists()
    assert set(Trade.objects.values_list("fee_currency", flat=True)) >= {"USDT", "BTC", "BNB"}
    assert verify(history.account).found == 0


def whats(history):
    return {difference.what for difference in verify(history.account).differences}


FIGURES = [
    (Order, "order", ("filled", "filled_cost")),
    (
        Position,
        "position",
        (
            *("quantity", "cost", "dust", "realised", "fees", "reserved", "exposure", "unrealised"),
            *("entry_price", "exit_price"),
        ),
    ),
    (Portfolio, "portfolio", ("capital", "realised", "fees", "cost", "unrealised", "reserved", "exposure")),
    (BotBook, "book", ("realised", "fees", "unrealised", "wins", "losses", "loss_streak")),
    (Trade, "trade", ("cash_change",)),
]
ONE_FIGURE = [(model, column, f"{kind}.{column}") for model, kind, columns in FIGURES for column in columns]
ONE_FIGURE += [(AssetExposure, "exposure", "asset_exposure"), (AssetBalance, "amount", "asset_balance")]
SOURCES = [
    (Trade, "price", "order.filled_cost"),
    (Trade, "amount", "order.filled"),
    (Trade, "fee", "asset_balance"),
    (Trade, "fee_rate", "position.fees"),
    (Position, "mark_price", "position.unrealised"),
    (CapitalChange, "amount", "portfolio.capital"),
]


@pytest.mark.parametrize(("model", "column", "what"), ONE_FIGURE + SOURCES, ids=str)
def test_the_last_digit_of_any_figure_counts(history, model, column, what):
    rows = model.objects.exclude(**{column: None})
    row = rows.filter(status=PositionStatus.OPEN).first() if column == "mark_price" else rows.first()
    old = getattr(row, column)
    model.objects.filter(pk=row.pk).update(**{column: old + (1 if isinstance(old, int) else D("1e-18"))})
    (first, *_) = [one for one in verify(history.account).differences if one.what == what]
    assert first.stored != first.recomputed


def change(model, where, **columns):
    """A row of the model that is so, changed."""

    def act(_):
        row = model.objects.filter(**where).first()
        assert model.objects.filter(pk=row.pk).update(**columns) == 1

    return act


def drop(model, **where):
    return lambda _: model.objects.filter(pk=model.objects.filter(**where).first().pk).delete()


def other_account(model, **where):
    return lambda _: model.objects.filter(pk=model.objects.filter(**where).first().pk).update(account=make_account())


def other_parent(model, parent):
    """A row that hangs on another parent of the same kind."""

    def act(_):
        row = model.objects.first()
        stranger = type(getattr(row, parent)).objects.exclude(pk=getattr(row, f"{parent}_id")).last()
        model.objects.filter(pk=row.pk).update(**{parent: stranger})

    return act


def a_fill_of_an_order_elsewhere(_):
    trade = Trade.objects.first()
    Trade.objects.filter(pk=trade.pk).update(order=Order.objects.exclude(position=trade.position_id).first())


def without_a_rate(_):
    trade = Trade.objects.exclude(fee_rate=None).exclude(fee=0).first()
    Trade.objects.filter(pk=trade.pk).update(fee_rate=None)


def one_more_fill(_):
    trade = Trade.objects.first()
    trade.pk, trade.trade_id = None, "planted"
    trade.save()


def of_idle_bot(status):
    """Another status for the last position of the bot that holds nothing."""
    return lambda history: Position.objects.filter(pk=history.bots[0].positions.first().pk).update(status=status)


AT = "2024-03-10T00:00:00Z"
BROKEN = {
    "an order without its end": (change(Order, {"status": "FILLED"}, finished_at=None), "order.finished_at"),
    "an end of an order that goes on": (change(Order, {"status": "ACKED"}, finished_at=AT), "order.finished_at"),
    "at the exchange, never sent": (change(Order, {"status": "ACKED"}, sent_at=None), "order.sent_at"),
    "filled, but not all": (change(Order, {"status": "EXPIRED", "filled": D(0)}, status="FILLED"), "order.status"),
    "rejected, but filled": (change(Order, {"status": "FILLED"}, status="REJECTED"), "order.status"),
    "more filled than ordered": (change(Order, {"status": "FILLED"}, amount=D("0.0001")), "order.filled"),
    "open, holds nothing": (of_idle_bot("OPEN"), "position.status"),
    "open, and ended": (change(Position, {"status": "OPEN"}, closed_at=AT), "position.status"),
    "closed, and holds": (change(Position, {"status": "OPEN"}, status="CLOSED", closed_at=AT), "position.status"),
    "flat, but opened": (change(Position, {"status": "CLOSED"}, status="FLAT"), "position.status"),
    "opening, nothing buys": (change(Position, {"status": "OPEN"}, status="OPENING"), "position.status"),
    "closing, never opened": (change(Position, {"status": "OPENING"}, status="CLOSING"), "position.status"),
    "an order of another bot": (other_parent(Order, "bot"), "order.bot_id"),
    "an order of another account": (other_account(Order), "order.account_id"),
    "an order of another symbol": (change(Order, {"symbol": "BTC/USDT"}, symbol="SOL/USDT"), "order.symbol"),
    "a position without its entry": (change(Order, {"side": "BUY"}, side="SELL", purpose="EXIT"), "position.entry"),
    "a fill of another order": (a_fill_of_an_order_elsewhere, "trade.order"),
    "a fill of another position": (other_parent(Trade, "position"), "trade.order"),
    "a fill of another account": (other_account(Trade), "trade.account_id"),
    "a fill of another symbol": (change(Trade, {"symbol": "BTC/USDT"}, symbol="SOL/USDT"), "trade.symbol"),
    "a fill of the other side": (change(Trade, {"side": "SELL"}, side="BUY"), "trade.side"),
    "a position of another account": (other_account(Position, trades__isnull=False), "trade.position"),
    "a fill that is gone": (drop(Trade), "order.filled"),
    "a fill that never was": (one_more_fill, "order.filled"),
    "a fee without its rate": (without_a_rate, "position.fills"),
    "more sold than held": (change(Trade, {"side": "SELL"}, amount=D(1000)), "position.fills"),
    "no portfolio": (drop(Portfolio), "portfolio"),
    "a balance that is gone": (drop(AssetBalance, asset="USDT"), "asset_balance"),
}


@pytest.mark.parametrize(("act", "what"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_true_is_named(history, act, what):
    act(history)
    assert what in whats(history)


def test_a_balance_of_what_nobody_moved_is_a_difference(history):
    AssetBalance.objects.create(account=history.account, asset="DOGE", amount=D(1))
    assert whats(history) == {"asset_balance"}


def test_untracked_is_not_ours_to_verify(history):
    AssetBalance.objects.update(untracked=D(7))
    assert verify(history.account).found == 0


def test_a_bot_that_came_from_another_account_brings_its_results(history):
    bot = history.bots[0]
    assert bot.positions.filter(status="CLOSED").exists()
    there = make_account()
    Bot.objects.filter(pk=bot.pk).update(account=there)
    assert verify(history.account).found == verify(there).found == 0
    BotBook.objects.filter(bot=bot).update(realised=D(1))
    assert {one.what for one in verify(there).differences} == {"book.realised"}


def test_of_many_differences_the_first_are_kept_and_all_counted(history, monkeypatch):
    monkeypatch.setattr("execution.verify.KEPT", 3)
    Order.objects.update(filled=D(77))
    found = verify(history.account)
    assert (len(found.differences), found.found > 3) == (3, True)
