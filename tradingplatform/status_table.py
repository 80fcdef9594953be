"""The status as text for a terminal. PURE."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from market.money import decimals_shown
from tradingplatform.alarm_texts import condition_text, halt_text, heartbeats_text, span, switch_text
from tradingplatform.typed import make

COLUMNS = ("name", "symbol", "timeframe", "strategy", "status", "position", "unrealised", "realised", "ticks", "last")
MOST_ALIKE = 3
_RIGHT = {"position", "unrealised", "realised", "ticks", "last"}


def status_table(status: Mapping[str, Any]) -> str:
    """Whether it runs, totals, then a line per bot. Money is rounded here; the JSON has every digit."""
    return "\n".join([*_platform(status), *_totals(status), "", *_table([_row(bot) for bot in status["fleet"]])])


def _platform(status: Mapping[str, Any]) -> Iterator[str]:
    if status["platform"] == "running":
        return
    at = f"market time {status['stopped_at'][:19]} UTC" if status["stopped_at"] else ""
    run = make("run", Path(status["var"]))
    if status["platform"] == "killed":
        yield f"KILLED, not stopped in order, last seen at {at}: what is left may still trade; put it right with {run}"
    else:
        yield f"STOPPED {f'since {at}' if at else 'and never ran'}: start it with {run}"


def _totals(status: Mapping[str, Any]) -> Iterator[str]:
    quotes = "/".join(sorted({account["quote"] for account in status["accounts"]}))
    money, signed = _formats(quotes)
    var = Path(status["var"])
    exchange, mode = status["exchange_id"], status["mode"].lower() or "no account"
    yield f"{exchange} exchange, {mode}; market time {status['market_at'][:19]} UTC at speed {status['speed']:g}"
    yield (
        f"equity {money(status['equity'])} {quotes} = {money(status['starting_capital'])} capital"
        f" {signed(status['realised'])} realised {signed(status['unrealised'])} unrealised"
        f" (fees {money(status['fees'])})"
    )
    yield f"bots       {_counts(status['bots'])}"
    yield f"positions  {_counts(status['positions'])}"
    yield f"orders     {status['orders']}, fills {status['fills']}"
    yield f"exits      {_counts(status['exits'])}"
    yield f"refusals   {_counts(status['refusals'])}"
    yield f"halts      {status['halts']} in force, {status['halts_ever']} ever"
    yield from (f"HALTED     {halt_text(halt, var)}" for halt in status["halts_in_force"])
    yield from _conditions(status["conditions"])
    yield from (_live(account) for account in status["accounts"] if account["mode"] == "LIVE")
    yield f"switch     {switch_text(status['dead_mans_switch'], var)}"
    if status["platform"] == "running":
        yield f"watch      {heartbeats_text(status['heartbeats_age_s'])}"
    yield f"ticks      {status['ticks']}, {status['ticks_failed']} failed, {_last_tick(status['last_tick_age_s'])}"
    yield f"exchange   {_exchange(status['exchange'])}"


def _live(account: Mapping[str, Any]) -> str:
    """Whether a live account agrees with the exchange."""
    if account["why_not_clean"]:
        return f"NOT CLEAN  no entries: {account['why_not_clean']}"
    return f"books      account {account['name']} agreed with the exchange {span(account['clean_age_s'])} ago"


def _conditions(conditions: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A few of each kind: an outage makes one of every series."""
    for kind, number in Counter(condition["kind"] for condition in conditions).items():
        alike = [condition for condition in conditions if condition["kind"] == kind]
        yield from (f"TROUBLE    {condition_text(condition)}" for condition in alike[:MOST_ALIKE])
        if number > MOST_ALIKE:
            yield f"           and {number - MOST_ALIKE} more of {kind.replace('_', ' ')}"


def _exchange(stats: Mapping[str, Any]) -> str:
    if "reason" in stats:
        return str(stats["reason"])
    return f"{stats['requests']} requests, {stats['candle_requests']} of them candles, weight {stats['weight_1m']}/min"


def _row(bot: Mapping[str, Any]) -> dict[str, str]:
    _, signed = _formats(bot["symbol"].partition("/")[2])
    return {
        **{name: str(bot[name]) for name in ("name", "symbol", "timeframe", "strategy", "status", "ticks")},
        "position": bot["position"] or "-",
        "unrealised": signed(bot["unrealised"]) if bot["position"] else "-",
        "realised": signed(bot["realised"]),
        "last": _age(bot["last_tick_age_s"]),
    }


def _table(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    heads = {name: name for name in COLUMNS}
    widths = {name: max(len(row[name]) for row in (heads, *rows)) for name in COLUMNS}
    for row in (heads, *rows):
        cells = (row[c].rjust(widths[c]) if c in _RIGHT else row[c].ljust(widths[c]) for c in COLUMNS)
        yield "  ".join(cells).rstrip()


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{number} {(name or 'other').lower()}" for name, number in counts.items() if number]
    return ", ".join(shown) or "none"


def _formats(quote: str) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """How an amount and a profit are written in this currency."""
    decimals = decimals_shown(quote)
    return (lambda text: f"{Decimal(text):,.{decimals}f}"), (lambda text: f"{Decimal(text):+,.{decimals}f}")


def _last_tick(age_s: float | None) -> str:
    return "no tick yet" if age_s is None else f"last {span(age_s)} ago"


def _age(seconds: float | None) -> str:
    return "never" if seconds is None else span(seconds)
