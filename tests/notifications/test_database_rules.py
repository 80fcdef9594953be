"""What the database itself refuses, whoever asks."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from execution.models import Order, Purpose
from market.orders import OrderType, Side
from notifications.audit import audit
from notifications.models import AuditEntry
from risk.models import Decision, Outcome
from tests.factories import make_account, make_bot, make_position, now_at

pytestmark = pytest.mark.django_db
NOW = now_at()


def decision_of(bot, outcome, slot=1):
    return Decision.objects.create(
        bot=bot, slot=slot, outcome=outcome, bot_status=bot.status, market_at=NOW.market_at, wall_at=NOW.wall_at
    )


def entry(position, decision, name="e-1"):
    return Order(
        account=position.account,
        bot=position.bot,
        position=position,
        decision=decision,
        client_order_id=name,
        purpose=Purpose.ENTRY,
        symbol=position.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=Decimal(1),
        reference_price=Decimal(100),
        market_at=NOW.market_at,
        prepared_at=NOW.wall_at,
    )


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.APPROVED])
def test_no_entry_without_an_approved_decision(outcome):
    bot = make_bot()
    position = make_position(bot, NOW.market_at)
    with pytest.raises(IntegrityError, match="approved decision"), transaction.atomic():
        entry(position, decision_of(bot, outcome)).save()


def test_no_entry_on_the_decision_of_another_bot():
    account = make_account()
    bot, other = make_bot(account), make_bot(account)
    with pytest.raises(IntegrityError, match="approved decision"), transaction.atomic():
        entry(make_position(bot, NOW.market_at), decision_of(other, Outcome.APPROVED)).save()


def test_a_decision_makes_one_entry():
    account = make_account()
    bot = make_bot(account)
    decision = decision_of(bot, Outcome.APPROVED)
    position = make_position(bot, NOW.market_at)
    entry(position, decision).save()
    position.status, position.closed_at = "CLOSED", NOW.market_at
    position.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        entry(make_position(bot, NOW.market_at), decision, "e-2").save()


def test_an_audit_entry_is_written_once_and_never_changed():
    with transaction.atomic():
        row = audit("halt", "everything", actor="ann", address="here", market_at=NOW.market_at, wall_at=NOW.wall_at)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        AuditEntry.objects.filter(pk=row.pk).update(actor="bob")
    row.actor = "bob"
    for change in (row.save, row.delete, AuditEntry.objects.all().delete):
        with pytest.raises(TypeError, match="never"):
            change()
    assert AuditEntry.objects.get().actor == "ann"
