"""Every entry passes every check, in order; the first failure blocks; what breaks refuses."""

import json
from dataclasses import FrozenInstanceError, fields, replace
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.clock_offset import Offset
from risk.limits import BotLimits, PortfolioLimits
from risk.review import CHECKS, NOT_EVALUATED, review
from risk.verdicts import Approved, CheckResult, Entry, Exposure, Proposal, Refused

ORDER = [
    "numbers",
    "dead_mans_switch",
    "halts",
    "limits",
    "fresh_prices",
    "clock",
    "fresh_marks",
    "prices",
    "price_collar",
    "books",
    "exchange_filters",
    "duplicate_signal",
    "order_rate",
    "max_order",
    "free_cash",
    "stop_loss",
    "max_position",
    "drawdown",
    "daily_loss",
    "loss_streak",
    "total_exposure",
    "asset_concentration",
    "portfolio_drawdown",
]
"""The eight at the end are the order of the requirements."""


def test_all_checks_run_in_their_order(proposal, exposure):
    verdict = review(proposal, exposure)
    assert isinstance(verdict, Approved)
    assert [result.name for result in verdict.results] == ORDER
    assert all(result.passed is True for result in verdict.results)
    assert verdict.proposal is proposal


COLLAR_HALF = PortfolioLimits(price_collar=D("0.005"))

SPOILT = {
    # what is spoilt -> the check that must refuse; the boundary itself is in the next table
    "float amount": ({"amount": 10.0}, {}, "numbers"),
    "NaN price": ({"reference_price": D("NaN")}, {}, "numbers"),
    "infinite stop": ({"stop_price": D("Infinity")}, {}, "numbers"),
    "NaN equity": ({}, {"account_equity": D("NaN")}, "numbers"),
    "infinite cash": ({}, {"free_cash": D("Infinity")}, "numbers"),
    "dead man's switch": ({}, {"dead_man_triggered": True}, "dead_mans_switch"),
    "dead man's switch unknown": ({}, {"dead_man_triggered": None}, "dead_mans_switch"),
    "a halt": ({}, {"halts": ("drawdown of bot 1",)}, "halts"),
    "no bot limits": ({}, {"bot_limits": None}, "limits"),
    "no portfolio limits": ({}, {"portfolio_limits": None}, "limits"),
    "limits out of bounds": ({}, {"limit_faults": ("max_position must be ...",)}, "limits"),
    "marks too old": ({}, {"marked_at_ms": 969_999}, "fresh_marks"),
    "marks of the future": ({}, {"marked_at_ms": 1_030_001}, "fresh_marks"),
    "never marked": ({}, {"marked_at_ms": None}, "fresh_marks"),
    "whether it holds unknown": ({}, {"holds": None, "marked_at_ms": None}, "fresh_marks"),
    "collar of the account": ({}, {"trusted_price": D("100.6"), "portfolio_limits": COLLAR_HALF}, "price_collar"),
    "a live position": ({}, {"bot_live_positions": 1}, "duplicate_signal"),
    "an entry of this slot": ({}, {"last_entry": Entry(1000, None)}, "duplicate_signal"),
    "an entry of a later slot": ({}, {"last_entry": Entry(1001, None)}, "duplicate_signal"),
    "an entry on this candle": ({}, {"last_entry": Entry(999, 899_100_000)}, "duplicate_signal"),
    "too many orders of the bot": ({}, {"bot_orders": 11}, "order_rate"),
    "too many orders of the account": ({}, {"account_orders": 201}, "order_rate"),
    "a negative number of orders": ({}, {"bot_orders": -1}, "order_rate"),
    "an order too large": ({}, {"account_equity": D(3999)}, "max_order"),
    "cash for no fee": ({}, {"free_cash": D(1000)}, "free_cash"),
    "no price": ({}, {"priced_at_ms": None}, "fresh_prices"),
    "stale price": ({}, {"now_ms": 1_060_001, "marked_at_ms": 1_060_001}, "fresh_prices"),
    "price of the future": ({}, {"now_ms": 939_999, "marked_at_ms": 939_999}, "fresh_prices"),
    "exchange's clock ahead": ({}, {"clock": Offset(996, 5)}, "clock"),
    "exchange's clock behind": ({}, {"clock": Offset(-996, 5)}, "clock"),
    "price of zero": ({"reference_price": D(0)}, {}, "prices"),
    "negative price": ({"reference_price": D(-1)}, {}, "prices"),
    "price far above the close": ({"target_price": None, "reference_price": D("102.01")}, {}, "price_collar"),
    "price far below the close": ({"reference_price": D("97.99")}, {}, "price_collar"),
    "no close": ({}, {"trusted_price": None}, "price_collar"),
    "stop above the bid": ({}, {"bid": D("94.9")}, "stop_loss"),
    "stop at the bid": ({}, {"bid": D(95)}, "stop_loss"),
    "no bid": ({}, {"bid": None}, "stop_loss"),
    "target at the price": ({"target_price": D(100)}, {}, "prices"),
    "no bot equity": ({}, {"bot_equity": D(0)}, "books"),
    "no account equity": ({}, {"account_equity": D(-5)}, "books"),
    "no capital": ({}, {"bot_capital": D(0)}, "books"),
    "negative exposure": ({}, {"total_exposure": D(-1)}, "books"),
    "negative streak": ({}, {"loss_streak": -1}, "books"),
    "amount of zero": ({"amount": D(0)}, {}, "exchange_filters"),
    "negative amount": ({"amount": D(-10)}, {}, "exchange_filters"),
    "off the lot step": ({"amount": D("9.9995")}, {}, "exchange_filters"),
    "below the minimum notional": ({"amount": D("0.049")}, {}, "exchange_filters"),
    "another symbol": ({"symbol": "ETH/USDT"}, {}, "exchange_filters"),
    "another base": ({"base": "ETH"}, {}, "exchange_filters"),
    "not enough cash": ({}, {"free_cash": D("999.99")}, "free_cash"),
    "no stop": ({"stop_price": None}, {}, "stop_loss"),
    "stop of zero": ({"stop_price": D(0)}, {}, "stop_loss"),
    "stop at the price": ({"stop_price": D(100)}, {}, "stop_loss"),
    "stop above the price": ({"stop_price": D(101)}, {}, "stop_loss"),
    "missing figure": ({}, {"bot_peak_equity": None}, "books"),
}


