"""Limits as an operator types them."""

import pytest

from risk.models import BotRiskLimits, LimitChange
from tests.commands import refusal, run
from tests.factories import make_account, make_bot

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    return make_bot(name="btc-bot")


def test_tightening(bot):
    assert run("set_limit", "btc-bot", "max_position", "0.1", "--reason=r") == "max_position of btc-bot: 0.1 now\n"
    assert "max_position           0.1\n" in run("limits", "btc-bot")


def test_loosening(bot):
    words = ("set_limit", "btc-bot", "max_position", "0.4", "--reason=calmer now")
    assert refusal(*words).endswith("confirm by typing the name btc-bot")
    told = run(*words, "--confirm=btc-bot")
    assert told.startswith("max_position of btc-bot: 0.25 until 20")
    assert told.endswith("UTC of market time, 0.4 from then on\n")
    line = next(line for line in run("limits", "btc-bot").splitlines() if "max_position" in line)
    assert line.startswith("  max_position           0.25, 0.4 from 20")
    assert line.endswith("(command line): calmer now)")
    assert run("set_limit", "btc-bot", "max_position", "0.25", "--reason=no") == (
        "max_position of btc-bot: stays as it is; the change that waited is withdrawn\n"
    )
    assert LimitChange.objects.get().withdrawn_at is not None


@pytest.mark.parametrize("words", [("--account", "NAME"), ("NAME", "--account")], ids=["flag first", "name first"])
def test_of_an_account(words):
    name = make_account().name
    named = [name if word == "NAME" else word for word in words]
    told = run("set_limit", *named, "price_collar", "0.01", "--reason=r")
    assert told == f"price_collar of {name}: 0.01 now\n"
    assert "price_collar           0.01" in run("limits", *named)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("btc-bo", "max_position", "0.1"), "there is no bot 'btc-bo': perhaps btc-bot"),
        (("btc-bot", "--account", "max_asset", "0.1"), "there is no account 'btc-bot': there is account-"),
        (("btc-bot", "max_asset", "0.1"), "there is no limit 'max_asset': there is max_position, max_drawdown"),
        (("btc-bot", "max_position", "25"), "max_position must be above 0 and below 1 (0.25 is 25 %), not '25'"),
        (("btc-bot", "max_position", "0.25"), "max_position of bot btc-bot is 0.25 already"),
        (("btc-bot", "streak_losses", "0"), "streak_losses must be a whole number of at least 1"),
        (("btc-bot", "max_position", "0.1", "--reason= "), "a limit is changed for a reason: give one"),
    ],
    ids=["bot", "account", "limit", "bounds", "same", "count", "reason"],
)
def test_what_is_wrong_is_told(bot, words, says):
    assert refusal("set_limit", "--reason=r", *words).startswith(says)
    assert not LimitChange.objects.exists()


def test_all_limits_are_listed_also_beside_a_row_that_is_gone(bot):
    make_bot(bot.account, name="eth-bot")
    BotRiskLimits.objects.filter(bot=bot).delete()
    told = run("limits")
    assert [line for line in told.splitlines() if not line.startswith(" ")] == [
        f"account {bot.account}",
        "bot btc-bot",
        "bot eth-bot",
    ]
    assert "  there are no limits of btc-bot, so that it enters nothing: their row was deleted\n" in told
    assert told.count("max_position") == 1
    assert "bot" not in run("limits", "--account")
