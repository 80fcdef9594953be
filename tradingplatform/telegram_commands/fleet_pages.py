"""Bots, positions, orders and events, in Telegram's HTML. Nothing is read here."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from execution.models import Order, Position
from market.clock import Now
from market.money import brief
from notifications.models import Event
from notifications.telegram.markup import bold, escape
from tradingplatform.telegram_commands.fleet_rows import AccountLine, BotLine, Overview, PositionLine
from tradingplatform.telegram_commands.tables import (
    aged,
    clip,
    clock,
    in_words,
    money,
    pairs,
    share,
    signed,
    signed_share,
    table,
)

_PASSED = {True: "✅", False: "❌"}

MOST_LINES = 8
"""Of halts and conditions: an outage makes one of every series."""


def page(title: str, *parts: str, now: Now | None = None) -> str:
    """A bold title, the parts, and the market time, which tells a refreshed page from an old one."""
    foot = [f"<i>{clock(now.market_at)}, read {now.wall_at:%H:%M:%S}</i>"] if now else []
    return "\n".join([bold(title), *(part for part in parts if part), *foot])


def status_page(seen: Overview) -> str:
    halted = any(not halt["scope"].startswith("bot ") for halt in seen.halts)
    parts = [account_block(account) for account in seen.accounts] or ["There is no account yet."]
    counts = ", ".join(f"{number} {name.lower()}" for name, number in seen.bots.items() if number) or "none"
    failed = f", {seen.ticks_failed} failed ever" if seen.ticks_failed else ""
    rows = [
        ("bots", counts),
        ("held", f"{seen.positions} positions"),
        ("orders", f"{seen.orders} at work"),
        ("switch", switch_line(seen.switch)),
        ("tick", f"last {aged(seen.last_tick_at, seen.now.wall_at)} ago{failed}" if seen.last_tick_at else "none yet"),
    ]
    return page(
        "HALTED" if halted else "Status", *parts, pairs(rows), *alarm_lines(seen.halts, seen.conditions), now=seen.now
    )


def account_block(account: AccountLine) -> str:
    quote = account.quote
    rows = [
        ("equity", money(account.equity, quote)),
        ("today", signed(account.today, quote)),
        ("realised", signed(account.realised, quote)),
        ("unrealised", signed(account.unrealised, quote)),
        ("exposure", f"{money(account.exposure, quote)} {share(account.exposure, account.equity)}"),
    ]
    warning = f"\n⚠️ {escape(account.not_clean)}" if account.not_clean else ""
    return f"{escape(account.name)}, {account.mode.lower()}, {escape(quote)}\n{pairs(rows)}{warning}"


def switch_line(switch: Mapping[str, Any]) -> str:
    stage = str(switch.get("stage"))
    left = switch.get("seconds_left")
    if stage == "OK" and isinstance(left, int):
        return f"armed, {in_words(left)} left"
    return f"{stage}, {in_words(left)} left" if isinstance(left, int) and left else f"{stage}: nothing enters"


def alarm_lines(halts: Sequence[Mapping[str, Any]], conditions: Sequence[Mapping[str, str]]) -> Iterator[str]:
    for halt in halts[:MOST_LINES]:
        over = f" (over at {halt['until'][11:16]} UTC, market time)" if halt.get("until") else ""
        yield f"🚨 {bold(halt['scope'])}: {escape(halt['text'])}{over}"
    if len(halts) > MOST_LINES:
        yield f"and {len(halts) - MOST_LINES} more halts: /risk"
    for kind, number in Counter(condition["kind"] for condition in conditions).items():
        first = next(condition for condition in conditions if condition["kind"] == kind)
        more = f" (and {number - 1} more)" if number > 1 else ""
        yield f"⚠️ {escape(first['text'])}{more}"


def bots_page(lines: Sequence[BotLine], now: Now) -> str:
    """One line for each: its state's first letter, what it made, what it made of what it holds."""
    if not lines:
        return page("Bots", "There are none yet.", now=now)
    rows = [
        (
            line.name,
            line.status[:1],
            signed_share(line.realised, line.capital),
            signed_share(line.unrealised, line.capital),
        )
        for line in lines
    ]
    shown = table(("bot", "s", "made", "open"), rows, right="  rr")
    return page("Bots", shown, "s: R running, P paused, H halted, S stopped; per cent of the capital", now=now)


