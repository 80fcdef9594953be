"""What an operator reads of one slot: from real rows, made by what makes them."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from bots import lifecycle
from bots.models import Bot, BotStatus
from execution.drive import leave
from execution.models import EquitySnapshot, Order, Position
from execution.submit import Exit
from market.clock import Clock, Now, moment, save_clock
from market.orders import ReportStatus
from risk.decisions import Grounds, write_decision
from risk.exits import ExitReason
from risk.models import Decision, Outcome, PortfolioRiskLimits
from tests.execution.test_orders_and_money import buy, means, sell
from tests.factories import SLOT_0, make_bot, make_event, make_position, now_at
from tests.fakes import ScriptedExecutor, filled_at, says
from tests.ticks.test_tick import world  # noqa: F401  (a fixture)
from tradingplatform.why.find import find
from tradingplatform.why.show import why_table

pytestmark = pytest.mark.django_db

NOW = now_at()
CLOCK = Clock()
LATER = Now(NOW.wall_ms + 600_000, NOW.market_ms + 600_000)
SIGNAL = {"action": "ENTER", "reason": "RSI 28", "indicators": {"rsi": 28.25}, "stop": 58800.0, "target": None}
CANDLE = {"opened_ms": (SLOT_0 - 1) * 900_000, "open": 1.0, "high": 2.0, "low": 1.0, "close": 1.5, "volume": 7.0}


def told(bot, slot=SLOT_0, now=LATER, clock=CLOCK):
    return find(Bot.objects.get(pk=bot.pk), moment(slot * bot.interval_s * 1000), clock, now)


def decide(bot, outcome, reason, now=NOW, slot=SLOT_0, signal=SIGNAL):
    with transaction.atomic():
        return write_decision(bot, Grounds(slot, signal, CANDLE), outcome, reason, now)


def old_bot(**changes):
    """One that was there long before."""
    bot = make_bot(**changes)
    Bot.objects.filter(pk=bot.pk).update(created_at=now_at(SLOT_0 - 90).wall_at)
    return bot


def test_an_entry_with_its_order_its_fills_and_what_became_of_it():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60012.34")))
    sell(bot, ScriptedExecutor(filled_at("61000")), price="61000", now=now_at(SLOT_0 + 1))
    seen = told(bot)
    assert seen["sentence"] == f"{bot.name} bought 0.01 BTC at 60,012.34 USDT at 2024-03-09 16:00: a test"
    assert seen["held"] is None  # it had nothing when it decided
    (order,) = seen["orders"]
    assert (order["purpose"], order["status"], order["decided"]) == ("ENTRY", "FILLED", True)
    assert [fill["price"] for fill in order["fills"]] == ["60012.34"]
    (position,) = seen["positions"]
    assert (position["status"], position["exit_text"]) == ("CLOSED", "enough")
    table = why_table(seen)
    assert "checks     ✓ passed         numbers" in table
    assert "became     #" in table
    assert "(enough)" in table


def test_an_exit_tells_what_was_held():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60012.34")))
    sell(bot, ScriptedExecutor(filled_at("61000")), price="61000", now=now_at(SLOT_0 + 1))
    seen = told(bot, SLOT_0 + 1)
    assert seen["sentence"] == f"{bot.name} sold 0.01 BTC at 61,000 USDT at 2024-03-09 16:15: enough"
    assert seen["held"]["at"] == {"quantity": "0.01", "cost": "600.1234", "price": "60012.34"}
    assert "at that time: 0.01 BTC bought at 60,012.34 USDT, stop 58,800" in why_table(seen)


def test_a_refusal_is_one_sentence_first_and_every_check_after_it():
    bot = make_bot()
    PortfolioRiskLimits.objects.update(max_exposure=Decimal("0.001"))
    buy(bot, ScriptedExecutor(filled_at("60000")))
    lines = why_table(told(bot)).splitlines()
    assert lines[0] == (
        f"{bot.name} did not enter at 2024-03-09 16:00 because total_exposure: 600, limit 100 (0.1 % of 100,000):"
        " 0 there and 600 to come."
    )
    marks = [line[11:26].strip() for line in lines if line[11:12] in "✓✗·" and line[11:12]]
    checks = Decision.objects.get().checks
    names = [check["name"] for check in checks]
    assert len(marks) == len(checks)
    refused = names.index("total_exposure")
    assert marks[:refused] == ["✓ passed"] * refused
    assert marks[refused] == "✗ REFUSED"
    assert set(marks[refused + 1 :]) == {"· not evaluated"}
    assert not any(line.startswith("order") for line in lines)


def test_an_order_that_bought_nothing_tells_the_exchanges_answer():
    bot = make_bot()
    buy(bot, ScriptedExecutor(says(ReportStatus.REJECTED, reason="insufficient balance")))
    seen = told(bot)
    assert seen["sentence"].startswith(
        f"{bot.name} was allowed to enter, but bought nothing (order REJECTED: insufficient balance)"
    )
    assert "never opened: the entry ended without a fill" in why_table(seen)


SENTENCES = [
    (Outcome.NOTHING, "RSI 28; a position is held already", "did nothing at 2024-03-09 16:00: RSI 28; a position"),
    (
        Outcome.NOTHING,
        "no entry: the bot is PAUSED",
        "wanted to enter at 2024-03-09 16:00 and did not, because the bot is",
    ),
    (Outcome.SKIPPED, "no fresh candles: banned", "could decide nothing at 2024-03-09 16:00: no fresh candles: banned"),
    (Outcome.APPROVED, "RSI 28", "was allowed to enter, and its order is not there (verify_ledger"),
    (Outcome.EXIT, "stop reached", "decided to sell at 2024-03-09 16:00: stop reached"),
]


@pytest.mark.parametrize(("outcome", "reason", "says_"), SENTENCES)
def test_the_sentence_of_every_other_outcome(outcome, reason, says_):
    bot = make_bot()
    decide(bot, outcome, reason)
    assert told(bot)["sentence"].startswith(f"{bot.name} {says_}")


def test_a_failed_tick_names_the_log():
    bot = make_bot()
    decide(bot, Outcome.FAILED, "KeyError: 'x'", signal={})
    seen = told(bot)
    assert seen["sentence"] == (
        f"the tick of {bot.name} at 2024-03-09 16:00 failed, nothing was decided: KeyError: 'x' "
        "(log/trading.log has more)"
    )
    assert "signal     none, the strategy was not asked" in why_table(seen)


def test_indicators_and_candle_are_shown():
    bot = make_bot()
    decide(bot, Outcome.NOTHING, "RSI 28; no size")
    table = why_table(told(bot))
    assert "candle     opened 2024-03-09 15:45: open 1, high 2, low 1, close 1.5, volume 7" in table
    assert "signal     ENTER: RSI 28; stop 58,800" in table
    assert "rsi 28.25" in table


def test_what_was_held_and_proposed_is_stored_with_the_decision(world):  # noqa: F811
    world.closes(105.0)
    entered = world.tick()
    assert "held" not in entered.signal
    assert Decimal(entered.signal["proposal"]["amount"]) == Order.objects.get().amount
    world.next_slot()
    world.closes(105.0, 106.0)
    decision = world.tick()
    held = decision.signal["held"]
    assert held["id"] == Position.objects.get().pk
    assert Decimal(held["quantity"]) == Position.objects.get().quantity
    seen = find(world.bot, decision.market_at, CLOCK, Now(LATER.wall_ms, 10**15))
    assert seen["decision"]["held"] == held
    assert "held" not in seen["decision"]["signal"]
    assert "proposal   " in why_table(find(world.bot, entered.market_at, CLOCK, Now(LATER.wall_ms, 10**15)))


def test_without_a_time_it_is_the_latest_slot():
    bot = make_bot(stagger_s=4)
    decide(bot, Outcome.NOTHING, "first")
    just_begun = Now(NOW.wall_ms + 901_000, NOW.market_ms + 901_000)
    assert find(bot, None, CLOCK, just_begun)["decision"]["reason"] == "first"  # the next is not due yet
    overdue = Now(NOW.wall_ms + 1_200_000, NOW.market_ms + 1_200_000)
    assert find(bot, None, CLOCK, overdue)["decision"] is None  # it should be there by now


def test_a_stopped_bot():
    bot = old_bot()
    lifecycle.stop(bot, now=now_at(SLOT_0 - 3), actor="anna", reason="tired")
    assert told(bot)["sentence"] == (
        f"{bot.name} did not tick at 2024-03-09 16:00: the bot was STOPPED since 2024-03-09 15:15:01 "
        f"(Bot {bot.name} stopped by anna: tired)"
    )


def test_a_paused_bot_ticks_and_its_decision_says_so():
    bot = make_bot(status=BotStatus.PAUSED)
    decide(bot, Outcome.NOTHING, "no entry: the bot is PAUSED")
    assert "bot        PAUSED; rsi_reversal on BTC/USDT 15m" in why_table(told(bot))


def test_before_its_first_start_a_bot_was_stopped():
    bot = old_bot(status=BotStatus.STOPPED)
    lifecycle.start(bot, now=now_at(SLOT_0 + 3), actor="anna")
    assert told(bot, now=now_at(SLOT_0 + 5))["why_no_tick"] == "the bot was STOPPED: it had not been started"


def test_a_bot_that_did_not_exist_yet():
    bot = make_bot()
    later = now_at(SLOT_0 + 2)
    make_event("made", later, kind="bot_created", bot_id=bot.pk)
    assert "did not exist yet, it was created at 2024-03-09 16:30:01" in told(bot, now=later)["sentence"]


@pytest.fixture
def two_bots():
    """The second ticks at every slot but SLOT_0; the accounts' equity is kept every minute of the others."""
    first = old_bot(last_slot=SLOT_0 - 1)
    second = make_bot(first.account)
    for slot in (SLOT_0 - 1, SLOT_0 + 1):
        decide(second, Outcome.NOTHING, "quiet", now_at(slot), slot)
    return Bot.objects.get(pk=first.pk), second


