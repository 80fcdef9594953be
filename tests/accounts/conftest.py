"""Accounts for live orders, and keys of their own for what is encrypted."""

import pytest

from bots.models import ExchangeAccount
from execution.clean import note
from tests.factories import make_account, now_at
from tests.wired import wired_exchange  # noqa: F401  (a fixture)


@pytest.fixture(autouse=True)
def field_keys(tmp_path, settings):
    settings.FIELD_KEYS_FILE = tmp_path / "field_keys"
    return settings.FIELD_KEYS_FILE


@pytest.fixture
def live_account():
    """A LIVE account with 100,000 USDT, as if it had been connected and found to agree with the exchange."""
    pk = make_account().pk
    ExchangeAccount.objects.filter(pk=pk).update(name="live", mode="LIVE", api_key="key", api_secret="secret")
    account = ExchangeAccount.objects.get(pk=pk)
    note(account, "", now_at())
    return account
