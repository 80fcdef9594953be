"""What a limit may be, how it is read, and which way loosens it."""

from dataclasses import fields
from decimal import Decimal as D

import pytest

from risk.limit_rules import HIGHER_LOOSENS, loosens, names_of, next_start_ms, plain, read_limit
from risk.limits import BotLimits, PortfolioLimits
from risk.models import BotRiskLimits, PortfolioRiskLimits

KINDS = {"bot": (BotLimits, BotRiskLimits), "account": (PortfolioLimits, PortfolioRiskLimits)}
ALL = [(kind, name) for kind, _ in KINDS.values() for name in names_of(kind)]


def test_every_limit_has_a_direction():
    assert {name for _, name in ALL} == HIGHER_LOOSENS


@pytest.mark.parametrize(("kind", "row"), KINDS.values(), ids=KINDS)
def test_rows_and_values_have_the_same_limits(kind, row):
    ours = {"id", "bot", "account", "updated_at"}
    assert {field.name for field in row._meta.fields} - ours == set(names_of(kind))


@pytest.mark.parametrize(("kind", "name"), ALL, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_higher_loosens_and_lower_tightens(kind, name):
    low, high = (read_limit(kind, name, text) for text in (("2", "3") if _whole(kind, name) else ("0.2", "0.3")))
    assert loosens(name, low, high)
    assert not loosens(name, high, low)
    assert not loosens(name, high, high)


def test_a_limit_without_a_direction_is_not_guessed():
    with pytest.raises(LookupError, match="min_rest"):
        loosens("min_rest", 1, 2)


@pytest.mark.parametrize("text", ["0.25", ".25", "25e-2", "0.250000"])
def test_one_fraction_in_all_its_spellings(text):
    assert plain(read_limit(BotLimits, "max_position", text)) == "0.25"


@pytest.mark.parametrize("text", ["0", "1", "25", "-0.1", "NaN", "Infinity", "", "a half", "25 %", "0.25.1", "1e-99"])
def test_what_is_no_fraction_is_told_what_would_be(text):
    with pytest.raises(ValueError, match=r"max_position (must be above 0 and below 1 \(0.25 is 25 %\)|may have 12)"):
        read_limit(BotLimits, "max_position", text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "three", "32768", "9" * 30, "³", "1e3", "0x3"])
def test_what_is_no_count_is_told_what_would_be(text):
    with pytest.raises(ValueError, match="streak_losses must be"):
        read_limit(BotLimits, "streak_losses", text)


def test_bounds_are_allowed_to_their_ends():
    assert read_limit(BotLimits, "streak_losses", "1") == 1
    assert read_limit(PortfolioLimits, "max_orders_per_minute", "32767") == 32767
    assert read_limit(BotLimits, "max_position", "0.000000000001") == D("1e-12")
    assert read_limit(BotLimits, "max_position", "0.999999999999") == D("0.999999999999")


@pytest.mark.parametrize(("kind", "name"), [(BotLimits, "max_asset"), (PortfolioLimits, "max_position")])
def test_an_unknown_limit_is_answered_with_those_there_are(kind, name):
    with pytest.raises(ValueError, match=f"there is no limit '{name}': there is max_"):
        read_limit(kind, name, "0.1")


@pytest.mark.parametrize(("now", "next_"), [(0, 900_000), (899_999, 900_000), (900_000, 1_800_000)])
def test_the_next_slot_is_never_the_present_one(now, next_):
    assert next_start_ms(now, 900) == next_


def _whole(kind, name):
    return next(field.type is int for field in fields(kind) if field.name == name)