@pytest.mark.parametrize(("proposed", "known", "check"), SPOILT.values(), ids=SPOILT.keys())
def test_one_spoilt_figure_refuses(proposal, exposure, proposed, known, check):
    verdict = review(replace(proposal, **proposed), replace(exposure, **known))
    assert isinstance(verdict, Refused)
    assert verdict.check == check
    assert check in verdict.reason


TINY = D("1e-20")

BOUNDARIES = {
    # check: (figure, last value that passes, first value that does not)
    "max_position": ("bot_position_notional", D(250), D(250) + TINY),
    "drawdown": ("bot_peak_equity", D(6250) - TINY, D(6250)),
    "daily_loss": ("bot_day_start_equity", D(5250) - TINY, D(5250)),
    "total_exposure": ("total_exposure", D(49_000), D(49_000) + TINY),
    "asset_concentration": ("asset_exposure", D(24_000), D(24_000) + TINY),
    "portfolio_drawdown": ("account_equity", D(85_000) + TINY, D(85_000)),
    "fresh_prices": ("priced_at_ms", 940_000, 939_999),
    "fresh_marks": ("marked_at_ms", 970_000, 969_999),
    "price_collar": ("trusted_price", D("102.04081632653061"), D("102.04081632653062")),
    "duplicate_signal": ("last_entry", Entry(999, None), Entry(1000, None)),
    "order_rate": ("bot_orders", 9, 10),
    "max_order": ("portfolio_limits", PortfolioLimits(max_order=D("0.01")), PortfolioLimits(max_order=D("0.00999999"))),
    "clock": ("clock", Offset(995, 5), Offset(996, 5)),
    "free_cash": ("free_cash", D(1002), D(1002) - TINY),
}


@pytest.mark.parametrize(("check", "boundary"), BOUNDARIES.items(), ids=BOUNDARIES.keys())
def test_limits_hold_to_the_last_digit(proposal, exposure, check, boundary):
    figure, last, first = boundary
    assert isinstance(review(proposal, replace(exposure, **{figure: last})), Approved)
    verdict = review(proposal, replace(exposure, **{figure: first}))
    assert isinstance(verdict, Refused)
    assert verdict.check == check


def test_an_account_that_holds_nothing_needs_no_marks(proposal, exposure):
    verdict = review(proposal, replace(exposure, holds=False, marked_at_ms=None))
    assert isinstance(verdict, Approved)
    assert next(r for r in verdict.results if r.name == "fresh_marks").value == "nothing held"


