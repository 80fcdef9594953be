"""Fills of one account -> what they cost by group, in one query."""

from decimal import Decimal

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Coalesce, Concat

from bots.fields import ExactDecimalField
from bots.models import ExchangeAccount
from execution.models import Trade
from market.money import ZERO
from market.orders import Side
from tradingplatform.reports.columns import Joined, Listed, decimals
from tradingplatform.reports.costs import Costs, costs_of, costs_together
from tradingplatform.reports.period import Period

GROUPS = {"bot": F("order__bot__name"), "symbol": F("symbol"), "purpose": F("order__purpose")}
"""By what fills are told apart."""

MONEY: ExactDecimalField[Decimal, Decimal] = ExactDecimalField()


def costs_by(group: str, account: ExchangeAccount, period: Period) -> dict[str, Costs]:
    """Of the fills that happened in the period, by group."""
    worth = Case(
        When(fee_currency=account.quote, then=Value(Decimal(1), output_field=MONEY)),
        When(symbol__startswith=Concat(F("fee_currency"), Value("/")), then=F("price")),
        default=Coalesce(F("fee_rate"), Value(ZERO, output_field=MONEY)),  # no fee needs no rate
        output_field=MONEY,
    )
    figures = Listed(Joined("price", "amount", "order__reference_price", "fee", worth))
    rows = (
        Trade.objects.filter(_inside(account.pk, period))
        .order_by()
        .values(key=GROUPS[group], way=F("side"))
        .annotate(figures=figures)
        .values_list("key", "way", "figures")
    )
    found: dict[str, list[Costs]] = {}
    for key, side, text in rows:
        found.setdefault(key, []).append(costs_of(Side(side), decimals(text)))
    return {key: costs_together(parts) for key, parts in found.items()}


def _inside(account_id: int, period: Period) -> Q:
    inside = Q(account_id=account_id)
    if period.since is not None:
        inside &= Q(executed_at__gte=period.since)
    if period.until is not None:
        inside &= Q(executed_at__lt=period.until)
    return inside
