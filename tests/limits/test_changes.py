"""Tightening is never delayed, loosening is never early, whatever the order of changes."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bots.models import Bot
from market.clock import Now
from notifications.models import AuditEntry, Event
from risk.limit_changes import NothingToChange, UnusableLimits, bot_limits_now, limits_at_gate
from risk.limits import BotLimits
from risk.models import BotRiskLimits, LimitChange, PortfolioRiskLimits
from tests.factories import SLOT_0, make_account, make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.limit_acts import NotConfirmed, change_limit, limits_now, withdraw_changes

pytestmark = pytest.mark.django_db

NOW = now_at()
NEXT = now_at(SLOT_0 + 1, after_ms=0)
BEFORE_NEXT = Now(NEXT.wall_ms - 1, NEXT.market_ms - 1)


def by(now=NOW, reason="because"):
    return By("ann", now, reason)


def change(whose, name, text, now=NOW, confirm=None):
    return change_limit(whose, name, text, by(now), whose.name if confirm is None else confirm)


def at_gate(bot, now):
    with transaction.atomic():
        return limits_at_gate(Bot.objects.select_related("account").get(pk=bot.pk), bot.account_id, now)


def test_tightening_holds_at_once():
    bot = make_bot()
    made = change(bot, "max_position", "0.1", confirm="")
    assert (made.loosens, made.applied_at, made.before, made.after) == (False, NOW.wall_at, "0.25", "0.1")
    assert at_gate(bot, NOW).bot.max_position == bot_limits_now(bot, NOW).max_position == D("0.1")
    assert Event.objects.get(kind="limit_changed").severity == "INFO"


def test_loosening_waits_for_the_bots_next_slot():
    bot = make_bot()
    made = change(bot, "max_position", "0.4")
    assert (made.loosens, made.applied_at, made.effective_at) == (True, None, NEXT.market_at)
    for now, holds in ((NOW, "0.25"), (BEFORE_NEXT, "0.25"), (NEXT, "0.4")):
        assert bot_limits_now(bot, now).max_position == D(holds)  # booked or not
        assert at_gate(bot, now).bot.max_position == D(holds)
    made.refresh_from_db()
    assert made.applied_at == NEXT.wall_at
    assert Event.objects.get(kind="limit_change_waits").severity == "WARNING"


@pytest.mark.parametrize(("timeframe", "seconds"), [("15m", 900), ("1h", 3600), ("4h", 14400)])
def test_the_next_slot_is_that_of_the_bots_timeframe(timeframe, seconds):
    bot = make_bot(timeframe=timeframe)
    at = change(bot, "streak_losses", "4").effective_at
    assert timedelta(0) < at - NOW.market_at <= timedelta(seconds=seconds)
    assert round(at.timestamp()) % seconds == 0


def test_an_accounts_loosening_waits_for_the_shortest_timeframe():
    account = make_account()
    bot = make_bot(account, timeframe="4h")
    assert change(account, "max_asset", "0.4").effective_at == NEXT.market_at
    assert at_gate(bot, BEFORE_NEXT).portfolio.max_asset == D("0.25")
    assert at_gate(bot, NEXT).portfolio.max_asset == D("0.4")


@pytest.mark.parametrize("typed", ["", "yes", "BOT", " "])
def test_loosening_is_confirmed_by_the_name(typed):
    bot = make_bot()
    with pytest.raises(NotConfirmed, match=f"typing the name {bot.name}"):
        change(bot, "max_position", "0.4", confirm=typed)
    assert not LimitChange.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_a_change_needs_a_reason(reason):
    bot = make_bot()
    with pytest.raises(ValueError, match="reason"):
        change_limit(bot, "max_position", "0.1", by(reason=reason))
    with pytest.raises(ValueError, match="reason"):
        withdraw_changes(bot, by(reason=reason))


def test_nothing_to_change_is_said():
    with pytest.raises(ValueError, match=r"0\.25 already: there is nothing to change"):
        change(make_bot(), "max_position", "0.250")


def test_a_later_change_takes_the_place_of_one_that_waits():
    bot = make_bot()
    first, second = change(bot, "max_position", "0.4"), change(bot, "max_position", "0.3")
    first.refresh_from_db()
    assert first.withdrawn_at == NOW.wall_at
    assert second.before == "0.25"
    assert at_gate(bot, NEXT).bot.max_position == D("0.3")


def test_tightening_withdraws_what_waits():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    change(bot, "max_position", "0.2")
    assert at_gate(bot, NEXT).bot.max_position == D("0.2")


def test_the_present_value_withdraws_what_waits():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    assert change(bot, "max_position", "0.25", confirm="") is None
    assert at_gate(bot, NEXT).bot.max_position == D("0.25")
    entry = AuditEntry.objects.filter(action="limit_change_withdrawn").get()
    assert entry.before == {"max_position": "0.25", "waiting": "0.4"}


def test_all_that_wait_are_withdrawn_together():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    change(bot, "streak_losses", "5")
    assert withdraw_changes(bot, by()) == 2
    assert withdraw_changes(bot, by()) == 0
    assert at_gate(bot, NEXT).bot == BotLimits()


def test_a_change_leaves_its_row_its_audit_entry_and_its_event():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor, entry.bot_id) == (
        "limit_change_waits",
        f"bot {bot.name}",
        "ann",
        bot.pk,
    )
    assert (entry.before, entry.reason) == ({"max_position": "0.25"}, "because")
    assert entry.after == {"max_position": "0.4", "holds_from": NEXT.market_at.isoformat()}
    at_gate(bot, NEXT)
    told = Event.objects.get(kind="limit_changed")
    assert told.payload == {"limit": "max_position", "from": "0.25", "to": "0.4", "actor": "ann"}


def test_what_is_due_is_booked_once_and_only_for_whom_it_is():
    account = make_account()
    bot, other = make_bot(account), make_bot(account)
    change(bot, "max_position", "0.4")
    for _ in range(3):
        at_gate(other, NEXT)
    assert not Event.objects.filter(kind="limit_changed").exists()
    for _ in range(3):
        at_gate(bot, NEXT)
    assert Event.objects.filter(kind="limit_changed").count() == 1
    assert at_gate(other, NEXT).bot.max_position == D("0.25")


def test_a_change_that_is_due_is_the_present_value_of_the_next_one():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    assert change(bot, "max_position", "0.3", now=NEXT, confirm="").loosens is False
    assert at_gate(bot, NEXT).bot.max_position == D("0.3")


def test_the_gate_reads_its_limits_in_three_queries():
    bot = Bot.objects.select_related("account").get(pk=make_bot().pk)
    for value in range(20):
        change(bot, "max_position", f"0.{99 - value}", confirm=bot.name)
    with CaptureQueriesContext(connection) as queries:
        limits_at_gate(bot, bot.account_id, NOW)
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        limits_at_gate(bot, bot.account_id, NOW)
        due = queries.captured_queries[0]["sql"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {due}")
            assert "SCAN risk_limitchange" not in str(cursor.fetchall())


def test_limits_show_what_waits():
    bot = make_bot()
    change(bot, "max_position", "0.4")
    first, *rest = limits_now(bot, NOW)
    assert (first.name, first.value, first.waits.after) == ("max_position", "0.25", "0.4")
    assert [limit.waits for limit in rest] == [None] * 5
    assert limits_now(bot, NEXT)[0].value == "0.4"
    assert limits_now(bot, NEXT)[0].waits is None


class TestWhatCannotBeUsed:
    """Entries are denied with a reason, and nothing crashes."""

    def test_a_deleted_row(self):
        bot = make_bot()
        BotRiskLimits.objects.all().delete()
        found = at_gate(bot, NOW)
        assert (found.bot, found.faults) == (None, (f"there are no limits of bot {bot.name}",))
        with pytest.raises(ValueError, match="their row was deleted"):
            change(bot, "max_position", "0.1")
        with pytest.raises(UnusableLimits):
            bot_limits_now(bot, NOW)

    @pytest.mark.parametrize("value", ["'5'", "'0'", "'-0.1'", "'NaN'", "'much'", "''"])
    def test_a_row_out_of_bounds(self, value):
        bot = make_bot()
        _force(f"UPDATE risk_botrisklimits SET max_position = {value}")
        _force(f"UPDATE risk_portfoliorisklimits SET max_asset = {value}")
        found = at_gate(bot, NOW)
        assert (found.bot, found.portfolio) == (None, None)
        assert found.faults[0].startswith(f"the limits of bot {bot.name} cannot be used: ")
        assert found.faults[1].startswith(f"the limits of account {bot.account.name} cannot be used: ")

    def test_a_change_out_of_bounds_stays_waiting_and_refuses(self):
        bot = make_bot()
        made = change(bot, "max_position", "0.4")
        LimitChange.objects.update(after="4")
        found = at_gate(bot, NEXT)
        assert found.faults[0].startswith(f"change {made.pk} of a limit cannot be used: max_position must be above 0")
        assert BotRiskLimits.objects.get(bot=bot).max_position == D("0.25")
        change(bot, "max_position", "0.25", NEXT, confirm="")  # what an operator can do about it
        assert at_gate(bot, NEXT).bot.max_position == D("0.25")

    def test_a_change_of_a_row_that_is_broken_elsewhere(self):
        bot = make_bot()
        change(bot, "max_position", "0.4")
        _force("UPDATE risk_botrisklimits SET max_drawdown = '7'")
        found = at_gate(bot, NEXT)
        assert found.bot is None
        assert len(found.faults) == 2


def _force(statement):
    """Past the constraints, as a hand with a database shell would."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps its constraints whoever asks")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(statement)
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


