"""Totals of positions, orders and trades: exact, by currency, one query each."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Count, Q, QuerySet

from bots.sums import ExactSum
from execution.states import LIVE_POSITION, PositionStatus
from market.money import ZERO, decimals_shown, exact, percent, ratio
from market.orders import Side
from notifications.lists.cells import in_currency, profit
from notifications.lists.totals import Total, counted

CLOSED = Q(status=PositionStatus.CLOSED.value)
LIVE = Q(status__in=[status.value for status in LIVE_POSITION])
"""Nothing else has a value that is not realised."""


def position_totals(rows: QuerySet[Any]) -> Iterator[Total]:
    """Profit, fees and exposure by quote currency, then how many of the closed ones won: as in the bots' books, all
    that did not lose, fees inside."""
    groups = _by(rows, "account__mode", "account__quote").annotate(
        made=ExactSum("realised"),
        open=ExactSum("unrealised", filter=LIVE),
        paid=ExactSum("fees"),
        held=ExactSum("exposure", filter=LIVE),
        closed=Count("pk", filter=CLOSED),
        lost=Count("pk", filter=CLOSED & Q(realised__lt=0)),
    )
    for suffix, of_mode in _by_mode(groups):
        for group in of_mode:
            yield from _position_sums(group, suffix)
        closed, lost = (sum(group[name] for group in of_mode) for name in ("closed", "lost"))
        if closed:
            rate = percent(ratio(Decimal(closed - lost), Decimal(closed)))
            yield Total(f"Win rate{suffix}", f"{rate} ({closed - lost:,} of {closed:,} closed)")


def _position_sums(group: Mapping[str, Any], suffix: str) -> Iterator[Total]:
    quote = group["account__quote"]
    decimals = decimals_shown(quote)
    yield Total(f"Realised{suffix}", profit(group["made"], decimals, quote))
    if group["held"] is not None:
        yield Total(f"Unrealised{suffix}", profit(group["open"], decimals, quote))
        yield Total(f"Exposure{suffix}", in_currency(group["held"], quote, decimals))
    yield Total(f"Fees{suffix}", in_currency(group["paid"], quote, decimals))


def order_totals(rows: QuerySet[Any]) -> Iterator[Total]:
    """What was filled of them, by quote currency and side."""
    groups = _by(rows, "account__mode", "account__quote", "side")
    for suffix, of_mode in _by_mode(groups.annotate(notional=ExactSum("filled_cost"), orders=Count("pk"))):
        for group in of_mode:
            quote = group["account__quote"]
            shown = in_currency(group["notional"], quote, decimals_shown(quote))
            yield Total(f"{_done(group['side'])} for{suffix}", f"{shown} ({counted(group['orders'], 'order')})")


def trade_totals(rows: QuerySet[Any]) -> Iterator[Total]:
    """What was bought and sold by quote currency, then the fees by the currency they were paid in."""
    groups = _by(rows, "account__mode", "account__quote", "side", "fee_currency").annotate(
        notional=ExactSum("price", "amount"), paid=ExactSum("fee"), trades=Count("pk")
    )
    for suffix, of_mode in _by_mode(groups):
        yield from _trade_sums(of_mode, suffix)


def _trade_sums(groups: Iterable[Mapping[str, Any]], suffix: str) -> Iterator[Total]:
    notional: dict[tuple[str, str], tuple[Decimal, int]] = {}
    fees: dict[str, Decimal] = {}
    with exact():
        for group in groups:
            traded, fee_currency = (group["account__quote"], group["side"]), group["fee_currency"]
            before, trades = notional.get(traded, (ZERO, 0))
            notional[traded] = before + group["notional"], trades + group["trades"]
            fees[fee_currency] = fees.get(fee_currency, ZERO) + group["paid"]
    for (quote, side), (value, trades) in notional.items():
        shown = in_currency(value, quote, decimals_shown(quote))
        yield Total(f"{_done(side)} for{suffix}", f"{shown} ({counted(trades, 'trade')})")
    for currency, value in sorted(fees.items()):
        yield Total(f"Fees{suffix}", in_currency(value, currency, decimals_shown(currency)))


def capital_totals(rows: QuerySet[Any]) -> Iterator[Total]:
    """What was put in less what was taken out, by currency."""
    for suffix, of_mode in _by_mode(_by(rows, "account__mode", "account__quote").annotate(sum=ExactSum("amount"))):
        for group in of_mode:
            quote = group["account__quote"]
            yield Total(f"Capital{suffix}", profit(group["sum"], decimals_shown(quote), quote))


def _by_mode(groups: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """The groups of each mode, and what its figures' names end with where there are both: money on paper and real money
    are never one sum."""
    modes = [(mode, list(found)) for mode, found in groupby(groups, key=itemgetter("account__mode"))]
    return [(f" ({mode.lower()})" if len(modes) > 1 else "", found) for mode, found in modes]


def _by(rows: QuerySet[Any], *names: str) -> QuerySet[Any, Any]:
    """Groups of the rows, in the order of the names' values."""
    return rows.order_by(*names).values(*names)


def _done(side: str) -> str:
    return "Bought" if side == Side.BUY.value else "Sold"
