"""Balances of installations that traded before balances were kept: capital changes and all fills, summed anew."""

from collections import defaultdict
from decimal import Decimal

from django.db import migrations

from market.money import ZERO, exact


def fill_balances(apps, schema_editor):
    balances = defaultdict(lambda: ZERO)
    with exact():
        _add_capital(apps, balances)
        _add_fills(apps, balances)
    AssetBalance = apps.get_model("execution", "AssetBalance")
    for (account_id, asset), amount in balances.items():
        AssetBalance.objects.update_or_create(account_id=account_id, asset=asset, defaults={"amount": amount})


def _add_capital(apps, balances: dict[tuple[int, str], Decimal]) -> None:
    rows = apps.get_model("execution", "CapitalChange").objects.order_by()
    for account_id, quote, amount in rows.values_list("account_id", "account__quote", "amount").iterator():
        balances[account_id, quote] += amount


def _add_fills(apps, balances: dict[tuple[int, str], Decimal]) -> None:
    columns = ("account_id", "symbol", "side", "amount", "cash_change", "fee", "fee_currency")
    rows = apps.get_model("execution", "Trade").objects.order_by().values_list(*columns)
    for account_id, symbol, side, amount, cash_change, fee, fee_currency in rows.iterator():
        base, _, quote = symbol.partition("/")
        balances[account_id, base] += amount if side == "BUY" else -amount
        balances[account_id, quote] += cash_change  # a quote fee is in it
        if fee and fee_currency != quote:
            balances[account_id, fee_currency] -= fee


class Migration(migrations.Migration):

    dependencies = [
        ("bots", "0001_initial"),
        ("execution", "0004_paper_orders"),
    ]

    operations = [migrations.RunPython(fill_balances, migrations.RunPython.noop)]
