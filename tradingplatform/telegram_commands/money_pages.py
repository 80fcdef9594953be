"""Profit, balances, exposure and limits, in Telegram's HTML. Nothing is read here."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from market.clock import Now
from market.money import ZERO, brief, exact, percent
from notifications.telegram.markup import bold, escape
from tradingplatform.reports.results import together
from tradingplatform.telegram_commands.fleet_pages import alarm_lines, page, switch_line
from tradingplatform.telegram_commands.fleet_rows import AccountLine, Overview
from tradingplatform.telegram_commands.money_rows import (
    AccountRisk,
    Balance,
    Made,
    Nearness,
    Period,
    Statistics,
)
from tradingplatform.telegram_commands.tables import duration, money, pairs, share, signed, signed_share, table

FULL = 20
"""Lines of a table of bots that are shown: the best and the worst of more."""


def profit_page(accounts: Sequence[AccountLine], days: int, recent: Mapping[str, list[Period]], now: Now) -> str:
    parts = []
    for account in accounts:
        quote = account.quote
        with exact():
            total = account.realised + account.unrealised
        parts.append(escape(account.name))
        parts.append(
            pairs(
                [
                    ("capital", money(account.capital, quote)),
                    ("equity", money(account.equity, quote)),
                    ("profit", f"{signed(total, quote)} {signed_share(total, account.capital)}"),
                    ("realised", signed(account.realised, quote)),
                    ("unrealised", signed(account.unrealised, quote)),
                    ("fees", money(account.fees, quote)),
                    ("today", signed(account.today, quote)),
                ]
            )
        )
    for quote, found in recent.items():
        made = together(one.made for one in found)
        parts.append(
            f"{bold(f'Last {days} days')}: {signed(made.profit, quote)} {escape(quote)} by {made.closed:,} trades, "
            f"{made.wins} won"
        )
    return page("Profit", *parts, "Realised has the fees inside." if accounts else "There is no account yet.", now=now)


def periods_page(title: str, found: Mapping[str, list[Period]], now: Now) -> str:
    if not found:
        return page(title, "Nothing was closed in this time.", now=now)
    parts = [periods_table(quote, periods) for quote, periods in sorted(found.items())]
    return page(title, *parts, "What was made of the trades that ended then; market time.", now=now)


def periods_table(quote: str, periods: Sequence[Period]) -> str:
    rows = [
        (f"{one.begins:%Y-%m-%d}", signed(one.made.profit, quote), f"{one.made.wins}/{one.made.closed}")
        for one in periods
    ]
    return f"{escape(quote)}\n{table(('from', 'profit', 'won'), rows, right=' rr')}"


def performance_page(bots: Sequence[Made], symbols: Sequence[Made], now: Now) -> str:
    if not bots:
        return page("Performance", "There are no bots yet.", now=now)
    shown = list(bots) if len(bots) <= FULL else [*bots[: FULL // 2], *bots[-FULL // 2 :]]
    note = "" if len(bots) <= FULL else f"The best and the worst {FULL // 2} of {len(bots)} bots"
    return page("Performance", made_table("bot", shown), note, made_table("symbol", symbols[:FULL]), now=now)


def made_table(head: str, made: Sequence[Made]) -> str:
    rows = [
        (
            one.name,
            signed(one.profit, one.quote),
            signed_share(one.profit, one.capital),
            f"{one.won}/{one.won + one.lost}",
        )
        for one in made
    ]
    return table((head, "profit", "", "won"), rows, right=" rrr")


def stats_page(found: Sequence[Statistics], most: int, now: Now) -> str:
    if not found:
        return page("Statistics", "Nothing was sold yet.", now=now)
    parts = [block for one in found for block in _statistics(one)]
    note = f"Of the last {most:,} trades." if any(one.looked_at >= most for one in found) else "Of all trades."
    return page("Statistics", *parts, note, now=now)


def _statistics(one: Statistics) -> Iterator[str]:
    quote, made = one.quote, one.made
    factor = "no loss" if made.profit_factor is None else brief(made.profit_factor.quantize(Decimal("0.01")))
    yield pairs(
        [
            ("trades", f"{made.closed:,}"),
            ("won", f"{made.wins:,} {percent(made.win_rate or ZERO)}"),
            ("profit", f"{signed(made.profit, quote)} {quote}"),
            ("a trade", signed(made.expectancy or ZERO, quote)),
            ("factor", factor),
            ("best", signed(made.best or ZERO, quote)),
            ("worst", signed(made.worst or ZERO, quote)),
            ("held won", duration(one.held_won_s)),
            ("held lost", duration(one.held_lost_s)),
        ]
    )
    yield table(("ended by", "trades"), [(reason.lower(), f"{n:,}") for reason, n in one.by_reason.items()], right=" r")


def balance_page(accounts: Sequence[tuple[AccountLine, Sequence[Balance]]], now: Now) -> str:
    parts = []
    for account, found in accounts:
        rows = [
            (
                one.asset,
                brief(one.amount + one.untracked),
                "?" if one.worth is None else money(one.worth, account.quote),
            )
            for one in found
        ]
        parts.append(f"{escape(account.name)}, {account.mode.lower()}")
        parts.append(table(("asset", "has", f"in {account.quote}"), rows, right=" rr"))
        parts.append(
            pairs(
                [
                    ("equity", f"{money(account.equity, account.quote)} {account.quote}"),
                    ("free", f"{money(account.free, account.quote)} {account.quote}"),
                    ("reserved", f"{money(account.reserved, account.quote)} {account.quote}"),
                ]
            )
        )
        if any(one.untracked for one in found):
            parts.append("Some of it is not the bots'; the equity counts only what is.")
    return page("Balance", *(parts or ["There is no account yet."]), now=now)


def exposure_page(risks: Sequence[AccountRisk], now: Now) -> str:
    parts = []
    for risk in risks:
        account = risk.account
        rows = [
            (asset, money(exposure, account.quote), share(exposure, account.equity)) for asset, exposure in risk.assets
        ]
        parts.append(escape(account.name))
        parts.append(table(("asset", account.quote, "of eq."), rows, right=" rr") if rows else "Nothing is held.")
        parts.append(
            pairs(
                [
                    ("all", money(account.exposure, account.quote)),
                    ("is", f"{share(account.exposure, account.equity)} of {percent(risk.max_exposure)}"),
                    ("an asset", f"may be {percent(risk.max_asset)}"),
                ]
            )
        )
    return page("Exposure", *(parts or ["There is no account yet."]), now=now)


def risk_page(seen: Overview, risks: Sequence[AccountRisk], nearest: Sequence[Nearness]) -> str:
    parts = [pairs([("switch", switch_line(seen.switch))])]
    for risk in risks:
        account = risk.account
        with exact():
            fallen = account.peak_equity - account.equity
        rows = [
            ("drawdown", f"{share(fallen, account.peak_equity)} of {percent(risk.max_drawdown)}"),
            ("exposure", f"{share(account.exposure, account.equity)} of {percent(risk.max_exposure)}"),
            ("today", f"{signed(account.today, account.quote)} {account.quote}"),
        ]
        parts.append(f"{escape(account.name)}\n{pairs(rows)}")
    if nearest:
        rows_of_bots = [(one.name, _used(one.drawdown), _used(one.daily_loss)) for one in nearest]
        parts.append(f"{bold('Nearest to their limits')}\n{table(('bot', 'drawdown', 'day'), rows_of_bots, ' rr')}")
    alarms = list(alarm_lines(seen.halts, seen.conditions)) or ["No halt is in force."]
    return page("Risk", *parts, *alarms, now=seen.now)


def _used(fraction: Decimal) -> str:
    return f"{max(fraction, ZERO) * 100:.0f}%"
