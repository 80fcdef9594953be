"""Bots go to a live account and back: all or none, and only those that hold nothing."""

from decimal import Decimal

import pytest

from bots import lifecycle
from bots.models import Bot, ExchangeAccount
from execution.models import BotBook
from notifications.models import Event
from tests.commands import refusal, run
from tests.factories import make_account, make_bot, now_at
from tests.fleet.test_load import hold, load
from tests.fleet.test_read import GOOD
from tradingplatform.fleet.problems import BadFleet

pytestmark = pytest.mark.django_db


def go_live(*words):
    return ("go_live", *words, "--account=live", "--confirm=live")


@pytest.mark.parametrize("status", ["STOPPED", "PAUSED", "RUNNING"])
def test_a_bot_that_holds_nothing_goes_live(live_account, status):
    bot = make_bot(name="a", status=status)
    BotBook.objects.filter(bot=bot).update(peak_equity=Decimal(9000))
    told = run(*go_live("a", "--reason=tested for a month"))
    assert told == ("1 bot may enter with money on account live\nNone does so yet: LIVE_TRADING is off.\n")
    bot = Bot.objects.select_related("account", "book").get()
    assert (bot.account.name, bot.live, bot.status) == ("live", True, status)
    assert bot.book.peak_equity == bot.capital
    event = Event.objects.get(kind="bot_gone_live")
    assert event.bot_id == bot.pk
    assert event.text.endswith(": tested for a month")
    assert event.payload["to"] == "live"
    assert event.payload["actor"]


def test_all_of_them_and_back(live_account, settings):
    settings.LIVE_TRADING = True
    paper = make_account()
    for name in ("a", "b"):
        make_bot(paper, name=name)
    assert run(*go_live("--all")) == "2 bots may enter with money on account live\n"
    assert run("go_paper", "a", "b", f"--account={paper}") == f"2 bots on paper on account {paper}\n"
    assert list(Bot.objects.values_list("account", "live")) == [(paper.pk, False)] * 2
    assert Event.objects.filter(kind="bot_gone_to_paper").count() == 2


def test_a_bot_of_the_account_gets_leave_where_it_is(live_account):
    bot = make_bot(live_account, name="a")
    assert not bot.live
    hold("a")
    run(*go_live("a"))
    assert Bot.objects.get().live


def test_one_that_may_not_keeps_all_of_them(live_account):
    paper = make_account()
    for name in ("free", "holds", "halted"):
        make_bot(paper, name=name)
    make_bot(paper, name="rich", capital=Decimal(200_000))
    hold("holds")
    lifecycle.halt(Bot.objects.get(name="halted").pk, "drawdown", now=now_at(), actor="risk")
    text = refusal(*go_live("--all"))
    assert f"bot holds has a live position in BTC/USDT (OPEN) on account {paper}: pause it, and move it" in text
    assert "bot halted is halted: look at it and reset it first" in text
    assert "bot rich: 200000 is above the account's capital of 100000 USDT" in text
    assert "bot free" not in text
    assert not Bot.objects.filter(live=True).exists()
    assert set(Bot.objects.values_list("account", flat=True)) == {paper.pk}


def test_what_is_held_live_stays_there(live_account):
    make_bot(live_account, name="a", live=True)
    hold("a")
    paper = make_account()
    assert "bot a has a live position in BTC/USDT (OPEN) on account live" in refusal(
        "go_paper", "a", f"--account={paper}"
    )
    assert Bot.objects.get().live


def test_refusals(live_account):
    bot = make_bot(name="a")
    assert (
        refusal("go_live", "a", "--account=live")
        == "not confirmed: to let bots trade live on live, give --confirm live"
    )
    assert "not confirmed" in refusal("go_live", "a", "--account=live", "--confirm=a")
    assert refusal("go_live", "a", "--account=x", "--confirm=x").startswith("there is no account 'x': there is ")
    assert refusal(*go_live("nobody")) == "there is no bot 'nobody'"
    assert refusal(*go_live()) == refusal(*go_live("a", "--all")) == "name bots, or give --all"
    name = bot.account.name
    text = refusal("go_live", "a", f"--account={name}", f"--confirm={name}")
    assert "is on PAPER: make a LIVE one with connect_account (live orders go to the simulated exchange only" in text
    assert "is LIVE: name the PAPER account" in refusal("go_paper", "a", "--account=live")
    ExchangeAccount.objects.filter(name="live").update(exchange="binance")
    assert "risk floor is not complete" in refusal(*go_live("a"))
    assert not Bot.objects.get().live


LIVE_FLEET = GOOD.replace('name = "main"', 'name = "live"').replace("10_000", "100_000")


def test_a_fleet_is_loaded_onto_a_live_account(live_account):
    assert 'name = "live"' in LIVE_FLEET
    load(LIVE_FLEET)
    assert load(LIVE_FLEET).is_empty
    account = ExchangeAccount.objects.get()
    assert (account.mode, account.api_key.reveal()) == ("LIVE", "key")
    assert list(Bot.objects.values_list("account", "live")) == [(account.pk, False)] * 3


def test_a_file_changes_no_live_capital(live_account):
    with pytest.raises(BadFleet, match="the account is LIVE: a file does not change that it trades with 100000 USDT"):
        load(LIVE_FLEET.replace("100_000", "120_000"))
    assert not Bot.objects.exists()
