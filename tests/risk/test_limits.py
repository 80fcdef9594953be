"""Limits that make no sense are not built."""

from decimal import Decimal as D

import pytest

from risk.limits import BotLimits, PortfolioLimits

FRACTIONS = [
    (BotLimits, "max_position"),
    (BotLimits, "max_drawdown"),
    (BotLimits, "max_daily_loss"),
    (BotLimits, "streak_floor"),
    (PortfolioLimits, "max_exposure"),
    (PortfolioLimits, "max_asset"),
    (PortfolioLimits, "max_drawdown"),
]


@pytest.mark.parametrize(("kind", "field"), FRACTIONS)
@pytest.mark.parametrize("value", [D(0), D(1), D(-1), D("1.1"), D("NaN"), D("Infinity"), 0.25, "0.25", None])
def test_a_fraction_lies_between_0_and_1(kind, field, value):
    with pytest.raises(ValueError, match=f"{field} must be a Decimal between 0 and 1"):
        kind(**{field: value})


@pytest.mark.parametrize("value", [0, -1, 2.0, True, None, D(3)])
def test_a_streak_is_a_number_of_losses(value):
    with pytest.raises(ValueError, match="streak_losses must be a whole number of at least 1"):
        BotLimits(streak_losses=value)


def test_the_defaults_are_the_required_ones():
    bot, portfolio = BotLimits(), PortfolioLimits()
    assert (bot.max_position, bot.max_drawdown, bot.max_daily_loss) == (D("0.25"), D("0.20"), D("0.05"))
    assert (bot.streak_losses, bot.streak_floor) == (3, D("0.10"))
    assert (portfolio.max_exposure, portfolio.max_asset, portfolio.max_drawdown) == (D("0.50"), D("0.25"), D("0.15"))