@pytest.mark.parametrize(
    ("of_bot", "of_account", "approved"),
    [(0, 0, True), (9, 199, True), (10, 0, False), (0, 200, False), (10, 200, False)],
)
def test_the_next_order_is_one_of_those_allowed(proposal, exposure, of_bot, of_account, approved):
    verdict = review(proposal, replace(exposure, bot_orders=of_bot, account_orders=of_account))
    assert isinstance(verdict, Approved) is approved
    rate = next(r for r in verdict.results if r.name == "order_rate")
    assert rate.limit == "fewer than 10 of the bot and 200 of the account in a minute"
    assert rate.value == f"{of_bot} and {of_account}"


def test_a_first_entry_has_no_predecessor(proposal, exposure):
    assert isinstance(review(proposal, replace(exposure, last_entry=None, candle_ms=None)), Approved)


def test_what_passed_shows_its_figures_too(proposal, exposure):
    shown = {result.name: (result.limit, result.value) for result in review(proposal, exposure).results}
    assert shown["fresh_marks"] == ("30000 ms", "0 ms")
    assert shown["price_collar"] == ("within 2 % of the close", "100 for a close of 100")
    assert shown["duplicate_signal"] == ("the first of slot 1000", "last entry in slot 999")
    assert shown["max_order"] == ("25000", "1000")
    assert shown["free_cash"] == ("100000", "1002")
    assert all(limit and value for limit, value in shown.values())


def test_a_fault_of_the_limits_is_told_in_words(proposal, exposure):
    told = replace(exposure, bot_limits=None, limit_faults=("the limits of bot b cannot be used: max_position ...",))
    assert review(proposal, told).reason == "limits: the limits of bot b cannot be used: max_position ..."


@pytest.mark.parametrize(
    ("losses", "largest"),
    [(0, "10"), (1, "10"), (2, "10"), (3, "5"), (4, "2.5"), (5, "1.25"), (6, "1"), (7, "1"), (1000, "1")],
)
def test_a_losing_streak_shrinks_what_is_allowed(proposal, exposure, losses, largest):
    after_losses = replace(exposure, loss_streak=losses)
    assert isinstance(review(replace(proposal, amount=D(largest)), after_losses), Approved)
    too_much = replace(proposal, amount=D(largest) + D("0.001"))
    verdict = review(too_much, after_losses)
    assert isinstance(verdict, Refused)
    assert (verdict.check, verdict.limit) == ("loss_streak", largest)


def test_the_refusal_names_limit_and_value(proposal, exposure):
    verdict = review(proposal, replace(exposure, bot_position_notional=D("250.01")))
    assert (verdict.check, verdict.limit, verdict.value) == ("max_position", "1250", "1250.01")
    assert verdict.reason.startswith("max_position: 1,250.01, limit 1,250 (25 % of 5,000)")


def test_what_comes_after_the_first_failure_is_listed_as_not_evaluated(proposal, exposure):
    verdict = review(proposal, replace(exposure, halts=("a", "b"), free_cash=D(0)))
    assert [result.name for result in verdict.results] == ORDER
    assert [result.passed for result in verdict.results] == [True, True, False] + [None] * 20
    assert {result.note for result in verdict.results[3:]} == {NOT_EVALUATED}


def test_results_are_plain_json(proposal, exposure):
    for verdict in (review(proposal, exposure), review(proposal, replace(exposure, halts=("a",)))):
        stored = json.loads(json.dumps([result.as_dict() for result in verdict.results]))
        assert [row["name"] for row in stored] == ORDER
        assert set(stored[0]) == {"name", "passed", "limit", "value", "note"}


@pytest.mark.parametrize("position", range(len(CHECKS)), ids=ORDER)
def test_a_check_that_raises_refuses(monkeypatch, proposal, exposure, position):
    class Broken:
        name = CHECKS[position].name

        def __call__(self, proposal, exposure):
            raise ZeroDivisionError("oh " * 200)

    monkeypatch.setattr("risk.review.CHECKS", (*CHECKS[:position], Broken(), *CHECKS[position + 1 :]))
    verdict = review(proposal, exposure)
    assert isinstance(verdict, Refused)
    assert verdict.check == ORDER[position]
    assert f"{ORDER[position]} raised ZeroDivisionError" in verdict.reason
    assert len(verdict.reason) <= 300


