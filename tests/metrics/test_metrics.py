"""Each family says what the rows say, in a bounded number of queries, whatever cannot be read."""

import math
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bots.models import Bot, BotStatus
from execution.models import Order, Portfolio
from market.budget import SharedCounters
from market.clock import Clock
from market.exchange import Transient
from market.rate_limits import UNTIL_KNOWN, Cost, Priority, claims
from market.standing import Standing
from market.usage import read_usage
from notifications.conditions import begin
from notifications.cursors import open_cursor
from notifications.models import DeadLetter, Event, Heartbeat
from risk.models import DeadMansSwitch, Decision, Halt, Outcome
from tests.execution.test_orders_and_money import buy
from tests.factories import make_account, make_bot, now_at
from tests.fakes import ScriptedExecutor, filled_at
from tests.fleet.test_read import DEFAULT, read
from tests.metrics.scraped import figure, named, scraped
from tradingplatform.event_kinds import STALE_CANDLES
from tradingplatform.fleet.load import load_fleet
from tradingplatform.metrics.bots import bot_metrics
from tradingplatform.metrics.orders import order_metrics
from tradingplatform.metrics.scrape import PARTS
from tradingplatform.wiring import access_namespace

NOW = now_at()
QUERIES = 20
"""A scrape asks no more often, however many bots, positions and orders there are."""


@pytest.fixture(autouse=True)
def _own_redis(settings, redis_url):
    settings.REDIS_URL = redis_url
    redis.Redis.from_url(redis_url).flushdb()


def publish_now(kind="told"):
    return Event.objects.create(kind=kind, text=kind, market_at=NOW.market_at, wall_at=NOW.wall_at)


def samples_of(part, now=NOW, clock=None):
    found = {}
    for family in part(clock or Clock(), now):
        for sample in family.samples:
            found[(sample.name, frozenset(sample.labels.items()))] = sample.value
    return found


@pytest.mark.django_db
def test_an_empty_database_is_told_too():
    samples = scraped()

    assert figure(samples, "trading_dead_mans_switch_triggered") == 1  # a missing row stops entries
    assert figure(samples, "trading_bots", status="RUNNING") == 0
    assert set(named(samples, "trading_scrape_readable").values()) == {1.0}


@pytest.mark.django_db
def test_money_and_limits():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    portfolio = Portfolio.objects.get()
    samples, account = scraped(), bot.account.name

    assert figure(samples, "trading_account_equity", account=account) == pytest.approx(
        float(portfolio.capital + portfolio.realised + portfolio.unrealised)
    )
    assert figure(samples, "trading_account_exposure", account=account) == float(portfolio.exposure)
    assert figure(samples, "trading_asset_exposure", account=account, asset="BTC") == float(portfolio.exposure)
    used = figure(samples, "trading_account_limit_used_ratio", account=account, limit="total_exposure")
    assert used == pytest.approx(float(portfolio.exposure) / (0.5 * 100_000), rel=1e-3)
    assert figure(samples, "trading_bot_limit_used_ratio", bot=bot.name, limit="max_position") == pytest.approx(
        float(portfolio.exposure) / (0.25 * 5_000)
    )
    assert figure(samples, "trading_positions", status="OPEN") == 1


@pytest.mark.django_db
def test_a_drawdown_of_half_its_limit():
    bot = make_bot()
    Portfolio.objects.update(peak_equity=Decimal(200_000), realised=Decimal(85_000))
    bot.book.peak_equity, bot.book.realised, bot.book.day_start_equity = Decimal(10_000), Decimal(4_000), Decimal(9_125)
    bot.book.save()
    samples = scraped()

    assert figure(samples, "trading_account_drawdown_ratio", account=bot.account.name) == 0.075
    limit = {"account": bot.account.name, "limit": "portfolio_drawdown"}
    assert figure(samples, "trading_account_limit_used_ratio", **limit) == 0.5
    assert figure(samples, "trading_bot_limit_used_ratio", bot=bot.name, limit="drawdown") == 0.5
    assert figure(samples, "trading_bot_limit_used_ratio", bot=bot.name, limit="daily_loss") == 0.5


