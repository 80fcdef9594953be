"""The dashboard and the alert rules in deploy/ speak of metrics that exist, with labels that they have."""

import json
import re
import shutil
import subprocess
from datetime import timedelta

import pytest
import redis
import yaml
from django.utils import timezone

from execution.models import Order, Portfolio
from market.clock import Clock
from notifications.conditions import begin
from notifications.models import Cursor, DeadLetter, Event, Heartbeat
from tests.execution.test_orders_and_money import buy
from tests.factories import make_bot
from tests.fakes import ScriptedExecutor, filled_at
from tests.metrics.scraped import scraped
from tradingplatform.environment import ROOT
from tradingplatform.event_kinds import STALE_CANDLES

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\btrading_[a-z_]+")
FILTER = re.compile(r"(trading_[a-z_]+)\{([a-z_]+)[=!]")
LEGEND = re.compile(r"\{\{\s*\$?(?:labels\.)?([a-z]+)\s*\}\}")


def dashboard():
    return json.loads((DEPLOY / "grafana-dashboard.json").read_text())


def rules():
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions():
    """Every expression with the labels that are written beside it."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"], LEGEND.findall(target["legendFormat"])
    for rule in rules():
        texts = " ".join(rule["annotations"].values())
        yield rule["expr"], re.findall(r"\$labels\.([a-z]+)", texts)


@pytest.fixture
def everything(db, settings, redis_url):
    """A scrape in which every family has a sample."""
    settings.REDIS_URL = redis_url
    redis.Redis.from_url(redis_url).flushdb()
    bot, now = make_bot(), timezone.now()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    market_at = Clock().now().market_at
    Order.objects.update(market_at=market_at, sent_at=market_at, finished_at=market_at)
    Portfolio.objects.update(marked_at=now)
    begin(STALE_CANDLES, "BTC/USDT 15m", "old", market_at=now, wall_at=now)
    Heartbeat.objects.create(name="beat", sent_at=now - timedelta(seconds=1), wall_at=now)
    event = Event.objects.create(kind="told", text="told", market_at=now, wall_at=now, seq=1)
    Cursor.objects.create(name="hook", seq=0, moved_at=now)
    DeadLetter.objects.create(subscriber="hook", event=event, error="no", attempts=1, buried_at=now)
    labels = {}
    for name, each in scraped():
        labels.setdefault(name, set()).update(key for key, _ in each)
    return labels


def test_every_metric_that_is_named_exists(everything):
    used = {name for expression, _ in expressions() for name in METRIC.findall(expression)}

    assert len(used) > 30
    assert used <= set(everything)


def test_every_metric_is_on_the_dashboard_or_alerted_on(everything):
    used = {name for expression, _ in expressions() for name in METRIC.findall(expression)}
    not_shown = {"trading_clock_speed", "trading_market_time_seconds", "trading_events_total"}
    not_shown |= {"trading_tick_age_seconds", "trading_stale_series_names", "trading_stream_clients"}

    assert set(everything) - used == not_shown


def test_every_label_that_is_named_exists(everything):
    for expression, legend in expressions():
        for name, label in FILTER.findall(expression):
            assert label in everything[name], (expression, label)
        named = METRIC.findall(expression)
        for label in legend:
            assert any(label in everything[name] for name in named), (expression, label)


def test_every_rule_says_what_it_means_and_how_urgent_it_is():
    names = [rule["alert"] for rule in rules()]

    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "look"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]


def test_panels_do_not_cover_each_other():
    seen = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        across = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in across for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & seen, panel["title"]
        assert place["x"] + place["w"] <= 24
        seen |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_example_scrapes_where_the_console_is():
    example = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())

    assert example["rule_files"] == ["alerts.yml"]
    assert example["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
    assert 'job="trading"' in rules()[0]["expr"]
    assert example["scrape_configs"][0]["job_name"] == "trading"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_them():
    command = ["promtool", "check", "rules", str(DEPLOY / "alerts.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
