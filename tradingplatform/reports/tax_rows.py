"""All fills of one account, as lots for the FIFO."""

from collections.abc import Iterator

from django.db.models import Count

from execution.models import Trade
from market.orders import Fill, Side
from tradingplatform.reports.columns import InUtc
from tradingplatform.reports.fifo import Lot, lot_of


def lots(account_id: int) -> Iterator[Lot]:
    """As they were booked. Raises fifo.Unmatched for a fill that cannot be valued."""
    columns = ("symbol", "side", "order__bot__name", "trade_id", "price", "amount", "fee", "fee_currency")
    rows = Trade.objects.filter(account_id=account_id).order_by("pk")
    for symbol, side, bot, *fill in rows.values_list(*columns, "executed_at", "fee_rate").iterator(chunk_size=5_000):
        yield lot_of(symbol, Side(side), bot, Fill(*fill))


def fills(account_id: int) -> int:
    """How many there are."""
    return Trade.objects.filter(account_id=account_id).count()


def sales_by_year(account_id: int) -> dict[int, int]:
    """Of each year (UTC) in which something was sold, how many fills it were, the newest first."""
    sales = Trade.objects.filter(account_id=account_id, side=Side.SELL).order_by()
    years = sales.values(year=InUtc("executed_at", "year")).annotate(number=Count("pk"))
    return dict(sorted(((int(year), number) for year, number in years.values_list("year", "number")), reverse=True))
