"""The command: tables, files, and errors that say what to do."""

import csv
import json
from decimal import Decimal as D
from random import Random

import pytest

from bots.models import ExchangeAccount, Mode
from execution.models import Position, Trade
from market.money import ZERO, exact
from tests.commands import refusal, run
from tests.factories import make_account, make_bot
from tests.histories import History

pytestmark = pytest.mark.django_db


@pytest.fixture
def past():
    made = History(Random(11))
    for _ in range(60):
        made.step()
    return made


@pytest.mark.parametrize(
    "words", [(), ("costs",), ("statistics",), ("tax",)], ids=["profit", "costs", "statistics", "tax"]
)
def test_an_account_without_a_past_says_what_will_be_there(words):
    account = make_account()
    said = run("report", *words)
    assert account.name in said
    assert " will " in said or "Nothing is carried over" in said


def test_tables_of_a_past(past):
    said = run("report", "profit", "--by", "symbol")
    assert f"Profit by symbol: account {past.account.name}, paper, since the beginning" in said
    assert "profit (USDT)" in said
    assert "ETH/USDT" in said
    assert "BTC/USDT" in run("report", "costs", "--by", "symbol", "--year", "2024")
    assert "No position was closed in this time" in run("report", "--days", "1")
    tax = run("report", "tax", "--year", "2024")
    assert "no tax advice" in tax
    assert "Carried over after" in tax


def test_json_has_every_digit(past):
    told = json.loads(run("report", "profit", "--json"))
    assert (told["account"], told["mode"], told["quote"]) == (past.account.name, "PAPER", "USDT")
    (report,) = told["reports"]
    closed = Position.objects.filter(status="CLOSED").values_list("realised", flat=True)
    with exact():
        assert D(report["total"]["profit"]) == sum(closed, ZERO)
        assert sum((D(row["profit"]) for row in report["rows"]), ZERO) == sum(closed, ZERO)
    assert json.loads(run("report", "statistics", "--json"))["reports"][0]["total"] is None


def test_a_file_of_disposals(past, tmp_path):
    file = tmp_path / "tax.csv"
    said = run("report", "tax", "--year", "2024", "--csv", str(file))
    head, *rows = list(csv.reader(file.open()))
    assert said.strip() == f"wrote {len(rows)} lines to {file}"
    assert head[:8] == [
        "symbol", "acquired_at", "disposed_at", "amount", "proceeds_usdt", "cost_usdt", "fees_usdt", "gain_usdt",
    ]  # fmt: skip
    sold = Trade.objects.filter(side="SELL")
    with exact():
        assert sum((D(row[4]) for row in rows), ZERO) >= sum((one.price * one.amount for one in sold), ZERO)
        for row in rows:
            assert D(row[4]) - D(row[5]) - D(row[6]) == D(row[7])
    assert f"{file} is there already" in refusal("report", "--csv", str(file))
    assert "cannot write" in refusal("report", "--csv", str(tmp_path / "no" / "where.csv"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("profit", "--account", "nobody"), "no account 'nobody'"),
        (("profit", "--days", "0"), "0 days: give a number from 1"),
        (("profit", "--year", "1"), "the year 1: give one from 2000"),
        (("tax", "--year", "20260"), "the year 20260"),
        (("tax", "--days", "7"), "give --year, not --days"),
        (("tax", "--by", "bot"), "--by is for profit and costs"),
        (("statistics", "--by", "bot"), "--by is for profit and costs"),
        (("costs", "--by", "weekday"), "costs is not told apart by 'weekday': choose bot, symbol, purpose"),
        (("profit", "--by", "purpose"), "choose bot, strategy, symbol"),
    ],
    ids=["account", "days", "year", "tax-year", "tax-days", "tax-by", "statistics-by", "costs-by", "profit-by"],
)
def test_what_does_not_fit_is_said(words, why):
    make_account()
    assert why in refusal("report", *words)


def test_paper_and_live_are_never_one_report():
    assert "there is no account yet" in refusal("report")
    paper = make_account()
    live = ExchangeAccount.objects.create(name="real", exchange="simulated", quote="USDT", mode=Mode.LIVE)
    for account in (paper, live):
        make_bot(account, name=f"of-{account.mode.lower()}")
    assert f"give --account: there is {paper.name} (paper), real (live)" in refusal("report")
    said = run("report", "statistics", "--account", "real", "--json")
    assert "of-paper" not in said
    assert "of-live" in said or json.loads(said)["reports"][0]["rows"] == []
    assert "real, live" in run("report", "--account", "real")
