"""The live line: what the platform does, in the width of a terminal. PURE."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from market.money import decimals_shown
from tradingplatform.alarm_texts import span

SEPARATOR = " · "


def summary(status: Mapping[str, object], market_at: datetime, width: int | None = None) -> str:
    """One line from the status (see ``manage.py status --json``); what is not there, or does not fit, is left out."""
    parts = [
        f"market {market_at:%Y-%m-%d %H:%M}",
        *_conditions(status),
        *_account_halts(status),  # what stops everything comes first, where a narrow terminal has room
        _switch(status),
        _bots(status),
        _bot_halts(status),
        _equity(status),
        _positions(status),
        _ticks(status),
        _number(status, "orders", "order"),
        _weight(status),
    ]
    line = ""
    for part in filter(None, parts):
        longer = f"{line}{SEPARATOR}{part}" if line else part
        if not width or len(longer) <= width:
            line = longer
    return line


def _bots(status: Mapping[str, object]) -> str:
    states = _table(status, "bots")
    return ", ".join(f"{count} {state.lower()}" for state, count in states.items() if count) or "no bots"


def _account_halts(status: Mapping[str, object]) -> list[str]:
    halts = status.get("halts_in_force")
    scopes = [(str(halt["scope"]), halt["cause"]) for halt in halts] if isinstance(halts, list) else []
    accounts = [(scope.removeprefix("account "), cause) for scope, cause in scopes if scope.startswith("account ")]
    return [f"ACCOUNT {name} HALTED: {cause}" for name, cause in accounts]


def _bot_halts(status: Mapping[str, object]) -> str:
    count = status.get("halts")
    bots = count - len(_account_halts(status)) if isinstance(count, int) else 0
    return f"{bots} HALTED" if bots > 0 else ""


def _conditions(status: Mapping[str, object]) -> list[str]:
    """``EXCHANGE DOWN``, ``39 STALE CANDLES``: what lasts, by its kind."""
    lasting = status.get("conditions")
    kinds = Counter(str(condition["kind"]) for condition in lasting) if isinstance(lasting, list) else Counter[str]()
    return [f"{f'{number} ' if number > 1 else ''}{kind.replace('_', ' ').upper()}" for kind, number in kinds.items()]


def _switch(status: Mapping[str, object]) -> str:
    switch = status.get("dead_mans_switch")
    if not isinstance(switch, Mapping) or switch.get("stage") == "OK":
        return ""
    left = switch.get("seconds_left")
    return f"SWITCH {switch.get('stage')}" + (f", {span(left)} left" if isinstance(left, int) and left else "")


def _equity(status: Mapping[str, object]) -> str:
    try:
        equity, start = (Decimal(str(status[name])) for name in ("equity", "starting_capital"))
    except (KeyError, InvalidOperation):
        return ""
    change = f" ({(equity - start) / start * 100:+.2f} %)" if start else ""
    return f"equity {equity:,.{_decimals(status)}f}{change}"


def _decimals(status: Mapping[str, object]) -> int:
    accounts = status.get("accounts")
    quotes = {account["quote"] for account in accounts} if isinstance(accounts, list) else set()
    return max(map(decimals_shown, quotes), default=2)


def _positions(status: Mapping[str, object]) -> str:
    states = _table(status, "positions")
    if not states:
        return ""
    closed = states.get("CLOSED", 0)
    return f"{sum(states.values()) - closed} open, {closed} closed"


def _ticks(status: Mapping[str, object]) -> str:
    told = _number(status, "ticks", "tick")
    failed = status.get("ticks_failed")
    return f"{told}, {failed:,} failed" if told and isinstance(failed, int) and failed else told


def _weight(status: Mapping[str, object]) -> str:
    weight = _table(status, "exchange").get("weight_1m")
    return f"exchange weight {weight:,}/min" if weight is not None else ""


def _number(status: Mapping[str, object], name: str, word: str) -> str:
    value = status.get(name)
    return f"{value:,} {word}{'' if value == 1 else 's'}" if isinstance(value, int) else ""


def _table(status: Mapping[str, object], name: str) -> dict[str, int]:
    table = status.get(name)
    if not isinstance(table, Mapping):
        return {}
    return {str(key): value for key, value in table.items() if isinstance(value, int)}