def bot_page(line: BotLine, held: Sequence[PositionLine], now: Now) -> str:
    quote = line.quote
    rows = [
        ("symbol", f"{line.symbol} {line.timeframe}"),
        ("strategy", line.strategy),
        ("status", line.status + (", live" if line.live else "")),
        ("capital", money(line.capital, quote)),
        ("equity", money(line.equity, quote)),
        ("today", signed(line.today, quote)),
        ("realised", signed(line.realised, quote)),
        ("unrealised", signed(line.unrealised, quote)),
        ("fees", money(line.fees, quote)),
        ("won/lost", f"{line.wins}/{line.losses}, streak {line.loss_streak}"),
        ("drawdown", share(line.peak_equity - line.equity, line.peak_equity)),
        ("ticks", f"{line.ticks}, {line.ticks_failed} failed"),
        ("last tick", f"{aged(line.last_tick_at, now.wall_at)} ago" if line.last_tick_at else "never"),
    ]
    reason = f"<i>{escape(line.status_reason)}</i>" if line.status_reason else ""
    return page(line.name, reason, pairs(rows), *(position_block(one, now) for one in held), now=now)


def position_block(line: PositionLine, now: Now) -> str:
    quote = line.symbol.partition("/")[2]
    rows = [
        ("quantity", brief(line.quantity)),
        ("entry", brief(line.entry_price) if line.entry_price is not None else ""),
        ("mark", brief(line.mark_price) if line.mark_price is not None else ""),
        ("stop", brief(line.stop_price)),
        ("target", brief(line.target_price) if line.target_price is not None else ""),
        ("open", f"{signed(line.unrealised, quote)} {signed_share(line.unrealised, line.cost)}"),
        ("held for", aged(line.opened_at, now.market_at)),
    ]
    return f"{escape(line.symbol)} {line.status.lower()}\n{pairs(rows)}"


def positions_page(lines: Sequence[PositionLine], now: Now) -> str:
    if not lines:
        return page("Positions", "Nothing is held.", now=now)
    rows = [
        (line.bot, _base(line.symbol), signed_share(line.unrealised, line.cost), aged(line.opened_at, now.market_at))
        for line in lines
    ]
    return page(f"Positions: {len(lines)}", table(("bot", "of", "open", "age"), rows, right="  rr"), now=now)


def orders_page(unfinished: Sequence[Order], last: Sequence[Order], now: Now) -> str:
    parts = [bold("At work"), orders_table(unfinished, now)] if unfinished else ["Nothing is at work."]
    return page("Orders", *parts, *((bold("Last"), orders_table(last, now)) if last else ()), now=now)


def orders_table(orders: Sequence[Order], now: Now) -> str:
    rows = [
        (
            order.bot.name,
            f"{order.purpose[:5].lower()}",
            _base(order.symbol),
            order.status.lower()[:8],
            aged(order.market_at, now.market_at),
        )
        for order in orders
    ]
    return table(("bot", "for", "of", "status", "age"), rows, right="    r")


def trades_page(closed: Sequence[Position], now: Now) -> str:
    if not closed:
        return page("Trades", "Nothing was sold yet.", now=now)
    rows = [
        (
            position.bot.name,
            _base(position.symbol),
            signed(position.realised, position.symbol.partition("/")[2]),
            f"{position.exit_reason[:6].lower()}",
            aged(position.closed_at, now.market_at),
        )
        for position in closed
    ]
    return page(
        f"Last {len(closed)} trades", table(("bot", "of", "profit", "why", "ago"), rows, right="  r r"), now=now
    )


def why_page(told: Mapping[str, Any], now: Now) -> str:
    """One slot of one bot (see ``why.find``): the sentence that answers, then what was decided on."""
    decision = told["decision"]
    if decision is None:
        return page(f"Why {told['bot']}", escape(told["sentence"]), now=now)
    signal = decision["signal"]
    said = f"signal: {signal.get('action', '')} {signal.get('reason', '')}".rstrip() if signal else ""
    checks = [
        f"{_PASSED.get(check.get('passed'), '❔')} {escape(check.get('name', '?'))}: {escape(check.get('note', ''))}"
        for check in decision["checks"]
    ]
    decided = f"decided {decision['market_at'][:19].replace('T', ' ')} UTC: {decision['outcome']}"
    return page(f"Why {told['bot']}", escape(told["sentence"]), escape(decided), escape(said), *checks, now=now)


def logs_page(events: Sequence[Event], now: Now) -> str:
    """The newest is the last one, where the eye is."""
    if not events:
        return page("Log", "Nothing has happened yet.", now=now)
    marks = {"WARNING": "⚠️ ", "CRITICAL": "🚨 "}
    lines = [
        f"{event.market_at:%d %H:%M} {marks.get(event.severity, '')}{escape(clip(event.text, 150))}" for event in events
    ]
    return page("Log", *lines, now=now)


def _base(symbol: str) -> str:
    return symbol.partition("/")[0][:6]
