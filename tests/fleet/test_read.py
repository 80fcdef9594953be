"""What a fleet file may say, and what is said of one that is wrong."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.wired import BASES, INSTRUMENTS
from tradingplatform.fleet.problems import BadFleet
from tradingplatform.fleet.read import read_fleet

DEFAULT = Path(__file__).resolve().parents[2] / "fleet.toml"

GOOD = """\
[account]
name = "main"
quote = "USDT"
capital = 10_000

[defaults]
capital = 500

[parameters.ema_cross]
slow = 40

[grid]
BTC = { 15m = "rsi_reversal", 1h = "ema_cross" }

[[bots]]
name = "mine"
strategy = "ema_cross"
symbol = "ETH/USDT"
timeframe = "4h"
capital = 1234.56789012345678
parameters = { fast = 5, stop_atr = 2.5 }
"""


def read(text):
    return read_fleet(text, "fleet.toml", INSTRUMENTS)


def problems_of(text):
    with pytest.raises(BadFleet) as caught:
        read(text)
    return caught.value.problems


def test_the_default_fleet():
    fleet = read(DEFAULT.read_text())
    series = [(bot.symbol, bot.timeframe) for bot in fleet.bots]
    assert len(fleet.bots) == 45
    assert set(series) == {(f"{base}/USDT", frame) for base in BASES for frame in ("15m", "1h", "4h")}
    assert len({bot.strategy for bot in fleet.bots}) == 5
    assert {bot.capital for bot in fleet.bots} == {Decimal(5000)}
    assert (fleet.account.name, fleet.account.quote, fleet.account.capital) == ("main", "USDT", Decimal(100_000))
    twins = [(bot.symbol, bot.timeframe, bot.strategy) for bot in fleet.bots]
    assert len(set(twins)) == 45, "two bots on one series trade different strategies"
    assert fleet.bots[0].name == "btc-15m-rsi"


def test_a_good_file():
    rsi, ema, mine = read(GOOD).bots
    assert (rsi.name, rsi.strategy, rsi.capital, rsi.parameters) == ("btc-15m-rsi", "rsi_reversal", Decimal(500), {})
    assert (ema.name, ema.timeframe, ema.parameters) == ("btc-1h-ema", "1h", {"slow": 40})
    assert mine.capital == Decimal("1234.56789012345678"), "money is read to the last digit"
    assert mine.parameters == {"slow": 40, "fast": 5, "stop_atr": 2.5}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "value", "allowed"),
    [
        ('strategy = "ema_cross"', 'strategy = "ema"', 17, "strategy", '"ema"', "donchian_breakout"),
        ('timeframe = "4h"', 'timeframe = "2h"', 19, "timeframe", '"2h"', "15m, 1h, 4h"),
        ("ETH/USDT", "FOO/USDT", 18, "symbol", '"FOO/USDT"', "use one of BTC/USDT, ETH/USDT"),
        ("ETH/USDT", "ETHUSDT", 18, "symbol", '"ETHUSDT"', "BASE/QUOTE"),
        ("ETH/USDT", "ETH/EUR", 18, "symbol", '"ETH/EUR"', "use ETH/USDT"),
        ("1234.56789012345678", "0", 20, "capital", "0", "above 0"),
        ("1234.56789012345678", "-0.1", 20, "capital", "-0.1", "above 0"),
        ("1234.56789012345678", "nan", 20, "capital", "NaN", "above 0"),
        ("1234.56789012345678", "inf", 20, "capital", "Infinity", "above 0"),
        ("1234.56789012345678", '"500"', 20, "capital", '"500"', "without quotes"),
        ("1234.56789012345678", "true", 20, "capital", "true", "number"),
        ("1234.56789012345678", "0.1" + "2" * 40, 20, "capital", "0.1222", "at most 40"),
        ("fast = 5", "fast = 1", 21, "fast", "1", "from 2 to 71"),
        ("fast = 5", "fast = 50", 21, "fast", "50", "below slow"),
        ("fast = 5", 'fast = "five"', 21, "fast", '"five"', "whole number"),
        ("fast = 5", "fast = true", 21, "fast", "true", "whole number"),
        ("fast = 5", "speed = 5", 21, "speed", "5", "use fast, slow"),
        ("stop_atr = 2.5", "stop_atr = 0.001", 21, "stop_atr", "0.001", "from 0.25 to 10"),
        ("slow = 40", "slow = 4000", 10, "slow", "4000", "from 3 to 71"),
        ("[parameters.ema_cross]", "[parameters.emma]", 9, "parameters.emma", "", "ema_cross"),
        ('name = "mine"', 'name = "My bot"', 16, "name", '"My bot"', "lower-case"),
        ('name = "mine"', 'name = "btc-15m-rsi"', 16, "name", '"btc-15m-rsi"', "line 13"),
        ('name = "mine"', "name = 7", 16, "name", "7", "in quotes"),
        ('name = "mine"', 'name = "mine"\ncolour = "red"', 17, "colour", '"red"', "timeframe, capital"),
        ('name = "mine"\n', "", 15, "name", "", "missing"),
        ("[grid]", "[grids]", 12, "grids", "", "account, defaults"),
        ("15m =", "5m =", 13, "grid.BTC.5m", '"rsi_reversal"', "15m, 1h, 4h"),
        ('"rsi_reversal"', '"rsi"', 13, "strategy", '"rsi"', "rsi_reversal"),
        ("BTC =", "FOO =", 13, "symbol", '"FOO/USDT"', "use one of BTC/USDT"),
        ("capital = 500", "capital = 0", 7, "defaults.capital", "0", "above 0"),
        ('quote = "USDT"', 'quote = ""', 3, "account.quote", '""', "USDT"),
        ('quote = "USDT"', 'quote = "EUR"', 18, "symbol", '"ETH/USDT"', "use ETH/EUR"),
        ("capital = 10_000", "capital = 0", 4, "account.capital", "0", "above 0"),
        ("capital = 10_000", "kapital = 10_000", 4, "account.kapital", "10000", "name, quote, capital"),
        ("[defaults]", "[defaults", 6, "not TOML", "", ""),
        ("[defaults]", "[account]", 6, "not TOML", "", ""),
    ],
)
def test_a_bad_file_names_line_field_value_and_what_is_allowed(old, new, line, field, value, allowed):
    assert old in GOOD
    problems = problems_of(GOOD.replace(old, new, 1))
    told = [str(problem) for problem in problems if problem.line == line and field in problem.field]
    assert told, [str(problem) for problem in problems]
    assert any(value in text and allowed in text for text in told), told


def test_all_problems_are_told_at_once_in_the_order_of_the_file():
    text = GOOD.replace("1234.56789012345678", "0").replace("fast = 5", "fast = 1").replace('"4h"', '"2h"')
    text = text.replace("capital = 500\n", "capital = -1\n").replace("ETH/USDT", "FOO/USDT")
    with pytest.raises(BadFleet) as caught:
        read(text)
    assert [problem.line for problem in caught.value.problems] == [7, 18, 19, 20, 21]
    assert str(caught.value).splitlines()[0] == "fleet.toml:7: defaults.capital = -1: capital must be above 0, not -1"


def test_a_bad_default_is_told_once():
    assert len(problems_of(GOOD.replace("capital = 500\n", "capital = 0\n"))) == 1


@pytest.mark.parametrize("text", ["", "account = 3", "[account]", "bots = 4", "[[account]]\nname = 1", "grid = []"])
def test_files_of_the_wrong_shape(text):
    assert problems_of(text)


def test_many_symbols_are_not_all_listed():
    many = {f"C{i}/USDT": INSTRUMENTS["BTC/USDT"] for i in range(2000)}
    with pytest.raises(BadFleet) as caught:
        read_fleet(GOOD.replace("ETH/USDT", "C17/USD"), "fleet.toml", many | {"ETH/USDT": INSTRUMENTS["ETH/USDT"]})
    assert len(str(caught.value)) < 2000