def test_the_platform_was_down(two_bots):
    first, _ = two_bots
    assert told(first, now=now_at(SLOT_0 + 9))["why_no_tick"] == (
        "no bot ticked between 2024-03-09 15:45:01 and 2024-03-09 16:15:01: the platform was not running"
    )


def test_the_workers_were_down(two_bots):
    first, _ = two_bots
    for minutes in range(-3, 18):
        at = NOW.market_at + timedelta(minutes=minutes)
        EquitySnapshot.objects.create(account=first.account, market_at=at, equity=1, realised=0, unrealised=0)
    assert "though the accounts' equity was kept meanwhile" in told(first, now=now_at(SLOT_0 + 9))["why_no_tick"]


def test_market_time_rested_meanwhile(two_bots):
    first, _ = two_bots
    wall_at = now_at(SLOT_0 + 1).wall_at + timedelta(hours=3)
    Decision.objects.filter(slot=SLOT_0 + 1).update(wall_at=wall_at)
    assert told(first, now=now_at(SLOT_0 + 9))["why_no_tick"].endswith("was stopped and started again meanwhile")


def test_only_this_bot_missed_it(two_bots):
    first, second = two_bots
    decide(second, Outcome.NOTHING, "quiet", now_at(SLOT_0, after_ms=60_000), SLOT_0)
    assert told(first, now=now_at(SLOT_0 + 9))["why_no_tick"].startswith(
        "other bots made 1 decision meanwhile, the last at 2024-03-09 16:01:00"
    )


