"""What fills and capital do to the account's balances, and that balances and ledger never disagree."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from execution.balances import book_flows
from execution.capital import book_capital
from execution.flows import flows
from execution.ledger import Holding, apply_fill, cash_change
from execution.lock import lock_portfolio
from execution.models import AssetBalance
from market.money import ZERO, exact
from market.orders import Fill, Side
from tests.factories import make_account, now_at

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fill(price, amount, fee, currency, rate=None):
    return Fill("t1", D(price), D(amount), D(fee), currency, AT, rate)


TABLE = {
    "buy, quote fee": (Side.BUY, ("100", "2", "0.2", "USDT"), {"BTC": "2", "USDT": "-200.2"}),
    "buy, base fee": (Side.BUY, ("100", "2", "0.002", "BTC"), {"BTC": "1.998", "USDT": "-200"}),
    "buy, third fee": (Side.BUY, ("100", "2", "0.01", "BNB"), {"BTC": "2", "USDT": "-200", "BNB": "-0.01"}),
    "sell, quote fee": (Side.SELL, ("100", "2", "0.2", "USDT"), {"BTC": "-2", "USDT": "199.8"}),
    "sell, base fee": (Side.SELL, ("100", "2", "0.002", "BTC"), {"BTC": "-2.002", "USDT": "200"}),
    "sell, third fee": (Side.SELL, ("100", "2", "0.01", "BNB"), {"BTC": "-2", "USDT": "200", "BNB": "-0.01"}),
    "a rebate comes in": (Side.BUY, ("100", "2", "-0.1", "USDT"), {"BTC": "2", "USDT": "-199.9"}),
    "no fee touches no third asset": (Side.BUY, ("100", "2", "0", "BNB"), {"BTC": "2", "USDT": "-200"}),
}


@pytest.mark.parametrize(("side", "traded", "moved"), TABLE.values(), ids=TABLE.keys())
def test_one_fill(side, traded, moved):
    assert flows(side, fill(*traded), "BTC", "USDT") == {asset: D(change) for asset, change in moved.items()}


amounts = st.decimals("0.00000001", "50000", places=8)


@given(
    st.sampled_from(Side), amounts, amounts, st.integers(-500, 1000), st.sampled_from(["BTC", "USDT", "BNB"]), amounts
)
def test_flows_agree_with_the_ledger(side, price, amount, permille, currency, rate):
    """The quote that moves is the ledger's cash, the base that moves is the ledger's quantity."""
    with exact():
        fee = amount * permille / 1000 * (price if currency == "USDT" else 1)
    one = fill(price, amount, fee, currency, rate)
    moved = flows(side, one, "BTC", "USDT")
    held = Holding(quantity=D(100_001), cost=D(1000))
    with exact():
        gained = apply_fill(held, side, one, "BTC", "USDT", fee_rate_quote=rate).quantity - held.quantity
    assert moved.get("USDT", ZERO) == cash_change(side, one, "USDT")
    assert moved.get("BTC", ZERO) == gained
    assert moved.get("BNB", ZERO) == (-fee if currency == "BNB" else 0)


def balances(account):
    return dict(AssetBalance.objects.filter(account=account).values_list("asset", "amount"))


@pytest.mark.django_db
def test_flows_are_added_to_what_is_there():
    account = make_account("1000")
    with transaction.atomic():
        lock_portfolio(account.pk)
        book_flows(account.pk, {"USDT": D("-200.00000000000001"), "BTC": D("0.00000000000000001")})
        book_flows(account.pk, {"BTC": D("2")})
    assert balances(account) == {"USDT": D("799.99999999999999"), "BTC": D("2.00000000000000001")}


@pytest.mark.django_db
def test_capital_moves_the_quote_asset():
    account = make_account("1000")
    with transaction.atomic():
        book_capital(account, D("50.5"), "more", now_at())
        book_capital(account, D(-100), "less", now_at())
    assert balances(account) == {"USDT": D("950.5")}
