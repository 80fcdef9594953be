"""A fleet file's text -> a Fleet that is right in every respect, or every problem in it at once. PURE."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal

from bots.definition import why_not_capital
from market.instruments import Instrument
from tradingplatform.fleet.bots import read_bots
from tradingplatform.fleet.lines import key_lines
from tradingplatform.fleet.problems import NOTHING, BadFleet, Problem
from tradingplatform.fleet.section import Notes, Section
from tradingplatform.fleet.spec import AccountSpec, Fleet

TABLES = ("account", "defaults", "parameters", "grid", "bots")
_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", re.DOTALL)


def read_fleet(text: str, source: str, instruments: Mapping[str, Instrument]) -> Fleet:
    """The fleet that the text describes. Raises BadFleet with all that is wrong; ``source`` is the file's name."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise BadFleet(source, [_syntax_problem(text, str(error))]) from None
    file = Section(Notes(key_lines(text)), (), "", data)
    file.only(TABLES)
    account = _read_account(file)
    bots = read_bots(file, account, instruments)
    if account is None or file.notes.problems:
        raise BadFleet(source, file.notes.problems)
    return Fleet(account, tuple(bots), source)


def _read_account(file: Section) -> AccountSpec | None:
    if "account" not in file.values:
        file.missing("account", "begin the file with [account], and name, quote and capital below it")
        return None
    section = file.table("account")
    section.only(("name", "quote", "capital"))
    name = section.text("name", 'a name such as "main"')
    quote = section.text("quote", 'the currency that profit is counted in, such as "USDT"')
    capital = section.amount("capital")
    for problem in why_not_capital(capital):
        section.refuse("capital", problem)
    if name is not None and len(name) > 64:
        section.refuse("name", "is too long: use at most 64 characters")
    if name is None or quote is None or capital is None:
        return None
    return AccountSpec(name, quote, capital, section.origin)


def _syntax_problem(text: str, message: str) -> Problem:
    found = _PLACE.match(message)
    line = int(found[2]) if found and found[2] else text.count("\n") + 1
    return Problem(line, "not TOML", NOTHING, found[1] if found else message)