def test_thinned_out(two_bots, settings):
    settings.RETENTION_DAYS = 7
    first, _ = two_bots
    assert "no decision is kept" in told(first, now=now_at(SLOT_0 + 96 * 9))["why_no_tick"]


def test_ticking_now():
    bot = old_bot()
    lifecycle.claim_tick(bot.pk, SLOT_0, NOW)
    assert told(bot, now=now_at(after_ms=5_000))["why_no_tick"] == "it is ticking at this moment: ask again"


def test_what_is_held_in_a_slot_without_a_tick(two_bots):
    first, _ = two_bots
    make_position(first, now_at(SLOT_0 - 4).market_at)
    seen = told(first, now=now_at(SLOT_0 + 9))
    assert seen["held"]["status"] == "OPEN"
    assert "in that slot" in why_table(seen)


def test_an_exit_between_ticks_is_told_too():
    bot = old_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    wish = Exit(ExitReason.OPERATOR, "closed by anna", Decimal(59000))
    next_slot = now_at(SLOT_0 + 1)
    leave(Position.objects.get(), wish, None, means(ScriptedExecutor(filled_at("59000")), now=next_slot))
    seen = told(bot, SLOT_0 + 1, now=now_at(SLOT_0 + 9))
    assert seen["decision"] is None
    assert [(order["purpose"], order["decided"]) for order in seen["orders"]] == [("EXIT", False)]
    assert "(not of this decision): closed by anna" in why_table(seen)


