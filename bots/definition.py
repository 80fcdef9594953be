"""Whether a bot is well defined: one judgement for the admin, the fleet file and the command line. PURE."""

import re
from collections.abc import Mapping
from decimal import Decimal

from bots.strategies.registry import STRATEGIES, build
from market.money import canonical
from market.slots import TIMEFRAMES

MAX_NAME = 64
NAME_RULE = "use lower-case letters, digits, - and _, beginning with a letter or digit, at most 64 in all"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")

Problems = dict[str, list[str]]
"""By field, what is wrong with it, each in one line that says what is allowed."""


def why_not_name(name: str) -> str | None:
    """What is wrong with a bot's name, None when nothing is."""
    return None if len(name) <= MAX_NAME and _NAME.fullmatch(name) else f"{name!r} is not a name: {NAME_RULE}"


def judge(
    *,
    strategy: str | None,
    parameters: object,
    symbol: str | None = None,
    timeframe: str | None = None,
    capital: Decimal | None = None,
    quote: str | None = None,
    account_capital: Decimal | None = None,
) -> Problems:
    """Everything that can be judged without the exchange. What is None is not judged: it was refused already, or (the
    account's quote currency and capital) is not known here.
    """
    found = {
        "strategy": _why_not_strategy(strategy),
        "parameters": _why_not_parameters(strategy, parameters),
        "symbol": _why_not_symbol(symbol, quote),
        "timeframe": _why_not_timeframe(timeframe),
        "capital": why_not_capital(capital, account_capital, quote),
    }
    return {field: problems for field, problems in found.items() if problems}


def why_not_capital(
    capital: Decimal | None, account_capital: Decimal | None = None, quote: str | None = None
) -> list[str]:
    """Capital that nothing could be bought with, and a bot's share that its account does not have."""
    if capital is None:
        return []
    if capital <= 0:
        return [f"capital must be above 0, not {capital}"]
    if account_capital is not None and capital > account_capital:
        has = f"{canonical(account_capital)} {quote or ''}".strip()
        return [f"{canonical(capital)} is above the account's capital of {has}: give the bot a share of it"]
    return []


def _why_not_strategy(strategy: str | None) -> list[str]:
    if strategy is None or strategy in STRATEGIES:
        return []
    return [f"unknown strategy {strategy!r}: use one of {', '.join(STRATEGIES)}"]


def _why_not_parameters(strategy: str | None, parameters: object) -> list[str]:
    if strategy is None or strategy not in STRATEGIES:
        return []  # whose parameters, nobody knows
    if not isinstance(parameters, Mapping):
        return ['give an object of parameter names and values, such as {"stop_atr": 2.5}']
    try:
        build(strategy, parameters)
    except ValueError as error:
        return str(error).splitlines()
    return []


def _why_not_symbol(symbol: str | None, quote: str | None) -> list[str]:
    if symbol is None:
        return []
    base, slash, quoted_in = symbol.partition("/")
    if not (base and slash and quoted_in):
        return [f"{symbol!r} is not of the form BASE/QUOTE, such as BTC/USDT"]
    if quote is not None and quoted_in != quote and quoted_in.upper() == quote:
        return [f"symbols are written in capitals: use {symbol.upper()}"]
    if quote is not None and quoted_in != quote:
        return [f"{symbol} is not quoted in the account's currency {quote}: use {base}/{quote}"]
    return []


def _why_not_timeframe(timeframe: str | None) -> list[str]:
    if timeframe is None or timeframe in TIMEFRAMES:
        return []
    return [f"unknown timeframe {timeframe!r}: use one of {', '.join(TIMEFRAMES)}"]
