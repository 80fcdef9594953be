"""Whatever happens to the switch, in whatever order: time is only ever given by a check-in, and a latch holds."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from market.clock import Now
from risk.clock_guard import BACK_LIMIT
from risk.deadman import check_in, clock_problem, pull, suspect_clock
from risk.deadman_stage import Stage
from risk.deadman_watch import watch
from risk.models import DeadMansSwitch
from tests.factories import now_at
from tests.machines.running import few

TIMEOUT_S = 3_600
SPANS = st.integers(1, 2_000) | st.sampled_from((0, 29, 30, 31, 59, 60, 61, 597, 3_456, TIMEOUT_S - 1, TIMEOUT_S))


class History(RuleBasedStateMachine):
    """One switch, its machine's clock, and people who check in. Seconds."""

    @initialize()
    def begins(self) -> None:
        DeadMansSwitch.objects.all().delete()
        self.now_s = now_at().wall_ms // 1000
        at = self._now().wall_at
        DeadMansSwitch.objects.create(timeout_s=TIMEOUT_S, last_checkin_at=at, last_checkin_by="ann", high_water_at=at)
        self.honest_s, self.sent, self.latched = self.now_s, [self.now_s], False

    @rule(span=SPANS)
    def time_passes(self, span: int) -> None:
        self.now_s += span

    @rule(span=SPANS, sign=st.sampled_from((-1, 1)))
    def the_clock_is_set(self, span: int, sign: int) -> None:
        """Perhaps a process saw it."""
        self.now_s += span * sign

    @rule()
    def a_jump_is_seen(self) -> None:
        suspect_clock("it jumped", self._now())

    @rule(off=st.integers(-5_000, 5_000))
    def somebody_checks_in(self, off: int) -> None:
        """With whatever time the message claims to have been sent at."""
        self._check_in(self.now_s + off)

    @rule(data=st.data())
    def an_old_message_comes_again(self, data: st.DataObject) -> None:
        self._check_in(data.draw(st.sampled_from(self.sent)))

    @rule()
    def somebody_looks(self) -> None:
        watch(self._now())

    @rule()
    def the_gate_asks(self) -> None:
        pull(self._now())

    @rule()
    def the_row_is_away(self) -> None:
        """As after a backup without it; and what is put back is what was there."""
        kept = DeadMansSwitch.objects.get()
        DeadMansSwitch.objects.all().delete()
        assert pull(self._now())
        assert not check_in("eve", self.now_s * 1000, self._now())
        assert watch(self._now()) is Stage.TRIGGERED
        kept.save(force_insert=True)

    @invariant()
    def nothing_gives_time_but_a_check_in(self) -> None:
        row = DeadMansSwitch.objects.get()
        assert row.last_checkin_at.timestamp() <= self.honest_s
        with transaction.atomic():
            open_now = not pull(self._now()) and not clock_problem(self._now())
        if open_now:
            assert self.now_s < self.honest_s + TIMEOUT_S
            assert self._now().wall_at >= row.high_water_at - BACK_LIMIT

    @invariant()
    def what_is_latched_stays_latched(self) -> None:
        row = DeadMansSwitch.objects.get()
        assert not self.latched or row.latched_at is not None, "unlatched without a reset"
        self.latched = row.latched_at is not None
        if self.latched:
            assert pull(self._now())

    def _check_in(self, sent_s: int) -> None:
        before = DeadMansSwitch.objects.get()
        credited = check_in("ann", sent_s * 1000, self._now())
        after = DeadMansSwitch.objects.get()
        if credited:
            self.honest_s = max(self.honest_s, min(sent_s, self.now_s))
            assert after.last_checkin_at - before.last_checkin_at > timedelta(0), "a replay was credited"
            assert after.last_checkin_at <= self._now().wall_at
        else:
            assert after.last_checkin_at == before.last_checkin_at
        self.sent.append(sent_s)

    def _now(self) -> Now:
        return Now(self.now_s * 1000, self.now_s * 1000)


@pytest.mark.django_db
def test_histories():
    run_state_machine_as_test(History, settings=settings(few(60, 40)))