VALUES = st.integers(1, 99).map(lambda hundredths: f"{D(hundredths) / 100:f}")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), VALUES),
        st.tuples(st.just("pass"), st.sampled_from([0, 1, 400_000, 899_999, 900_000, 2_000_000])),
        st.tuples(st.just("gate"), st.none()),
    ),
    max_size=25,
)


class AnyOrder(TestCase):
    """Hypothesis' own TestCase: every example begins with an empty database."""

    @given(STEPS, st.sampled_from(["15m", "1h"]))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_tightening_is_never_delayed_and_loosening_never_early(self, steps, timeframe):
        bot = make_bot(timeframe=timeframe)
        now, asked = NOW, []
        for step, given_ in steps:
            if step == "pass":
                now = Now(now.wall_ms + given_, now.market_ms + given_)
            elif step == "ask":
                with suppress(NothingToChange):
                    change(bot, "max_position", given_, now)
                asked.append((now.market_ms, D(given_)))
            else:
                at_gate(bot, now)
            should = _holds(asked, now.market_ms, bot.interval_s * 1000)
            assert bot_limits_now(bot, now).max_position == should
        assert at_gate(bot, now).bot.max_position == should if steps else True
        self._the_rows_tell_the_whole_story(bot)

    def _the_rows_tell_the_whole_story(self, bot):
        """Each applied change begins where the one before it ended, and all of them add up to what there is."""
        applied = list(LimitChange.objects.exclude(applied_at=None).order_by("pk"))
        ends = ["0.25", *(made.after for made in applied)]
        assert [made.before for made in applied] == ends[:-1]
        now = BotRiskLimits.objects.get(bot=bot).max_position
        assert sum((D(made.after) - D(made.before) for made in applied), D("0.25")) == now
        for made in LimitChange.objects.filter(loosens=True, applied_at__isnull=False):
            assert made.applied_at >= made.effective_at  # both clocks run alike here
            assert made.effective_at > made.asked_at


def _holds(asked, now_ms, slot_ms):
    """The limit as it should be: the last thing asked for, but each loosening only from the slot after it was asked."""
    value, later, from_ms = D("0.25"), None, 0
    for at_ms, wanted in asked:
        if later is not None and at_ms >= from_ms:
            value, later = later, None
        if wanted <= value:
            value, later = wanted, None
        else:
            later, from_ms = wanted, (at_ms // slot_ms + 1) * slot_ms
    return later if later is not None and now_ms >= from_ms else value


def test_a_bot_that_was_moved_meanwhile_is_not_changed_under_the_wrong_lock():
    bot = make_bot()
    elsewhere = Bot.objects.get(pk=bot.pk)
    Bot.objects.filter(pk=bot.pk).update(account=make_account())
    with pytest.raises(ValueError, match="moved to another account meanwhile"):
        change(elsewhere, "max_position", "0.1")


def test_an_accounts_limits_are_in_bounds_too():
    account = make_account()
    with pytest.raises(ValueError, match="price_collar must be above 0"):
        change(account, "price_collar", "2")
    change(account, "price_collar", "0.01")
    assert PortfolioRiskLimits.objects.get(account=account).price_collar == D("0.01")
