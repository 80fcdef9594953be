"""Why there was no tick: every reason, from what the rows say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tradingplatform.why.absent import Facts, why_no_tick

BEGIN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

MISSED = Facts(
    begins_at=BEGIN,
    ends_at=BEGIN + 15 * MINUTE,
    due_at=BEGIN + timedelta(seconds=4),
    late_at=BEGIN + 2 * MINUTE,
    now_at=BEGIN + 600 * MINUTE,
    speed=1.0,
    ticking=False,
    claimed=False,
    created_at=BEGIN - 900 * MINUTE,
    status="RUNNING",
    moved="Bot a started by anna",
    moved_at=BEGIN - 800 * MINUTE,
    started_in_it=False,
    before=BEGIN - 10 * MINUTE,
    after=BEGIN + 40 * MINUTE,
    others=0,
    others_at=None,
    seen_before=BEGIN - 11 * MINUTE,
    seen_after=BEGIN + 39 * MINUTE,
    rested_s=0.4,
    kept_since=BEGIN - timedelta(days=80),
)

REASONS = {
    "to_come": (
        {"now_at": BEGIN - MINUTE},
        "the slot is still to come (market time is 2026-11-24 02:59:00)",
    ),
    "did_not_exist": (
        {"created_at": BEGIN + 15 * MINUTE},
        "the bot did not exist yet, it was created at 2026-11-24 03:15:00",
    ),
    "stopped": (
        {"status": "STOPPED", "moved": "Bot a stopped by anna: tired"},
        "the bot was STOPPED since 2026-11-23 13:40:00 (Bot a stopped by anna: tired)",
    ),
    "never_started": (
        {"status": "STOPPED", "moved": "", "moved_at": None},
        "the bot was STOPPED: it had not been started",
    ),
    "started_in_it_and_missed": (
        {"status": "STOPPED", "started_in_it": True},
        "no bot ticked between 2026-11-24 02:50:00 and 2026-11-24 03:40:00: the platform was not running",
    ),
    "ticking": ({"now_at": BEGIN + MINUTE, "ticking": True}, "it is ticking at this moment: ask again"),
    "not_due": ({"now_at": BEGIN}, "it is still to come in this slot, at 2026-11-24 03:00:04"),
    "due": (
        {"now_at": BEGIN + MINUTE},
        "it is due since 2026-11-24 03:00:04, and its message is on the way: ask again",
    ),
    "platform_down": (
        {},
        "no bot ticked between 2026-11-24 02:50:00 and 2026-11-24 03:40:00: the platform was not running",
    ),
    "platform_down_still": (
        {"after": None, "seen_after": None},
        "no bot has ticked since 2026-11-24 02:50:00: the platform was not running",
    ),
    "platform_not_up_yet": (
        {"before": None, "seen_before": None},
        "no bot ticked before 2026-11-24 03:40:00: the platform was not running",
    ),
    "nobody_ever": ({"before": None, "after": None}, "no bot has ever ticked"),
    "workers_down": (
        {"seen_before": BEGIN - MINUTE, "seen_after": BEGIN + MINUTE},
        "no bot ticked between 2026-11-24 02:50:00 and 2026-11-24 03:40:00, though the accounts' equity was kept "
        "meanwhile: see log/trading.log and log/beat.log",
    ),
    "at_high_speed_snapshots_are_far_apart": (
        {"speed": 60.0, "seen_before": BEGIN - 30 * MINUTE, "seen_after": BEGIN + 30 * MINUTE},
        "no bot ticked between 2026-11-24 02:50:00 and 2026-11-24 03:40:00, though the accounts' equity was kept "
        "meanwhile: see log/trading.log and log/beat.log",
    ),
    "stopped_and_started": (
        {"rested_s": 42.0, "seen_before": BEGIN - MINUTE, "seen_after": BEGIN + MINUTE},
        "no bot ticked between 2026-11-24 02:50:00 and 2026-11-24 03:40:00: the platform was stopped and started again "
        "meanwhile",
    ),
    "lost": (
        {"others": 3, "others_at": BEGIN + 9 * MINUTE},
        "other bots made 3 decisions meanwhile, the last at 2026-11-24 03:09:00, so the platform was running; its "
        "message was lost: see log/trading.log",
    ),
    "killed": (
        {"others": 1, "others_at": BEGIN + 9 * MINUTE, "claimed": True, "now_at": BEGIN + 14 * MINUTE},
        "other bots made 1 decision meanwhile, the last at 2026-11-24 03:09:00, so the platform was running; its tick "
        "began and was killed, or could not be stored: see log/trading.log",
    ),
    "thinned_out": (
        {"kept_since": BEGIN + 60 * MINUTE, "others": 1, "others_at": BEGIN},
        "no decision is kept. Before 2026-11-24 04:00:00 those that led to something are kept, and one other an hour: "
        "in this slot it led to nothing, or did not tick",
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason(name):
    changes, reason = REASONS[name]
    assert why_no_tick(replace(MISSED, **changes)) == reason
