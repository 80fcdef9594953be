"""The bots of a fleet file: one by one from ``[[bots]]``, and by symbol and timeframe from ``[grid]``. PURE."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from bots.ai import AiMode, OnFailure
from bots.definition import judge, why_not_capital, why_not_name
from bots.strategies.registry import STRATEGIES
from market.instruments import Instrument
from market.slots import TIMEFRAMES
from tradingplatform.fleet.section import Section
from tradingplatform.fleet.spec import AccountSpec, BotSpec, Origin
from tradingplatform.symbols import why_unknown

_TOLD = Decimal("1e-18")
"""In the place of a bad default: it is told once, not again for every bot that would have had it."""

BOT_KEYS = ("name", "strategy", "symbol", "timeframe", "capital", "parameters", "ai_mode", "ai_on_failure")


def read_bots(file: Section, account: AccountSpec | None, instruments: Mapping[str, Instrument]) -> list[BotSpec]:
    """All bots that are right; what is wrong is noted on the file."""
    quote = account.quote if account else None
    limit = account.capital if account and not why_not_capital(account.capital) else None
    shared = _shared_parameters(file.table("parameters"))
    rules = _Rules(
        _default_capital(file, limit, quote), shared, quote, limit, instruments, *_ai(file.table("defaults"))
    )
    sections = [*_grid_cells(file.table("grid"), quote), *file.tables("bots")]
    bots = [bot for section in sections if (bot := _read_bot(section, rules))]
    _refuse_doubles(sections)
    given = {key for key, value in file.values.items() if value} | file.misspelt
    if not sections and not {"grid", "bots"} & given:
        file.missing("bots", "the file has no bot: add a line to [grid], or a [[bots]] table")
    return bots


@dataclass(frozen=True, slots=True)
class _Rules:
    """What every bot of the file is read by."""

    capital: Decimal | None
    shared: Mapping[str, Mapping[str, object]]
    quote: str | None
    account_capital: Decimal | None
    instruments: Mapping[str, Instrument]
    ai_mode: str
    ai_on_failure: str


def _read_bot(section: Section, rules: _Rules) -> BotSpec | None:
    before = len(section.notes.problems)
    section.only(BOT_KEYS)
    name = section.text("name", "a name of its own")
    strategy = section.text("strategy", f"one of {', '.join(STRATEGIES)}")
    symbol = section.text("symbol", "BASE/QUOTE, such as BTC/USDT")
    timeframe = section.text("timeframe", f"one of {', '.join(TIMEFRAMES)}")
    capital = section.amount("capital", rules.capital)
    ai = _ai(section, rules.ai_mode, rules.ai_on_failure)
    own = _plain(section.table("parameters").values)
    merged = {**rules.shared.get(strategy or "", {}), **own}
    problems = judge(
        strategy=strategy,
        parameters=own,
        symbol=symbol,
        timeframe=timeframe,
        capital=capital,
        quote=rules.quote,
        account_capital=rules.account_capital,
    )
    if "parameters" not in problems:  # each is right by itself; together they may contradict each other
        problems = judge(strategy=strategy, parameters=merged) | problems
    if name is not None and (text := why_not_name(name)):
        problems["name"] = [text]
    if symbol is not None and "symbol" not in problems and (text := why_unknown(symbol, rules.instruments)):
        problems["symbol"] = [text]
    _note(section, problems, own)
    if name is None or strategy is None or symbol is None or timeframe is None or capital is None:
        return None
    if len(section.notes.problems) > before:
        return None
    return BotSpec(name, strategy, symbol, timeframe, capital, merged, section.origin, *ai)


def _ai(section: Section, mode: str = AiMode.OFF, on_failure: str = OnFailure.DENY) -> tuple[str, str]:
    """Whether an AI is asked, and what its silence means."""
    return section.choice("ai_mode", AiMode, mode), section.choice("ai_on_failure", OnFailure, on_failure)


def _note(section: Section, problems: Mapping[str, list[str]], parameters: Mapping[str, object]) -> None:
    for field, lines in problems.items():
        for text in lines:
            culprit = _parameter_in(text, parameters) if field == "parameters" else None
            if culprit is None:
                section.refuse(field, text)
            else:
                section.table("parameters").refuse(culprit, text)


def _parameter_in(text: str, parameters: Mapping[str, object]) -> str | None:
    """The parameter that a problem is about, if it is about a single one."""
    words = re.findall(r"\w+", text.partition(": ")[2])[:3]
    return next((name for name in parameters if name in words), None)


def _default_capital(file: Section, account_capital: Decimal | None, quote: str | None) -> Decimal | None:
    defaults = file.table("defaults")
    defaults.only(("capital", "ai_mode", "ai_on_failure"))
    if "defaults" in file.misspelt or "capital" in defaults.misspelt:
        return _TOLD
    if "capital" not in defaults.values:
        return None
    capital = defaults.amount("capital")
    problems = why_not_capital(capital, account_capital, quote)
    for text in problems:
        defaults.refuse("capital", text)
    return _TOLD if capital is None or problems else capital


def _shared_parameters(section: Section) -> dict[str, dict[str, object]]:
    """``[parameters.<strategy>]``: what all bots of a strategy begin with. Judged once, here; bad ones are left out."""
    section.only(STRATEGIES)
    shared = {}
    for strategy in (key for key in section.values if key in STRATEGIES):
        table = section.table(strategy)
        values = _plain(table.values)
        problems = judge(strategy=strategy, parameters=values).get("parameters", [])
        for text in problems:
            culprit = _parameter_in(text, values)
            if culprit is None:
                section.refuse(strategy, text)
            else:
                table.refuse(culprit, text)
        if not problems:
            shared[strategy] = values
    return shared


def _grid_cells(grid: Section, quote: str | None) -> Iterator[Section]:
    """``BTC = { 15m = "rsi_reversal" }`` as the table of a bot named btc-15m-rsi."""
    for base in grid.values:
        row = grid.table(base)
        row.only(TIMEFRAMES)
        for timeframe in (key for key in row.values if key in TIMEFRAMES):
            strategy = row.text(timeframe, f"one of {', '.join(STRATEGIES)}")
            if strategy is None:
                continue
            values: dict[str, object] = {
                "name": f"{base.lower()}-{timeframe}-{strategy.partition('_')[0]}",
                "strategy": strategy,
                "symbol": f"{base}/{quote or 'USDT'}",
                "timeframe": timeframe,
            }
            yield Section(grid.notes, (*row.path, timeframe), f"grid.{base}.{timeframe}: ", values)


def _refuse_doubles(sections: list[Section]) -> None:
    first: dict[object, Origin] = {}
    for section in sections:
        name = section.values.get("name")
        if name in first:
            section.refuse("name", f"is taken by another bot in line {first[name].line_of('name')}: names are unique")
        elif isinstance(name, str):
            first[name] = section.origin


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    """Parameters are figures of indicators, not money: floats, as JSON stores them."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}
