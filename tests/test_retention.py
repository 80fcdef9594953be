"""Thinning out the past: what goes, what never goes, and that it may run beside everything else."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from execution.models import EquitySnapshot
from execution.verify import verify
from market.clock import Now
from notifications.models import Condition, Event, Severity
from risk.models import Decision, Outcome
from tests.factories import make_bot, now_at
from tests.histories import History
from tradingplatform import thinning
from tradingplatform.celery import app
from tradingplatform.environment import BadEnvironment, read_environment
from tradingplatform.housekeeping import SCHEDULE
from tradingplatform.retention import (
    CONDITIONS,
    DECISIONS,
    RULES,
    before,
    hour_of,
    superfluous,
)
from tradingplatform.thinning import thin, thin_daily

DAYS = 90
DAY_MS = 86_400_000
THEN = now_at()
NOW = Now(THEN.wall_ms + 120 * DAY_MS, THEN.market_ms + 120 * DAY_MS)
HOUR_0 = hour_of(THEN.market_at)
THINNED = {"risk.Decision", "execution.EquitySnapshot", "notifications.Event", "notifications.Condition"}

db = pytest.mark.django_db


def at(minutes, days=0):
    return HOUR_0 + timedelta(minutes=minutes, days=days)


def decide(bot, slot, when, outcome=Outcome.NOTHING):
    return Decision.objects.create(
        bot=bot, slot=slot, outcome=outcome, reason="", bot_status="RUNNING", market_at=when, wall_at=when
    )


def snapshot(account, bot, when):
    return EquitySnapshot.objects.create(account=account, bot=bot, market_at=when, equity=1, realised=0, unrealised=0)


def tell(kind, when, severity=Severity.INFO, bot_id=None):
    with transaction.atomic():
        return Event.objects.create(
            kind=kind, text=kind, severity=severity, bot_id=bot_id, market_at=when, wall_at=when
        )


# --- the policy


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(0, 299).map(at),
        ),
        max_size=40,
    )
)
def test_of_each_owner_and_hour_the_last_is_left(drawn):
    rows = [(pk, owner, when) for pk, (owner, when) in enumerate(drawn)]
    gone = superfluous(rows)
    left = [row for row in rows if row[0] not in gone]
    assert len(gone) == len(set(gone)) == len(rows) - len(left)
    for owner, hour in {(owner, hour_of(when)) for _, owner, when in rows}:
        alike = [row for row in rows if (row[1], hour_of(row[2])) == (owner, hour)]
        assert [row for row in alike if row in left] == [max(alike, key=lambda row: (row[2], row[0]))]
    assert superfluous(left) == []


def test_the_edge_is_a_whole_hour_of_the_rules_own_clock():
    now = Now(wall_ms=THEN.wall_ms, market_ms=THEN.market_ms + 5 * DAY_MS + 1_234_567)
    assert before(DECISIONS, now, 7) == hour_of(now.market_at) - timedelta(days=7)
    assert before(CONDITIONS, now, 7) == hour_of(now.wall_at) - timedelta(days=400)
    assert before(CONDITIONS, now, 1000) == hour_of(now.wall_at) - timedelta(days=1000)


def test_days_have_sane_bounds(monkeypatch):
    monkeypatch.setenv("RETENTION_DAYS", "6")
    with pytest.raises(BadEnvironment, match=r"RETENTION_DAYS='6'.*greater than or equal to 7"):
        read_environment()
    monkeypatch.setenv("RETENTION_DAYS", "7")
    assert read_environment().RETENTION_DAYS == 7


def test_the_scheduled_task_exists():
    app.loader.import_default_modules()
    assert all(task in app.tasks for task, _, _ in SCHEDULE.values())


# --- what goes


@db
def test_decisions_to_do_nothing_are_thinned_to_one_an_hour():
    bot, other = make_bot(), make_bot()
    for quarter in range(8):
        decide(bot, quarter, at(15 * quarter))
        decide(other, quarter, at(15 * quarter), Outcome.SKIPPED)
    told = [outcome for outcome in Outcome if outcome not in (Outcome.NOTHING, Outcome.SKIPPED)]
    for number, outcome in enumerate(told):
        decide(bot, 100 + number, at(number), outcome)
    assert thin(NOW, DAYS)["decisions"] == 12
    assert Counter(Decision.objects.values_list("outcome", flat=True)) == Counter(
        {"NOTHING": 2, "SKIPPED": 2, **{outcome.value: 1 for outcome in told}}
    )
    assert sorted(Decision.objects.filter(bot=other).values_list("slot", flat=True)) == [3, 7]


@db
def test_the_last_days_are_whole():
    bot = make_bot()
    edge = before(DECISIONS, NOW, DAYS)
    for number in range(8):
        decide(bot, number, edge + timedelta(minutes=15 * (number - 4)))
    thin(NOW, DAYS)
    assert sorted(Decision.objects.values_list("slot", flat=True)) == [3, 4, 5, 6, 7]


@db
def test_market_time_counts_for_what_has_it():
    """A market that has run far ahead of the wall is thinned out by its own days."""
    bot = make_bot()
    decide(bot, 1, at(0))
    decide(bot, 2, at(15))
    Decision.objects.update(wall_at=NOW.wall_at)
    assert thin(Now(THEN.wall_ms, NOW.market_ms), DAYS)["decisions"] == 1


@db
def test_snapshots_are_thinned_for_each_bot_and_each_account():
    bot = make_bot()
    for minute in (0, 20, 59, 60, 119):
        snapshot(bot.account, bot, at(minute))
        snapshot(bot.account, None, at(minute + 0.5))
    other = make_bot()
    snapshot(other.account, None, at(1))
    assert thin(NOW, DAYS)["snapshots"] == 6 - 1 + 1
    left = EquitySnapshot.objects.filter(bot=bot).values_list("market_at", flat=True)
    assert sorted(left) == [at(59), at(119)]
    assert EquitySnapshot.objects.filter(account=other.account).count() == 1


@db
def test_of_events_only_signals_go():
    kinds = ["bot_stopped", "order_filled", "position_closed", "halt_cleared", "close_asked", "signal", "tick_failed"]
    for kind in kinds:
        tell(kind, at(0))
    tell("signal", at(0), Severity.WARNING)
    tell("signal", at(0, days=119))
    assert thin(NOW, DAYS)["signals"] == 1
    assert Event.objects.count() == len(kinds) + 1


@db
def test_conditions_go_when_they_ended_long_ago_by_the_wall():
    old, lately = NOW.wall_at - timedelta(days=402), NOW.wall_at - timedelta(days=398)
    for subject, ended_at in (("a", old), ("b", lately), ("c", None)):
        Condition.objects.create(kind="exchange_down", subject=subject, text="", began_at=old, ended_at=ended_at)
    assert thin(NOW, DAYS)["conditions"] == 1
    assert set(Condition.objects.values_list("subject", flat=True)) == {"b", "c"}


# --- how it goes


def _fill_hour(bot, rows):
    for number in range(rows):
        decide(bot, number, at(number * 0.01))


@db
@pytest.mark.parametrize(("read", "rows"), [(5, 5), (5, 6), (5, 23), (7, 3)])
def test_reads_and_batches_of_any_size_come_to_the_same(monkeypatch, read, rows):
    """Also an hour that is fuller than one read, and one that is cut by it."""
    monkeypatch.setattr(thinning, "READ", read)
    monkeypatch.setattr(thinning, "BATCH", 2)
    bot = make_bot()
    _fill_hour(bot, rows)
    for hour in range(1, 6):
        decide(bot, 1000 + hour, at(60 * hour))
        decide(bot, 2000 + hour, at(60 * hour + 30))
    assert thin(NOW, DAYS)["decisions"] == rows - 1 + 5
    assert sorted(Decision.objects.values_list("slot", flat=True)) == [rows - 1, *range(2001, 2006)]


@db
def test_no_transaction_removes_more_than_a_batch(monkeypatch):
    monkeypatch.setattr(thinning, "BATCH", 10)
    _fill_hour(make_bot(), 35)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        thin(NOW, DAYS)
    removals = [one["sql"] for one in queries if one["sql"].startswith('DELETE FROM "risk_decision"')]
    assert len(removals) == 4
    assert max(sql.count(",") for sql in removals) < 10


@db
def test_what_was_ordered_since_it_was_found_is_left(monkeypatch):
    """The conditions of the rule are repeated where the rows are removed."""
    bot = make_bot()
    first, _ = decide(bot, 1, at(0)), decide(bot, 2, at(1))
    rows = thinning._candidates(DECISIONS, NOW.market_at)
    Decision.objects.filter(pk=first.pk).update(outcome=Outcome.EXIT)
    assert thinning._remover(rows)([first.pk]) == 0
    assert Decision.objects.count() == 2


@db
def test_a_dry_run_counts_and_changes_nothing(monkeypatch):
    monkeypatch.setattr(thinning, "BATCH", 2)
    bot = make_bot()
    _fill_hour(bot, 9)
    for minute in range(5):
        tell("signal", at(minute))
        snapshot(bot.account, None, at(minute))
    counted = thin(NOW, DAYS, dry_run=True)
    assert Decision.objects.count() == 9
    assert Event.objects.count() == 5
    assert counted == thin(NOW, DAYS) == {"decisions": 8, "snapshots": 4, "signals": 5, "conditions": 0}


@db
def test_a_job_without_time_leaves_the_rest_for_the_next(monkeypatch):
    _fill_hour(make_bot(), 9)
    monkeypatch.setattr(thinning, "JOB_S", 0.0)
    thin_daily(NOW, DAYS)
    assert Decision.objects.count() == 9
    monkeypatch.setattr(thinning, "JOB_S", 40.0)
    thin_daily(NOW, DAYS)
    assert Decision.objects.count() == 1


# --- whatever there is


def _scatter(random, history):
    """Rows of every kind over eight months about a real history; some are younger than the edge."""
    for number in range(random.randrange(10, 60)):
        when = HOUR_0 + timedelta(minutes=random.randrange(240), days=random.choice([-150, 0, 0, 0, 29, 31, 119]))
        bot = random.choice(history.bots)
        decide(bot, 10_000_000 + number, when, random.choice(list(Outcome)))
        snapshot(history.account, random.choice([bot, None]), when)
        tell(random.choice(["signal", "order_filled", "bot_paused"]), when, random.choice(list(Severity)), bot.pk)
        ended_at = random.choice([None, when, when - timedelta(days=300)])
        if ended_at is not None or not Condition.objects.filter(ended_at=None).exists():
            Condition.objects.create(kind="k", subject="s", text="", began_at=when, ended_at=ended_at)


def _contents():
    """Every row of every table by table."""
    return {
        model._meta.label: {row["pk" if "pk" in row else model._meta.pk.attname]: row for row in model.objects.values()}
        for model in apps.get_models()
    }


def _may_go(label, row, edge, wall_edge, ordered):
    """Said anew here, row by row."""
    match label:
        case "risk.Decision":
            return row["market_at"] < edge and row["outcome"] in ("NOTHING", "SKIPPED") and row["id"] not in ordered
        case "execution.EquitySnapshot":
            return row["market_at"] < edge
        case "notifications.Event":
            return row["market_at"] < edge and (row["kind"], row["severity"]) == ("signal", "INFO")
        case "notifications.Condition":
            return row["ended_at"] is not None and row["ended_at"] < wall_edge
    return False


def _check(was, now_is, edge, wall_edge):
    ordered = {row["decision_id"] for row in was["execution.Order"].values()}
    for label, rows in was.items():
        gone = [row for pk, row in rows.items() if pk not in now_is[label]]
        assert all(_may_go(label, row, edge, wall_edge, ordered) for row in gone), label
        assert all(rows[pk] == row for pk, row in now_is[label].items()), label
        assert not gone or label in THINNED
    for label in ("risk.Decision", "execution.EquitySnapshot"):
        thinned = lambda rows, label=label: Counter(  # noqa: E731
            (row.get("account_id"), row["bot_id"], hour_of(row["market_at"]))
            for row in rows.values()
            if _may_go(label, row, edge, wall_edge, ordered)
        )
        assert thinned(now_is[label]) == dict.fromkeys(thinned(was[label]), 1)
    for label in ("notifications.Event", "notifications.Condition"):
        assert not any(_may_go(label, row, edge, wall_edge, ordered) for row in now_is[label].values())


@db
@pytest.mark.parametrize("seed", range(12))
def test_whatever_rows_there_are_money_and_audit_are_untouched_and_twice_is_once(monkeypatch, seed):
    random = Random(seed)
    monkeypatch.setattr(thinning, "READ", random.randint(1, 50))
    monkeypatch.setattr(thinning, "BATCH", random.randint(1, 9))
    days = random.choice([7, 90, 119, 150])
    history = History(random)
    for _ in range(12):
        history.step()
    _scatter(random, history)
    was = _contents()
    counted = thin(NOW, days, dry_run=True)
    assert _contents() == was
    assert thin(NOW, days) == counted
    left = _contents()
    assert sum(counted.values()) == sum(len(was[label]) - len(left[label]) for label in was)
    _check(was, left, before(DECISIONS, NOW, days), before(CONDITIONS, NOW, days))
    assert set(thin(NOW, days).values()) == {0}
    assert _contents() == left
    assert verify(history.account).found == 0


# --- the command


@db
def test_the_command(capsys, settings, tmp_path):
    settings.CLOCK_FILE = tmp_path / "none"
    _fill_hour(make_bot(), 9)
    call_command("thin", "--dry-run")
    said = capsys.readouterr().out
    assert "decisions          8 would go: NOTHING and SKIPPED without an order, older than" in said
    assert all(rule.kind in said for rule in RULES)
    assert Decision.objects.count() == 9
    call_command("thin")
    said = capsys.readouterr().out
    assert "decisions          8 removed" in said
    assert ("SQLite uses the freed space again" in said) == (connection.vendor == "sqlite")
    with pytest.raises(CommandError, match="leave out --vacuum"):
        call_command("thin", "--dry-run", "--vacuum")


@pytest.mark.django_db(transaction=True)
def test_vacuum(capsys, settings, tmp_path):
    settings.CLOCK_FILE = tmp_path / "none"
    if connection.vendor != "sqlite":
        with pytest.raises(CommandError, match="autovacuum"):
            call_command("thin", "--vacuum")
        return
    call_command("thin", "--vacuum")
    assert "vacuumed" in capsys.readouterr().out