@pytest.mark.parametrize("answer", [None, True, "yes", CheckResult("odd", None, "", ""), CheckResult("odd", 1, "", "")])
def test_a_check_that_does_not_answer_refuses(monkeypatch, proposal, exposure, answer):
    class Odd:
        name = "odd"

        def __call__(self, proposal, exposure):
            return answer

    monkeypatch.setattr("risk.review.CHECKS", (*CHECKS, Odd()))
    verdict = review(proposal, exposure)
    assert isinstance(verdict, Refused)
    assert verdict.check == "odd"


@pytest.mark.parametrize("kind", [Proposal, Exposure])
def test_nothing_in_place_of_any_figure_ever_gets_through_by_raising(proposal, exposure, kind):
    for item in fields(kind):
        for rubbish in (None, object(), "x", D("sNaN")):
            spoilt = {item.name: rubbish}
            verdict = (
                review(replace(proposal, **spoilt), exposure)
                if kind is Proposal
                else review(proposal, replace(exposure, **spoilt))
            )
            assert isinstance(verdict, (Approved, Refused))  # and nothing was raised


def test_only_review_approves(proposal, exposure):
    with pytest.raises(TypeError, match="only"):
        Approved(proposal, ())
    with pytest.raises(TypeError, match="only"):
        Approved(proposal, (), object())
    approved = review(proposal, exposure)
    with pytest.raises(TypeError, match="only"):
        replace(approved, proposal=replace(proposal, amount=D(99)))
    with pytest.raises(FrozenInstanceError):
        approved.proposal = replace(proposal, amount=D(99))


def test_no_other_file_knows_the_seal():
    root = Path(__file__).parents[2]
    floors = ("tradingplatform", "execution", "risk", "bots", "market", "notifications")
    files = (path for floor in floors for path in (root / floor).rglob("*.py"))
    knowing = {str(path.relative_to(root)) for path in files if "_REVIEW_SEAL" in path.read_text()}
    assert knowing == {"risk/verdicts.py", "risk/review.py"}


money = st.decimals("0", "200000", places=8)
fraction = st.decimals("0.001", "0.999", places=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_approved_respects_every_limit(proposal, exposure, data):
    draw = data.draw
    proposal = replace(
        proposal,
        amount=draw(st.integers(1, 20_000)) * D("0.001"),
        normal_amount=draw(st.integers(1, 20_000)) * D("0.001"),
        stop_price=draw(st.none() | st.decimals("0", "120", places=2)),
    )
    names = ["bot_position_notional", "total_exposure", "asset_exposure", "bot_peak_equity", "bot_day_start_equity"]
    names += ["bot_capital", "bot_equity", "account_equity", "account_peak_equity", "free_cash"]
    bot = BotLimits(*(draw(fraction) for _ in range(3)), draw(st.integers(1, 5)), draw(fraction))
    portfolio = PortfolioLimits(*(draw(fraction) for _ in range(4)))
    drawn = {name: draw(money) for name in names}
    known = replace(exposure, **drawn, loss_streak=draw(st.integers(0, 8)), bot_limits=bot, portfolio_limits=portfolio)
    verdict = review(proposal, known)
    holds = _every_rule(proposal, known)
    assert isinstance(verdict, Approved) == holds


def _every_rule(proposal, known):
    """The requirements once more, in one expression and in ratios of whole numbers."""
    bot, portfolio, notional = known.bot_limits, known.portfolio_limits, proposal.amount * proposal.reference_price
    factor = max(D(1) / 2 ** max(0, known.loss_streak - bot.streak_losses + 1), bot.streak_floor)
    factor = D(1) if known.loss_streak < bot.streak_losses else factor
    positive = (known.bot_capital, known.bot_equity, known.bot_peak_equity, known.account_equity)
    return (
        min(*positive, known.account_peak_equity) > 0
        and notional >= known.instrument.min_notional
        and notional <= portfolio.max_order * known.account_equity
        and notional * D("1.002") <= known.free_cash
        and proposal.stop_price is not None
        and 0 < proposal.stop_price < proposal.reference_price
        and known.bot_position_notional + notional <= bot.max_position * known.bot_capital
        and known.bot_peak_equity - known.bot_equity < bot.max_drawdown * known.bot_peak_equity
        and known.bot_day_start_equity - known.bot_equity < bot.max_daily_loss * known.bot_capital
        and proposal.amount <= factor * proposal.normal_amount
        and known.total_exposure + notional <= portfolio.max_exposure * known.account_equity
        and known.asset_exposure + notional <= portfolio.max_asset * known.account_equity
        and known.account_peak_equity - known.account_equity < portfolio.max_drawdown * known.account_peak_equity
    )
