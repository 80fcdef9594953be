"""Halts as rows: one per cause, in force until somebody clears it for a reason."""

import pytest
from django.db import IntegrityError, transaction

from notifications.models import Event
from risk.halts import clear_halt, open_halts, raise_halt
from risk.models import Halt
from tests.factories import make_account, make_bot, now_at

pytestmark = pytest.mark.django_db
NOW = now_at()


def test_a_bots_halt_stops_it_alone_and_an_accounts_halt_stops_all():
    account = make_account()
    one, two = make_bot(account), make_bot(account)
    raise_halt(account, one, "drawdown", "too deep", {"value": "0.3"}, NOW)
    assert open_halts(account.pk, one.pk) == ("too deep",)
    assert open_halts(account.pk, two.pk) == ()
    raise_halt(account, None, "portfolio_drawdown", "all too deep", {}, NOW)
    assert open_halts(account.pk, two.pk) == ("all too deep",)
    assert open_halts(make_account().pk, 0) == ()


def test_the_same_halt_is_raised_and_told_once():
    bot = make_bot()
    assert raise_halt(bot.account, bot, "drawdown", "x", {}, NOW)
    assert raise_halt(bot.account, bot, "drawdown", "x", {}, NOW) is None
    assert Event.objects.filter(kind="halt_raised").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Halt.objects.create(
            account=bot.account, bot=bot, cause="drawdown", text="x", market_at=NOW.market_at, raised_at=NOW.wall_at
        )


def test_it_is_cleared_by_somebody_for_a_reason_and_may_fire_again():
    bot = make_bot()
    halt = raise_halt(bot.account, bot, "drawdown", "x", {}, NOW)
    with pytest.raises(ValueError, match="reason"):
        clear_halt(halt.pk, "ann", "", NOW)
    assert clear_halt(halt.pk, "ann", "looked into it", NOW)
    assert not clear_halt(halt.pk, "bob", "late", NOW)
    assert open_halts(bot.account_id, bot.pk) == ()
    assert raise_halt(bot.account, bot, "drawdown", "x", {}, NOW)
    halt.refresh_from_db()
    assert (halt.cleared_by, halt.clear_reason) == ("ann", "looked into it")
