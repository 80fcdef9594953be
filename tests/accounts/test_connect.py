"""Connecting an account, at a real simulated exchange: what is asked of it first, and what is refused."""

import json
import os
import pty
import subprocess
import sys
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bots.models import ExchangeAccount
from execution.models import AssetBalance, CapitalChange, Portfolio
from market.ccxt_orders import CcxtOrderDesk
from notifications.models import Event
from risk.models import Halt, PortfolioRiskLimits
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from tests.factories import make_account, now_at
from tests.live import Venue, venue_with
from tradingplatform import wiring
from tradingplatform.key_check import review_key

pytestmark = [pytest.mark.process, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[2]
PLANTED = "planted-secret-0000000000000000000000000000000000000000000000000"


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """1,000,000 USDT, 2 BTC and 100 BNB; its key is not bound to an address."""
    deposits = ("--balance", "USDT=1000000", "--balance", "BTC=2", "--balance", "BNB=100")
    with venue_with(tmp_path_factory.mktemp("venue"), "--api-secret", PLANTED, *deposits) as venue:
        yield venue


@pytest.fixture(scope="module")
def withdrawing(tmp_path_factory):
    with venue_with(tmp_path_factory.mktemp("withdrawing"), "--key-may-withdraw", "--key-ip-restricted") as venue:
        yield venue


@pytest.fixture
def at(monkeypatch):
    """Point the command at a venue, with a key in its environment."""

    def point(venue: Venue, key: str = DEMO_KEY, secret: str = PLANTED) -> None:
        desks = partial(CcxtOrderDesk, venue.exchange)
        platform = wiring.Platform(venue.clock, venue.exchange, open_desk=desks)
        monkeypatch.setattr(wiring, "platform", lambda: platform)
        monkeypatch.setenv("EXCHANGE_API_KEY", key)
        monkeypatch.setenv("EXCHANGE_API_SECRET", secret)

    return point


def connect(name="live", capital="100000", *more, confirm=None):
    out = StringIO()
    call_command("connect_account", name, f"--capital={capital}", f"--confirm={confirm or name}", *more, stdout=out)
    return out.getvalue()


def refusal(*words, **options):
    """The one line; nothing was written."""
    before = ExchangeAccount.objects.count()
    with pytest.raises(CommandError) as caught:
        connect(*words, **options)
    assert ExchangeAccount.objects.count() == before
    assert not Event.objects.exists()
    assert not CapitalChange.objects.filter(account__mode="LIVE").exists()
    return str(caught.value)


def everything_stored():
    """All text of all tables."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [str(row) for row in cursor.fetchall()]
    return "\n".join(rows)


def test_an_account_is_connected(started, at):
    at(started)
    told = connect()
    account = ExchangeAccount.objects.get()
    assert told.splitlines() == [
        f"Account live is LIVE, key {account.fingerprint}, capital 100000 USDT",
        "warning: the key works from every address: restrict it to this one at the exchange",
        "Nothing enters on it yet: LIVE_TRADING is off.",
    ]
    assert (account.mode, account.exchange, account.quote) == ("LIVE", "simulated", "USDT")
    assert (account.api_key.reveal(), account.api_secret.reveal()) == (DEMO_KEY, PLANTED)
    assert CapitalChange.objects.get().amount == Portfolio.objects.get().capital == Decimal(100_000)
    assert PortfolioRiskLimits.objects.filter(account=account).exists()
    untracked = dict(AssetBalance.objects.values_list("asset", "untracked"))
    assert untracked == {"USDT": Decimal(900_000), "BTC": Decimal(2), "BNB": Decimal(100)}


def test_the_key_is_in_no_event_no_output_and_no_log(started, at, capsys, caplog):
    at(started)
    caplog.set_level("DEBUG")
    told = connect()
    kinds = dict(Event.objects.values_list("kind", "payload"))
    assert set(kinds) == {"account_connected", "key_warning"}
    assert kinds["account_connected"]["actor"]
    assert kinds["account_connected"]["reason"] == ""
    written = capsys.readouterr()
    shown = f"{told} {written.out} {written.err} {caplog.text} {everything_stored()}"
    assert "account_connected" in shown
    assert PLANTED not in shown
    assert DEMO_KEY not in shown


def test_a_key_that_may_withdraw(withdrawing, at):
    at(withdrawing, secret=DEMO_SECRET)
    text = refusal()
    assert text.startswith("account live is not connected: its API key may withdraw and transfer, and must not: take")


@pytest.mark.parametrize(
    ("key", "secret", "words"),
    [
        ("not_a_key", PLANTED, "(-2014): that is not an API key"),
        ("simexchange-demo-key-another", PLANTED, "(-2015): the exchange does not know this key"),
        (DEMO_KEY, "wrong", "(-1022): the secret does not belong to the key: check EXCHANGE_API_SECRET"),
    ],
)
def test_a_wrong_key(started, at, key, secret, words):
    at(started.fresh(), key, secret)
    text = refusal()
    assert words in text
    assert secret not in text


def test_too_little_money(started, at):
    at(started)
    text = refusal("live", "1000000.01")
    assert text.endswith(
        "an account with too little money: 1000000 USDT are free there, and its capital is to be 1000000.01"
    )
    assert "0 EUR are free there" in refusal("live", "5", "--quote=EUR")


def test_refusals_before_the_exchange_is_asked(started, at, monkeypatch, settings):
    at(started)
    assert refusal(confirm="x") == "not confirmed: to connect live for live orders, give --confirm live"
    assert "capital must be above 0, not 0" in refusal("live", "0")
    assert "'much' is not a number" in refusal("live", "much")
    taken = make_account().name
    assert f"there is an account '{taken}' already" in refusal(taken)
    settings.EXCHANGE = "binance"
    assert "risk floor is not complete, so an account at binance stays on paper" in refusal()
    settings.EXCHANGE = "simulated"
    monkeypatch.delenv("EXCHANGE_API_SECRET")
    monkeypatch.setattr(sys, "stdin", StringIO())
    assert refusal().startswith("EXCHANGE_API_SECRET is not set")


def test_one_key_is_for_one_account(started, at):
    at(started)
    connect()
    with pytest.raises(CommandError, match="account live has this key already"):
        connect("second")


def test_an_exchange_that_does_not_answer(started, at):
    at(started.fresh())
    started.fault({"kind": "http", "status": 503}, "GET /sapi/*")
    try:
        assert refusal().startswith("the exchange cannot be asked now: ")
    finally:
        started.fresh()


def test_a_connected_key_that_gains_rights_halts_its_account(withdrawing, started, at):
    at(started.fresh())
    connect()
    account = ExchangeAccount.objects.get()
    assert review_key(account, wiring.platform().desk(account), now_at()) == ""
    at(withdrawing)
    account.api_secret = DEMO_SECRET
    account.save()
    assert "may withdraw" in review_key(account, wiring.platform().desk(account), now_at())
    assert Halt.objects.get().cause == "key_rights"


def test_on_a_terminal_the_key_is_asked_for_without_echo(tmp_path, started):
    """The whole program on a pseudo-terminal: what is typed is not shown."""
    environment = os.environ | {"VAR": str(tmp_path), "SECRET_KEY": "x" * 50, "SIM_URL": started.running.url}
    environment |= {"DJANGO_SETTINGS_MODULE": "tradingplatform.settings", "EXCHANGE_API_KEY": DEMO_KEY}
    environment |= {"EXCHANGE_API_SECRET": "", "DATABASE_URL": "", "REDIS_URL": ""}
    (tmp_path / "clock.json").write_text(json.dumps({"origin_wall_ms": 0, "origin_market_ms": 0, "speed": 1}))
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v0"], cwd=ROOT, env=environment, check=True, timeout=60)
    master, slave = pty.openpty()
    words = ["connect_account", "live", "--capital", "1000", "--confirm", "live"]
    process = subprocess.Popen(
        [*manage, *words], cwd=ROOT, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    shown = b""
    while b"EXCHANGE_API_SECRET: " not in shown:
        shown += os.read(master, 1000)
    os.write(master, PLANTED.encode() + b"\n")
    try:
        while part := os.read(master, 1000):
            shown += part
    except OSError:  # the other end was closed
        pass
    assert process.wait(20) == 0, shown
    assert b"Account live is LIVE" in shown
    assert PLANTED.encode() not in shown
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("platform.sqlite3*"))
    assert b"account_connected" in stored
    assert PLANTED.encode() not in stored
