"""Accounts: money, exposure, and how near each is to its limits. Two queries."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.db.models import Prefetch
from prometheus_client.core import Metric

from bots.models import ExchangeAccount
from execution.models import AssetExposure, Portfolio
from execution.totals import equity, free_cash
from market.clock import Clock, Now
from market.money import ZERO, exact, ratio
from risk.models import PortfolioRiskLimits
from tradingplatform.metrics.families import Sample, age_s, gauge


def account_metrics(clock: Clock, now: Now) -> Iterator[Metric]:
    exposed = Prefetch("portfolio__assets", AssetExposure.objects.order_by("asset"))
    accounts = list(
        ExchangeAccount.objects.filter(portfolio__isnull=False)
        .select_related("portfolio", "limits")
        .prefetch_related(exposed)
        .order_by("pk")
    )
    for name, tells, read in (
        ("equity", "Equity at the last marks, in quote", equity),
        ("peak_equity", "The highest equity so far, in quote", lambda p: max(p.peak_equity, equity(p))),
        ("free_cash", "Cash that is neither in positions nor reserved, in quote", free_cash),
        ("exposure", "Open positions at their marks, and reserved entries, in quote", lambda p: p.exposure),
        ("realised", "Realised profit, fees inside, in quote", lambda p: p.realised),
        ("unrealised", "Unrealised profit at the last marks, in quote", lambda p: p.unrealised),
        ("fees", "Fees paid, in quote", lambda p: p.fees),
        ("drawdown_ratio", "Decline of the equity from its peak, as a fraction", _drawdown),
    ):
        figures: list[Sample] = [((a.name,), float(read(a.portfolio))) for a in accounts]
        yield gauge(f"trading_account_{name}", tells, ("account",), figures)
    marks: list[Sample] = [((a.name,), age_s(a.portfolio.marked_at, now.market_at) / clock.speed) for a in accounts]
    yield gauge("trading_account_mark_age_seconds", "Wall seconds since all was valued", ("account",), marks)
    assets: list[Sample] = [
        ((a.name, row.asset), float(row.exposure)) for a in accounts for row in a.portfolio.assets.all() if row.exposure
    ]
    yield gauge("trading_asset_exposure", "Exposure to one asset, in quote", ("account", "asset"), assets)
    yield gauge(
        "trading_account_limit_used_ratio",
        "How much of an account's limit is used; 1: its check refuses",
        ("account", "limit"),
        [sample for account in accounts for sample in _used(account)],
    )


def _drawdown(portfolio: Portfolio) -> Decimal:
    now = equity(portfolio)
    peak = max(portfolio.peak_equity, now)
    with exact():
        lost = peak - now
    return ratio(lost, peak)


def _used(account: ExchangeAccount) -> Iterable[Sample]:
    """An account without limits enters nothing, and has nothing to show."""
    if not hasattr(account, "limits"):
        return
    limits: PortfolioRiskLimits = account.limits
    portfolio: Portfolio = account.portfolio
    worth = equity(portfolio)
    largest = max((row.exposure for row in portfolio.assets.all()), default=ZERO)
    with exact():
        most_exposed, most_asset = limits.max_exposure * worth, limits.max_asset * worth
    yield (account.name, "total_exposure"), float(ratio(portfolio.exposure, most_exposed))
    yield (account.name, "asset_concentration"), float(ratio(largest, most_asset))
    yield (account.name, "portfolio_drawdown"), float(ratio(_drawdown(portfolio), limits.max_drawdown))
