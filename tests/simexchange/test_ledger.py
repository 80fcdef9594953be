"""The ledger gives back exactly what it was given."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from simexchange.account import Account, Outcome
from simexchange.depth import book
from simexchange.engine import place
from simexchange.fees import Fees
from simexchange.ledger import Ledger
from simexchange.orders import NewOrder, OrderType, Side
from simexchange.taking import Terms
from simexchange.universe import MARKETS

PAIR = MARKETS[0].instrument
DEPOSITS = {"USDT": Decimal(100_000)}
NOW_MS = 1_760_000_000_000
ALWAYS = 2**62


def trade(ledger: Ledger, count: int, account: Account | None = None) -> list[Outcome]:
    account = account or ledger.open_account(DEPOSITS)
    outcomes: list[Outcome] = []
    for number in range(count):
        now_ms = NOW_MS + number * 1000
        last, fees = 5_012_345 * 10**6, Fees(Decimal("0.001"), Decimal("0.001"))
        terms = Terms(PAIR, last, book(PAIR, last, 40), Decimal(50_123), fees, now_ms)
        wish = NewOrder(PAIR.symbol, Side.BUY, OrderType.MARKET, f"id-{number % 2}", None, Decimal("1234.56789012"))
        outcomes.append(place(account, wish, terms))
        ledger.record(outcomes[-1])
        account.take(outcomes[-1])
    return outcomes


def test_an_account_is_the_same_after_reopening(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    before = ledger.open_account(DEPOSITS)
    outcomes = trade(ledger, 3, before)
    ledger.close()
    reopened = Ledger(tmp_path)
    assert reopened.open_account({"USDT": Decimal(5)}) == before  # deposits are for new ledgers only
    assert before.next_order_id == {"BTCUSDT": 4}
    orders, fills = reopened.everything()
    assert orders == [outcome.order for outcome in outcomes]
    assert fills == [fill for outcome in outcomes for fill in outcome.fills]


def test_orders_are_found_by_either_id(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    outcomes = trade(ledger, 3)
    assert ledger.order("BTCUSDT", 2, None) == outcomes[1].order
    assert ledger.order("BTCUSDT", None, "id-0") == outcomes[2].order  # the latest of two with this id
    assert ledger.order("ETHUSDT", 2, None) is None
    assert ledger.order("BTCUSDT", None, "id-9") is None


def test_pages_of_orders_and_fills(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    trade(ledger, 5)

    def ids(from_id: int | None, start_ms: int, end_ms: int, limit: int) -> list[int]:
        return [order.order_id for order in ledger.orders("BTCUSDT", from_id, start_ms, end_ms, limit)]

    assert ids(None, 0, ALWAYS, 2) == [4, 5]
    assert ids(2, 0, ALWAYS, 2) == [2, 3]
    assert ids(None, NOW_MS + 1000, NOW_MS + 2000, 10) == [2, 3]
    fills = ledger.fills("BTCUSDT", None, None, 0, ALWAYS, 1000)
    assert [fill.trade_id for fill in fills] == list(range(1, len(fills) + 1))
    of_one = ledger.fills("BTCUSDT", 3, None, 0, ALWAYS, 1000)
    assert {fill.order_id for fill in of_one} == {3}
    assert ledger.fills("BTCUSDT", None, 2, 0, ALWAYS, 1)[0].trade_id == 2


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    outcome = trade(ledger, 1)[0]
    before = ledger.everything(), ledger.balances()
    with pytest.raises(sqlite3.IntegrityError):
        ledger.record(replace(outcome, order=replace(outcome.order, order_id=99)))  # its trade ids are taken
    assert (ledger.everything(), ledger.balances()) == before
    assert len(trade(ledger, 2)) == 2


def test_two_exchanges_never_share_a_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.open_account(DEPOSITS)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Ledger(tmp_path).open_account(DEPOSITS)
