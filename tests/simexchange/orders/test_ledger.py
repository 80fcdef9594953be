"""The ledger gives back exactly what it was given."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from simexchange.market.depth import book
from simexchange.market.universe import MARKETS
from simexchange.orders.account import Account, Outcome
from simexchange.orders.fees import Fees
from simexchange.orders.ledger import Ledger, Page
from simexchange.orders.order import NewOrder, OrderType, Side
from simexchange.orders.placing import place
from simexchange.orders.taking import Terms

PAIR = MARKETS[0].instrument
DEPOSITS = {"USDT": Decimal(100_000)}
NOW_MS = 1_760_000_000_000


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

    def ids(page: Page) -> list[int]:
        return [order.order_id for order in ledger.orders("BTCUSDT", page)]

    assert ids(Page(2)) == [4, 5]
    assert ids(Page(2, from_id=2)) == [2, 3]
    assert ids(Page(2, start_ms=NOW_MS)) == [1, 2]
    assert ids(Page(2, end_ms=NOW_MS + 2000)) == [2, 3]
    assert ids(Page(10, start_ms=NOW_MS + 1000, end_ms=NOW_MS + 2000)) == [2, 3]
    fills = ledger.fills("BTCUSDT", None, Page(1000))
    assert [fill.trade_id for fill in fills] == list(range(1, len(fills) + 1))
    assert {fill.order_id for fill in ledger.fills("BTCUSDT", 3, Page(1000))} == {3}
    assert ledger.fills("BTCUSDT", None, Page(1, from_id=2))[0].trade_id == 2


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


def old_ledger(directory: Path) -> None:
    """A ledger as it was when only market orders were taken: one order, one fill."""
    db = sqlite3.connect(directory / "ledger.sqlite3")
    db.executescript("""
        CREATE TABLE orders (
            symbol TEXT, order_id INTEGER, client_order_id TEXT, side TEXT, type TEXT, quantity TEXT,
            quote_quantity TEXT, executed TEXT, quote_executed TEXT, status TEXT, time_ms INTEGER,
            updated_ms INTEGER, PRIMARY KEY (symbol, order_id)
        ) WITHOUT ROWID;
        CREATE TABLE fills (
            symbol TEXT, trade_id INTEGER, order_id INTEGER, side TEXT, price TEXT, quantity TEXT,
            quote_quantity TEXT, commission TEXT, commission_asset TEXT, time_ms INTEGER, is_maker INTEGER,
            PRIMARY KEY (symbol, trade_id)
        ) WITHOUT ROWID;
        CREATE TABLE balances (asset TEXT PRIMARY KEY, free TEXT, locked TEXT) WITHOUT ROWID;
        INSERT INTO orders VALUES ('BTCUSDT', 1, 'old', 'BUY', 'MARKET', '0.5', '0', '0.5', '25000', 'FILLED', 17, 17);
        INSERT INTO fills VALUES
            ('BTCUSDT', 1, 1, 'BUY', '50000', '0.5', '25000', '0.0005', 'BTC', 17, 0);
        INSERT INTO balances VALUES ('BTC', '0.4995', '0'), ('USDT', '75000', '0');
    """)
    db.close()


def test_a_ledger_of_an_earlier_version_is_extended_in_place(tmp_path: Path) -> None:
    old_ledger(tmp_path)
    for _ in range(2):  # and opened again as what it has become
        ledger = Ledger(tmp_path)
        account = ledger.open_account({})
        orders, fills = ledger.everything()
        assert [(order.client_order_id, order.working_ms, order.list_id) for order in orders[:1]] == [("old", 17, -1)]
        assert fills[0].list_id == -1
        trade(ledger, 1, account)
        ledger.close()
    assert account.next_order_id["BTCUSDT"] == 4
