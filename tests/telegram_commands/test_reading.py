"""Each reading command on a fleet of 45 with a past: it answers, it fits a phone, it is well-formed, it is quick."""

import re
import time
from datetime import UTC, datetime
from html import unescape

import pytest

from bots.models import Bot
from execution.models import Position
from market.clock import Clock
from notifications.telegram.commands import Asked, find, read_command
from notifications.telegram.markup import cut, units
from notifications.telegram.values import Note, Role
from tests.notifications.test_telegram_markup import WellFormed
from tests.telegram_commands.big import make_fleet
from tests.telegram_rig import ANN, tell
from tradingplatform.telegram_commands.registry import commands
from tradingplatform.telegram_commands.tables import WIDTH

pytestmark = pytest.mark.django_db
CLOCK = Clock(time.time_ns() // 1_000_000, round(datetime(2026, 5, 14, 12, 7, tzinfo=UTC).timestamp() * 1000))
"""The market's time of day is the same in every run: how many trades a day has does not change."""

READING = [
    "status", "status table", "bots", "bot bot-01-eth-reversal", "positions", "orders", "trades", "trades 50", "profit",
    "profit 366", "daily", "daily 60", "weekly", "monthly", "performance", "stats", "balance", "exposure", "risk",
    "why bot-00-btc-reversal", "why bot-01-eth-reversal -2d", "logs", "logs 25", "health", "version",
    "chart", "help", "start",
]  # fmt: skip


def ask(line, role=Role.VIEWER):
    """The answer to a command, as the desk asks for it."""
    name, words = read_command(f"/{line}")
    return find(name, commands(CLOCK)).answer(Asked(ANN, "ann", role, name, words, CLOCK.now().wall_at))


def judged(note):
    """A page that a phone shows. Returns its text."""
    assert isinstance(note, Note)
    html = cut(note.html)
    parsed = WellFormed(html)
    for block in re.findall(r"<pre>(.*?)</pre>", html, re.DOTALL):
        for line in unescape(block).split("\n"):
            assert len(line) <= WIDTH, line
    assert units(html) <= 4096
    return parsed.text


@pytest.mark.parametrize("line", READING)
def test_an_empty_database_has_an_answer(line):
    if line.startswith(("bot ", "why ", "chart")):
        with pytest.raises(ValueError, match="There is no"):
            ask(line)
    else:
        assert judged(ask(line))


def test_a_fleet_in_figures():
    make_fleet(CLOCK.now(), closed=2_000)
    tell("<i>something</i> happened")
    texts = {line: judged(ask(line)) for line in READING}

    assert "100,641.25" in texts["status"]  # capital + realised + unrealised
    assert "43 running, 1 paused, 1" in texts["status"]
    assert "<b>too much</b> lost" in texts["status"]  # as text
    assert texts["bots"].count("bot-") == 45
    assert "H +0.24%" in texts["bots"]
    assert "<drawdown> & more" in texts["bot bot-01-eth-reversal"]
    assert "30/20, streak 0" in texts["bot bot-01-eth-reversal"]
    assert texts["positions"].startswith("Positions: 20")
    assert texts["status table"].startswith("Positions: 20")
    assert "Last 50 trades" in texts["trades 50"]
    assert "+641.25 +0.64%" in texts["profit"]
    assert "2,000 trades" in texts["profit 366"]
    assert len(re.findall(r"^\d{4}-\d\d-\d\d +[+-]?\d+\.\d\d ", texts["daily"], re.MULTILINE)) == 7
    assert "+61.25" in texts["performance"]  # five bots of one symbol
    assert "Of all trades" in texts["stats"]
    assert "100,000.00" in texts["balance"]
    assert "3,090.00" in texts["exposure"]
    assert "3.07 % of 50 %" in texts["risk"]
    assert "did not enter" in texts["why bot-00-btc-reversal"]
    assert "❌ max_position: 31, limit 30" in texts["why bot-00-btc-reversal"]
    assert "✅ stop_loss: stop at 90 < 100" in texts["why bot-00-btc-reversal"]
    assert "bought 1 ETH at 100 USDT" in texts["why bot-01-eth-reversal -2d"]
    assert "<i>something</i> happened" in texts["logs"]
    assert re.search(r"last tick +\d+s ago", texts["health"])
    assert ask("chart").picture.startswith(b"\x89PNG")


def test_profit_by_day_is_what_was_closed_on_that_day():
    now = CLOCK.now()
    make_fleet(now, closed=300)
    today = now.market_at.date()
    rows = Position.objects.filter(status="CLOSED", closed_at__date=today).values_list("realised", flat=True)
    shown = judged(ask("daily 1"))
    assert (f"{sum(rows):+,.2f}" if sum(rows) else "0.00") in shown
    assert f"{sum(1 for one in rows if one > 0)}/{len(rows)}" in shown


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("bot", "Name a bot"),
        ("bot nobody", "There is no bot 'nobody'"),
        ("bot reversal", "perhaps bot-"),
        ("bot <b>x</b>", "There is no bot"),
        ("why", "Name a bot"),
        ("why bot-00-btc-reversal yesterday", "'yesterday' is not a time"),
        ("trades x", "not a number from 1 to 50"),
        ("trades 0", "not a number"),
        ("trades -1", "not a number"),
        ("trades 51", "not a number"),
        ("trades 9999999999", "not a number"),
        ("daily ١", "not a number"),
        ("profit 1e9", "not a number"),
        ("logs 1.5", "not a number"),
        ("nonsense", "There is no command"),
        ("statu", "perhaps /status"),
        ("bot " + "x" * 900, "There is no bot"),
    ],
    ids=range(17),
)
def test_what_does_not_fit_is_said(line, why):
    make_fleet(CLOCK.now(), closed=0)
    with pytest.raises(ValueError, match=re.escape(why)) as said:
        ask(line)
    assert len(str(said.value)) < 600


def test_names_are_text_and_never_markup():
    bot = make_fleet(CLOCK.now(), closed=1)[0]
    Bot.objects.filter(pk=bot.pk).update(
        name="<a>&" + "x" * 60, symbol="<i>/USDT", strategy="<b>", status_reason="</pre>"
    )
    for line in READING:
        if not line.startswith(("bot ", "why ")):
            judged(ask(line))


def test_help_shows_what_one_may_do():
    assert "/pause" not in judged(ask("help"))
    assert "/pause" in judged(ask("help", Role.OPERATOR))
    assert ask("start").keyboard