@pytest.mark.django_db
def test_how_late_a_bot_is():
    now, clock = now_at(after_ms=130_000), Clock(speed=10.0)
    slot = now.market_ms // 900_000
    for name, last_slot, status in (
        ("in-time", slot, BotStatus.RUNNING),
        ("late", slot - 1, BotStatus.RUNNING),
        ("very-late", slot - 2, BotStatus.PAUSED),
        ("new", -1, BotStatus.RUNNING),
        ("stopped", 5, BotStatus.STOPPED),
    ):
        make_bot(name=name, last_slot=last_slot, status=status)
    Bot.objects.update(stagger_s=30)

    lags = named(samples_of(bot_metrics, now, clock), "trading_tick_lag_seconds")

    assert {dict(labels)["bot"]: value for labels, value in lags.items()} == {
        "in-time": 0, "late": 10, "very-late": 100, "new": 0,
    }  # fmt: skip


@pytest.mark.django_db
def test_orders_of_the_last_hour_and_those_under_way():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    order = Order.objects.get()
    Order.objects.filter(pk=order.pk).update(
        sent_at=order.prepared_at + timedelta(seconds=0.25),
        finished_at=order.prepared_at + timedelta(seconds=1.25),
    )
    samples = samples_of(order_metrics)

    assert figure(samples, "trading_orders_recent", purpose="ENTRY", status="FILLED") == 1
    assert figure(samples, "trading_order_latency_seconds", stage="send", quantile="0.5") == 0.25
    assert figure(samples, "trading_order_latency_seconds", stage="answer", quantile="1") == 1.0
    assert figure(samples, "trading_order_unknown_age_seconds") == 0
    assert figure(samples, "trading_decisions_recent", outcome="APPROVED", check="") == 1

    Order.objects.filter(pk=order.pk).update(status="UNKNOWN", prepared_at=NOW.wall_at - timedelta(seconds=90))
    unknown = samples_of(order_metrics)
    assert figure(unknown, "trading_order_unknown_age_seconds") == 90
    assert figure(unknown, "trading_orders_unfinished", status="UNKNOWN") == 1

    later = now_at(now_at().market_ms // 900_000 + 5)
    assert not named(samples_of(order_metrics, later), "trading_order_latency_seconds")  # no news is no old news


@pytest.mark.django_db
def test_refusals_by_check():
    bot = make_bot()
    for slot in range(3):
        Decision.objects.create(
            bot=bot, slot=slot, outcome=Outcome.REFUSED, reason="too much", bot_status=bot.status,
            failed_check="total_exposure", market_at=NOW.market_at, wall_at=NOW.wall_at,
        )  # fmt: skip

    told = samples_of(order_metrics)
    assert figure(told, "trading_decisions_recent", outcome="REFUSED", check="total_exposure") == 3


@pytest.mark.django_db
def test_trouble_that_lasts():
    bot, now = make_bot(), timezone.now()
    for subject in ("BTC/USDT 15m", "ETH/USDT 1h"):
        begin(STALE_CANDLES, subject, "old", market_at=now, wall_at=now - timedelta(seconds=60))
    times = {"market_at": now, "raised_at": now}
    Halt.objects.create(account=bot.account, bot=bot, cause="drawdown", text="down", **times)
    Halt.objects.create(account=bot.account, cause="drawdown", text="down", **times)
    Halt.objects.create(cause="operator", text="all", **times)
    Halt.objects.create(cause="over", text="was", cleared_at=now, cleared_by="ann", clear_reason="done", **times)
    Heartbeat.objects.create(name="beat", sent_at=now - timedelta(seconds=41), wall_at=now - timedelta(seconds=40))
    DeadMansSwitch.objects.update(last_checkin_at=now, high_water_at=now, timeout_s=3600)
    samples = scraped()

    assert figure(samples, "trading_stale_series") == 2
    assert figure(samples, "trading_stale_series_names", series="BTC/USDT 15m") == 1
    assert figure(samples, "trading_conditions", kind="stale_candles", severity="WARNING") == 2
    assert figure(samples, "trading_condition_age_seconds", kind="stale_candles") == pytest.approx(60, abs=5)
    assert {dict(labels)["scope"]: n for labels, n in named(samples, "trading_halts").items()} == {
        "everything": 1, "account": 1, "bot": 1,
    }  # fmt: skip
    assert figure(samples, "trading_heartbeat_age_seconds", name="beat") == pytest.approx(41, abs=5)
    assert figure(samples, "trading_heartbeat_age_seconds", name="guard") == math.inf  # it never came
    assert figure(samples, "trading_heartbeat_trip_seconds", name="beat") == pytest.approx(1)
    assert figure(samples, "trading_dead_mans_switch_seconds_left") == pytest.approx(3600, abs=5)
    assert figure(samples, "trading_dead_mans_switch_triggered") == 0


@pytest.mark.django_db(transaction=True)
def test_how_far_each_subscriber_has_come():
    now = timezone.now()
    publish_now()
    cursor = open_cursor("webhook:hook", now)
    event, _, _ = publish_now(), publish_now(), publish_now()
    cursor.failing_since = now - timedelta(seconds=30)
    cursor.save()
    DeadLetter.objects.create(subscriber="webhook:hook", event=event, error="no", attempts=1, buried_at=now)
    samples = scraped()

    assert figure(samples, "trading_events_total") == 4
    assert figure(samples, "trading_cursor_lag_events", subscriber="webhook:hook") == 3
    assert figure(samples, "trading_cursor_failing_seconds", subscriber="webhook:hook") == pytest.approx(30, abs=5)
    assert figure(samples, "trading_dead_letters", subscriber="webhook:hook") == 1


@pytest.mark.django_db
def test_the_request_budget_and_the_exchange(redis_url):
    client, space, now = redis.Redis.from_url(redis_url), access_namespace(), Clock().now()
    SharedCounters(client, space).claim(claims(UNTIL_KNOWN, Priority.EXITS, Cost(weight=321), now.wall_ms))
    standing = Standing(client, space, lambda notice: None)
    standing.told_to_wait(Transient("slow down", retry_after_s=30))
    standing.failed(Priority.CANDLES, "BTC/USDT", "silence")
    standing.keep_offset(-250)
    client.rpush("trading", "one", "two")
    samples = scraped()

    assert figure(samples, "trading_exchange_weight_used") == 321
    assert figure(samples, "trading_exchange_told_to_wait", trouble="limited") == 1
    assert figure(samples, "trading_exchange_told_to_wait", trouble="banned") == 0
    assert figure(samples, "trading_exchange_failing", kind="candles") == 1
    assert figure(samples, "trading_exchange_clock_ahead_seconds") == -0.25
    assert figure(samples, "trading_queue_length", queue="trading") == 2


def test_the_weight_of_a_minute_that_is_over_is_not_told(redis_url):
    client = redis.Redis.from_url(redis_url)
    now_ms = 1_700_000_040_000
    SharedCounters(client, "a").claim(claims(UNTIL_KNOWN, Priority.EXITS, Cost(weight=7), now_ms))

    assert read_usage(client, "a", now_ms).weight == 7
    assert read_usage(client, "a", now_ms + 120_000).weight == 0


@pytest.mark.django_db
def test_without_redis_the_rest_is_told(settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    make_bot(name="ann")
    samples = scraped()

    assert figure(samples, "trading_scrape_readable", part="exchange") == 0
    assert figure(samples, "trading_scrape_readable", part="bots") == 1
    assert figure(samples, "trading_ticks_total", bot="ann") == 0
    assert ("trading_exchange_weight_used", frozenset()) not in samples


@pytest.mark.django_db
def test_a_bot_and_an_account_without_limits_spoil_nothing():
    bot = make_bot(name="ann")
    bot.limits.delete()
    bot.account.limits.delete()
    make_bot(name="bob", account=make_account())
    samples = scraped()

    assert set(named(samples, "trading_scrape_readable").values()) == {1.0}
    assert ("trading_bot_limit_used_ratio", frozenset({("bot", "ann"), ("limit", "drawdown")})) not in samples
    assert figure(samples, "trading_bot_limit_used_ratio", bot="bob", limit="drawdown") == 0


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_fleet():
    load_fleet(read(DEFAULT.read_text()), NOW, "tester")
    assert Bot.objects.count() == 45
    with CaptureQueriesContext(connection) as few:
        scraped()
    for _ in range(10):
        buy(make_bot(), ScriptedExecutor(filled_at("60000")))
    with CaptureQueriesContext(connection) as many:
        samples = scraped()

    assert len(few) == len(many) <= QUERIES
    assert set(named(samples, "trading_scrape_readable").values()) == {1.0}
    assert len(PARTS) == 6


@pytest.mark.django_db
def test_what_never_was_is_not_a_number():
    make_bot(name="ann")

    assert math.isnan(figure(scraped(), "trading_tick_age_seconds", bot="ann"))
