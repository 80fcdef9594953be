"""Three switches decide whether a bot enters with money; none of them holds up an exit."""

from dataclasses import replace
from itertools import product

import pytest
import redis
from django.core.exceptions import ValidationError

from bots.live import why_not_live
from bots.live_exchanges import NOT_YET
from bots.models import Bot, ExchangeAccount
from execution.live import LiveTrader
from execution.paper import PaperTrader
from market.clock import Clock
from risk.verdicts import Approved, Refused
from tests.execution.test_orders_and_money import buy, sell
from tests.factories import instrument, make_account, make_bot
from tests.fakes import FakeMarket, ScriptedExecutor, filled_at
from tradingplatform.environment import BadEnvironment, read_environment
from tradingplatform.wiring import Platform, WrongAccount

pytestmark = pytest.mark.django_db

MAY_ENTER = {
    ("PAPER", False, False): True,
    ("PAPER", False, True): True,
    ("PAPER", True, False): True,
    ("PAPER", True, True): True,
    ("LIVE", False, False): False,
    ("LIVE", False, True): False,
    ("LIVE", True, False): False,
    ("LIVE", True, True): True,
}
"""By the account's mode, LIVE_TRADING and the bot's own switch."""


@pytest.mark.parametrize("switches", list(product(("PAPER", "LIVE"), (False, True), (False, True))))
def test_a_bot_enters_when_the_switches_agree(settings, live_account, switches):
    mode, settings.LIVE_TRADING, live = switches
    ExchangeAccount.objects.update(mode=mode)
    bot = make_bot(ExchangeAccount.objects.get(), live=live)
    executor = ScriptedExecutor(filled_at("60000"))
    verdict = buy(bot, executor)
    assert isinstance(verdict, Approved) is MAY_ENTER[switches]
    assert len(executor.sent) == MAY_ENTER[switches]
    assert (why_not_live(bot) == "") is MAY_ENTER[switches]
    if isinstance(verdict, Refused):
        assert NOT_YET in verdict.reason


@pytest.mark.parametrize(("trading", "live"), [(False, False), (False, True), (True, False)])
def test_an_exit_waits_for_no_switch(settings, live_account, trading, live):
    settings.LIVE_TRADING = True
    bot = make_bot(live_account, live=True)
    buy(bot, ScriptedExecutor(filled_at("60000")))
    settings.LIVE_TRADING = trading
    Bot.objects.filter(pk=bot.pk).update(live=live)
    executor = ScriptedExecutor(filled_at("61000"))
    sell(bot, executor)
    assert len(executor.sent) == 1


def test_live_is_for_the_simulated_exchange_and_needs_a_key(live_account):
    live_account.full_clean()
    live_account.exchange = "binance"
    with pytest.raises(ValidationError, match="risk floor is not complete, so an account at binance stays on paper"):
        live_account.full_clean()
    live_account.exchange, live_account.api_secret = "simulated", ""
    with pytest.raises(ValidationError, match="needs an API key and its secret"):
        live_account.full_clean()


@pytest.mark.parametrize(
    ("value", "expected"), [("", False), ("no", False), ("false", False), ("yes", True), ("1", True)]
)
def test_the_switch_of_the_installation(monkeypatch, value, expected):
    monkeypatch.setenv("LIVE_TRADING", value)
    assert read_environment().LIVE_TRADING is expected


def test_a_misspelt_switch_is_refused(monkeypatch):
    monkeypatch.setenv("LIVE_TRADING", "ture")
    with pytest.raises(BadEnvironment, match=r"LIVE_TRADING='ture': .* boolean.*\(yes or no: whether bots may enter"):
        read_environment()


def test_keys_are_not_repeated_in_a_complaint(monkeypatch):
    monkeypatch.setenv("FIELD_KEYS", "planted-field-key")
    monkeypatch.setenv("LIVE_TRADING", "ture")
    with pytest.raises(BadEnvironment) as caught:
        read_environment()
    assert "planted" not in str(caught.value)


class Desk:
    """Opened with a key, and remembers which."""

    def __init__(self, key, secret, account):
        self.opened_with = (key, secret, account)


@pytest.fixture
def platform():
    return Platform(Clock(), FakeMarket({"BTC/USDT": instrument()}), open_desk=Desk)


@pytest.fixture(autouse=True)
def no_redis(monkeypatch):
    """Nothing here asks for a price."""
    monkeypatch.setattr("tradingplatform.wiring.connect_redis", lambda: redis.Redis(unix_socket_path="/nowhere"))


def test_the_mode_decides_where_orders_go(platform, live_account):
    assert isinstance(platform.executor(live_account), LiveTrader)
    assert isinstance(platform.executor(make_account()), PaperTrader)


def test_a_desk_is_kept_until_the_key_is_another(platform, live_account):
    desk = platform.desk(live_account)
    assert desk.opened_with == ("key", "secret", "live")
    assert platform.desk(ExchangeAccount.objects.get(pk=live_account.pk)) is desk
    live_account.api_secret = "corrected"
    live_account.save()
    assert platform.desk(ExchangeAccount.objects.get(pk=live_account.pk)).opened_with == ("key", "corrected", "live")


def test_no_orders_go_elsewhere(platform, live_account):
    with pytest.raises(WrongAccount, match="is in PAPER mode: it has no orders at the exchange"):
        platform.desk(make_account())
    with pytest.raises(WrongAccount, match="makes no live orders"):
        replace(platform, open_desk=None).desk(live_account)
    live_account.exchange = "binance"
    with pytest.raises(WrongAccount, match="is at binance, this platform runs on simulated"):
        platform.executor(live_account)
    platform.exchange.id = "binance"
    with pytest.raises(WrongAccount, match="risk floor is not complete"):
        platform.executor(live_account)
