"""Strategies are built from plain values; what is wrong is said so that it can be put right."""

import pytest

from bots.strategies.base import MAX_CANDLES, Strategy
from bots.strategies.registry import STRATEGIES, ParameterInfo, build, describe

each_strategy = pytest.mark.parametrize("name", STRATEGIES)


@each_strategy
def test_a_strategy_is_found_by_its_own_name(name):
    strategy = build(name, {})
    assert isinstance(strategy, Strategy)
    assert (strategy.name, type(strategy)) == (name, STRATEGIES[name])
    assert strategy.title


def test_the_five_are_there():
    assert list(STRATEGIES) == ["rsi_reversal", "ema_cross", "macd_cross", "bollinger_reversion", "donchian_breakout"]


DEFAULTS = {
    "rsi_reversal": {"period": 14, "oversold": 30, "overbought": 70},
    "ema_cross": {"fast": 9, "slow": 21},
    "macd_cross": {"fast": 12, "slow": 26, "signal": 9},
    "bollinger_reversion": {"period": 20, "deviations": 2},
    "donchian_breakout": {"entry_period": 20, "exit_period": 10},
}
SHARED = {"stop_type": "atr", "atr_period": 14, "stop_atr": 2, "stop_percent": 2, "target_r": 0}


@each_strategy
def test_every_parameter_is_described(name):
    infos = describe(name)
    assert {info.name: info.default for info in infos} == {**DEFAULTS[name], **SHARED}
    assert [info.name for info in infos][-len(SHARED) :] == list(SHARED)
    assert all(info.help for info in infos)
    for info in infos:
        if info.type == "choice":
            assert (info.choices, info.minimum, info.maximum) == (("atr", "percent"), None, None)
        else:
            assert info.type in ("int", "float")
            assert info.minimum <= info.default <= info.maximum


def test_a_description():
    assert describe("ema_cross")[0] == ParameterInfo("fast", "int", 9, 2, 71, "candles of the fast average")


@each_strategy
def test_both_bounds_are_allowed_and_what_lies_beyond_is_not(name):
    for info in describe(name):
        if info.type == "choice":
            continue
        for bound, beyond in ((info.minimum, -0.001), (info.maximum, 0.001)):
            if (info.name, bound) not in CONTRADICTIONS:
                build(name, {info.name: bound})
            step = beyond * 1000 if info.type == "int" else beyond
            with pytest.raises(ValueError, match=f"^{name}: {info.name} may not be .*: use {info.allowed}$"):
                build(name, {info.name: bound + step})


CONTRADICTIONS = {("fast", 71), ("slow", 3)}
"""Bounds that contradict the default of the other period."""


@each_strategy
def test_the_longest_warm_up_fits_a_window(name):
    periods = {info.name: info.maximum for info in describe(name) if info.type == "int" and info.name != "fast"}
    assert build(name, periods).warmup <= MAX_CANDLES


BAD = {
    "unknown strategy": (
        "martingale",
        {},
        "unknown strategy 'martingale': use one of rsi_reversal, ema_cross, macd_cross, bollinger_reversion, "
        "donchian_breakout",
    ),
    "unknown parameter": (
        "ema_cross",
        {"quick": 3},
        "ema_cross: unknown parameter 'quick': use fast, slow, stop_type, atr_period, stop_atr, stop_percent, target_r",
    ),
    "not a number": (
        "ema_cross",
        {"fast": "many"},
        "ema_cross: fast may not be 'many': use a whole number from 2 to 71",
    ),
    "a number in quotes": (
        "rsi_reversal",
        {"oversold": "35"},
        "rsi_reversal: oversold may not be '35': use a number from 1 to 50, without quotes",
    ),
    "true": ("rsi_reversal", {"oversold": True}, "rsi_reversal: oversold may not be True: use a number from 1 to 50"),
    "not a whole number": (
        "ema_cross",
        {"fast": 9.5},
        "ema_cross: fast may not be 9.5: use a whole number from 2 to 71",
    ),
    "nothing": ("ema_cross", {"fast": None}, "ema_cross: fast may not be None: use a whole number from 2 to 71"),
    "NaN": (
        "rsi_reversal",
        {"oversold": float("nan")},
        "rsi_reversal: oversold may not be nan: use a number from 1 to 50",
    ),
    "infinite": (
        "rsi_reversal",
        {"stop_atr": float("inf")},
        "rsi_reversal: stop_atr may not be inf: use a number from 0.25 to 10",
    ),
    "a choice": (
        "macd_cross",
        {"stop_type": "none"},
        "macd_cross: stop_type may not be 'none': use one of atr, percent",
    ),
    "fast above slow": ("ema_cross", {"fast": 30}, "ema_cross: fast (30) must be below slow (21)"),
    "fast equals slow": ("macd_cross", {"fast": 26}, "macd_cross: fast (26) must be below slow (26)"),
    "levels meet": (
        "rsi_reversal",
        {"oversold": 50, "overbought": 50},
        "rsi_reversal: oversold (50) must be below overbought (50)",
    ),
    "several": (
        "donchian_breakout",
        {"exit_period": 1, "entry_period": 72, "speed": 1},
        "donchian_breakout: entry_period may not be 72: use a whole number from 2 to 71\n"
        "donchian_breakout: exit_period may not be 1: use a whole number from 2 to 71\n"
        "donchian_breakout: unknown parameter 'speed': use entry_period, exit_period, stop_type, atr_period, stop_atr, "
        "stop_percent, target_r",
    ),
}


@pytest.mark.parametrize(("name", "parameters", "text"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said(name, parameters, text):
    with pytest.raises(ValueError) as caught:
        build(name, parameters)
    assert sorted(str(caught.value).splitlines()) == sorted(text.splitlines())


def test_describing_an_unknown_strategy_names_the_known_ones():
    with pytest.raises(ValueError, match="use one of rsi_reversal"):
        describe("x")


def test_parameters_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        build("ema_cross", {}).parameters.fast = 3
