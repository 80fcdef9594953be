"""Secrets at rest: encrypted under the newest key, readable with every older one, in plain nowhere."""

import json
import stat
from pathlib import Path

import pytest
import structlog
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.management import call_command
from django.db import connection

from bots import field_keys
from bots.encrypted import Secret
from bots.field_keys import UnreadableSecret
from bots.models import ExchangeAccount
from notifications.models import Event
from tests.factories import now_at
from tradingplatform.acting import By
from tradingplatform.key_rotation import rotate_field_keys
from tradingplatform.logs import configure_logs

pytestmark = pytest.mark.django_db

PLANTED = "planted-api-secret-0123456789abcdefghijklmnopqrstuvwxyz"
BY = By("tester", now_at())


@pytest.fixture(autouse=True)
def keys_file(tmp_path, settings):
    settings.FIELD_KEYS_FILE = tmp_path / "field_keys"
    return settings.FIELD_KEYS_FILE


def make(secret=PLANTED, name="live"):
    return ExchangeAccount.objects.create(
        name=name, exchange="simulated", quote="USDT", mode="LIVE", api_key="k" * 64, api_secret=secret
    )


def stored(account):
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_secret FROM bots_exchangeaccount WHERE id = %s", [account.pk])
        return cursor.fetchone()[0]


def test_a_secret_comes_back_and_its_column_does_not_tell_it(keys_file):
    account = make()
    assert PLANTED not in stored(account)
    assert ExchangeAccount.objects.get(pk=account.pk).api_secret.reveal() == PLANTED
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    assert list(keys_file.parent.glob("field_keys.*")) == []


def test_nothing_is_made_for_an_account_without_a_key(keys_file):
    account = ExchangeAccount.objects.create(name="paper", exchange="simulated", quote="USDT")
    assert not account.api_key
    assert (account.api_key.reveal(), account.fingerprint, stored(account)) == ("", "", "")
    assert not keys_file.exists()


def test_the_text_stays_on_no_row_and_in_no_repr():
    account = make()
    for row in (account, ExchangeAccount.objects.get()):
        said = f"{row.__dict__} {row.api_secret!r} {row.api_secret} {serializers.serialize('json', [row])}"
        assert PLANTED not in said
        assert "***" in said


def test_a_fingerprint_tells_keys_apart_without_giving_them_away():
    one, other = Secret.seal("abcd" + "x" * 60), Secret.seal("abcd" + "y" * 60)
    assert one.fingerprint().startswith("abcd...")
    assert len(one.fingerprint()) == 15
    assert one.fingerprint() == Secret.seal("abcd" + "x" * 60).fingerprint() != other.fingerprint()


def test_a_saved_account_keeps_its_secret_untouched():
    account = make()
    before = stored(account)
    again = ExchangeAccount.objects.get()
    again.name = "renamed"
    again.save()
    assert stored(account) == before


def test_a_new_first_key_takes_over(keys_file):
    accounts = [make(), make("another secret", "second")]
    before = [stored(account) for account in accounts]
    old = keys_file.read_text().split()
    assert rotate_field_keys(BY) == 4
    new = keys_file.read_text().split()
    assert new[1:] == old
    assert new[0] not in old
    assert stat.S_IMODE(keys_file.stat().st_mode) == 0o600
    keys_file.write_text(new[0])
    for account, token in zip(accounts, before, strict=True):
        assert stored(account) != token
    assert [row.api_secret.reveal() for row in ExchangeAccount.objects.order_by("pk")] == [PLANTED, "another secret"]
    event = Event.objects.get(kind="field_keys_rotated")
    assert event.payload == {"actor": "tester", "secrets": 4}


def test_keys_of_the_environment_are_left_to_whoever_set_them(settings, keys_file, capsys):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FIELD_KEYS = old
    make()
    settings.FIELD_KEYS = f"{new}, {old}"
    call_command("rotate_field_keys")
    assert "2 secrets are encrypted with the first key of FIELD_KEYS" in capsys.readouterr().out
    settings.FIELD_KEYS = new
    assert ExchangeAccount.objects.get().api_secret.reveal() == PLANTED
    assert not keys_file.exists()


def test_an_interrupted_rotation_leaves_everything_readable():
    make()
    field_keys.add_key()
    assert ExchangeAccount.objects.get().api_secret.reveal() == PLANTED


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("A" * 43 + "=", "fits what is stored: restore the one it was made with"),
        ("", "there is no key in"),
        ("not a key", "holds something that is no key"),
    ],
    ids=["another key", "none", "no key"],  # a key is another one in each process that collects tests
)
def test_a_wrong_key_is_an_error_and_never_the_token(keys_file, keys, words):
    account = make()
    keys_file.write_text(keys)
    account = ExchangeAccount.objects.get()  # an account whose secret nobody asks for is as good as ever
    with pytest.raises(UnreadableSecret, match=words) as caught:
        account.api_secret.reveal()
    assert PLANTED not in str(caught.value)
    assert account.api_secret.token not in str(caught.value)
    with pytest.raises(UnreadableSecret):
        rotate_field_keys(BY)


def test_the_log_has_stars(capsys):
    account = make()
    configure_logs("INFO", "json")
    structlog.get_logger().info("account", key=account.api_key, secret=account.api_secret, row=vars(account))
    line = capsys.readouterr().err
    assert json.loads(line)["secret"] == "***"
    assert PLANTED not in line


@pytest.mark.django_db(transaction=True)
def test_nothing_is_in_plain_in_the_database_file():
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's file is what is searched")
    make(name="a-name-that-is-there")
    rotate_field_keys(BY)
    path = connection.settings_dict["NAME"]
    written = b"".join(Path(f"{path}{end}").read_bytes() for end in ("", "-wal") if Path(f"{path}{end}").exists())
    assert b"a-name-that-is-there" in written
    assert PLANTED.encode() not in written
    assert ("k" * 64).encode() not in written
