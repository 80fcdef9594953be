"""Halts as rows: one per cause, in force until somebody clears it for a reason."""

import pytest
from django.db import IntegrityError, transaction

from market.clock import Now
from notifications.models import Event
from risk.halts import clear_halt, end_by_clock, open_halts, raise_halt
from risk.models import Halt
from tests.factories import SLOT_0, make_account, make_bot, now_at

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


def test_the_kill_switch_stops_every_account():
    one, two = make_bot(), make_bot()
    raise_halt(None, None, "operator", "all stop", {}, NOW)
    assert open_halts(one.account_id, one.pk, NOW) == open_halts(two.account_id, two.pk, NOW) == ("all stop",)
    assert open_halts(make_account().pk, 0, NOW) == ("all stop",)
    assert raise_halt(None, None, "operator", "again", {}, NOW) is None
    assert raise_halt(None, None, "dead_mans_switch", "silence", {}, NOW)
    assert [event.payload["scope"] for event in Event.objects.filter(kind="halt_raised")] == ["everything"] * 2


def until_tomorrow(bot):
    tomorrow = now_at(SLOT_0 + 96, after_ms=0)
    halt = raise_halt(bot.account, bot, "daily_loss", "lost", {}, NOW, until=tomorrow.market_at)
    return halt, tomorrow


def test_a_halt_with_an_end_is_over_exactly_then_whoever_has_written_it_down():
    bot = make_bot()
    halt, tomorrow = until_tomorrow(bot)
    a_moment_before = Now(tomorrow.wall_ms - 1, tomorrow.market_ms - 1)
    assert open_halts(bot.account_id, bot.pk, a_moment_before) == ("lost",)
    assert open_halts(bot.account_id, bot.pk, tomorrow) == ()
    halt.refresh_from_db()
    assert halt.cleared_at is None


def test_its_end_is_market_time():
    bot = make_bot()
    _, tomorrow = until_tomorrow(bot)
    assert open_halts(bot.account_id, bot.pk, Now(tomorrow.wall_ms * 2, tomorrow.market_ms - 1)) == ("lost",)
    assert open_halts(bot.account_id, bot.pk, Now(0, tomorrow.market_ms)) == ()


def test_the_clock_writes_the_end_down_once_and_tells_it():
    bot = make_bot()
    halt, tomorrow = until_tomorrow(bot)
    assert end_by_clock(Now(tomorrow.wall_ms, tomorrow.market_ms - 1)) == 0
    assert [end_by_clock(tomorrow), end_by_clock(tomorrow)] == [1, 0]
    halt.refresh_from_db()
    assert (halt.cleared_by, halt.cleared_at) == ("clock", tomorrow.wall_at)
    [told] = Event.objects.filter(kind="halt_cleared")
    assert (told.bot_id, told.severity) == (bot.pk, "INFO")


def test_a_halt_that_is_over_and_was_not_written_down_does_not_keep_the_next_from_being_raised():
    bot = make_bot()
    halt, tomorrow = until_tomorrow(bot)
    again = raise_halt(bot.account, bot, "daily_loss", "lost again", {}, tomorrow, until=None)
    assert again.pk != halt.pk
    assert open_halts(bot.account_id, bot.pk, tomorrow) == ("lost again",)


def test_a_halt_may_come_to_sell_what_is_held_and_never_stops_to_by_itself():
    bot = make_bot()
    halt = raise_halt(bot.account, None, "operator", "stop", {}, NOW)
    assert raise_halt(bot.account, None, "operator", "and sell", {}, NOW, closes=True).pk == halt.pk
    assert raise_halt(bot.account, None, "operator", "and sell", {}, NOW, closes=True) is None
    assert raise_halt(bot.account, None, "operator", "stop", {}, NOW) is None
    assert Halt.objects.get().closes
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["halt_raised", "halt_closes"]