def test_wall_time_before_the_last_start_is_read_off_the_rows():
    """Ten times as fast, and the clock began anew later than the slot."""
    bot = make_bot()
    for slot, wall_ms in ((SLOT_0 - 4, 1_000_000), (SLOT_0 + 4, 1_720_000)):
        decide(bot, Outcome.NOTHING, "quiet", replace(now_at(slot, after_ms=0), wall_ms=wall_ms), slot)
    clock = Clock(9_000_000, now_at(SLOT_0 + 40).market_ms, 10.0)
    slot = told(bot, now=now_at(SLOT_0 + 50), clock=clock)["slot"]
    assert (slot["wall_begins_at"], slot["wall_exact"]) == (moment(1_360_000).isoformat(), False)
    assert "about 1970-01-01 00:22:40" in why_table(told(bot, now=now_at(SLOT_0 + 50), clock=clock))


def test_a_slow_tick_that_ended_in_the_next_slot_is_found():
    bot = make_bot()
    decide(bot, Outcome.NOTHING, "slow", now_at(SLOT_0, after_ms=930_000))
    assert told(bot, now=now_at(SLOT_0 + 2))["decision"]["reason"] == "slow"
    assert told(bot, SLOT_0 + 1, now=now_at(SLOT_0 + 2))["decision"] is None


def test_a_decision_of_another_timeframe_is_found_by_its_time():
    bot = make_bot()
    decide(bot, Outcome.NOTHING, "as a 1h bot", NOW, SLOT_0 // 4)
    assert told(bot)["decision"]["reason"] == "as a 1h bot"


@pytest.fixture
def clock_file(settings, tmp_path):
    settings.CLOCK_FILE = tmp_path / "clock.json"
    save_clock(settings.CLOCK_FILE, Clock(0, 0, 1.0, stopped_ms=LATER.market_ms))


def test_the_command(clock_file, capsys):
    bot = make_bot()
    decide(bot, Outcome.NOTHING, "quiet")
    for at in ([], ["--at", "16:05"], ["--at=-5m"], ["--at", "2024-03-09T16:05"]):
        call_command("why", bot.name, *at)
        assert capsys.readouterr().out.startswith(f"{bot.name} did nothing at 2024-03-09 16:00: quiet.")
    call_command("why", bot.name, "--json")
    assert json.loads(capsys.readouterr().out)["decision"]["reason"] == "quiet"


def test_the_command_in_wall_time(clock_file, settings, capsys):
    bot = make_bot()
    save_clock(settings.CLOCK_FILE, Clock(NOW.wall_ms + 7_200_000, NOW.market_ms, 1.0))
    decide(bot, Outcome.NOTHING, "quiet")
    call_command("why", bot.name, "--wall", "--at", "2024-03-09T18:05")
    assert "did nothing at 2024-03-09 16:00: quiet" in capsys.readouterr().out


def test_the_commands_errors(clock_file):
    make_bot(name="btc-4h-macd")
    with pytest.raises(CommandError, match="there is no bot 'btc-4h-madc': perhaps btc-4h-macd"):
        call_command("why", "btc-4h-madc")
    with pytest.raises(CommandError, match="'banana' is not a time: give"):
        call_command("why", "btc-4h-macd", "--at", "banana")
    with pytest.raises(CommandError, match="wall time is not known"):
        call_command("why", "btc-4h-macd", "--wall", "--at", "1960-01-01")
