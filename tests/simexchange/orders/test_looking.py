"""It does not matter how often, or when, anyone looks: the market treats open orders the same."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.market.crossing import first_crossing, horizon_ms
from simexchange.market.market import Market
from simexchange.orders.account import Outcome
from simexchange.orders.ledger import Ledger
from tests.simexchange.desk import BNB, MINUTE_MS, PAIR, START_MS, Desk, Prices, ScriptedPrices, open_desk

cents = st.integers(-150, 150)


def candle(opened: int, close: int, up: int, down: int) -> Prices:
    """Prices in cents around 100."""
    high, low = max(opened, close) + up, min(opened, close) - down
    return (100 + opened / 100, 100 + high / 100, 100 + low / 100, 100 + close / 100)


reach = st.integers(0, 60)
candles = st.lists(st.none() | st.builds(candle, cents, cents, reach, reach), min_size=3, max_size=8)
CALM = (100.0, 100.0, 100.0, 100.0)


@settings(max_examples=60, deadline=None)
@given(
    script=candles,
    start=st.integers(0, 5 * MINUTE_MS),
    length=st.integers(1, 4 * MINUTE_MS),
    low=st.none() | st.integers(9800, 10000),
    high=st.none() | st.integers(10001, 10200),
)
def test_the_first_crossing_is_the_first_moment_of_all(
    script: Sequence[Prices | None], start: int, length: int, low: int | None, high: int | None
) -> None:
    """Against looking at every 7th millisecond: never later than what that finds, and truly beyond."""
    market = Market(ScriptedPrices({PAIR: [CALM, *script]}))
    after, until = START_MS + start, START_MS + start + length
    low, high = (None if edge is None else edge * 10**6 for edge in (low, high))

    def beyond(at: int) -> bool:
        price = market.price_e8("BTCUSDT", at)
        assert price is not None
        return (low is not None and price <= low) or (high is not None and price >= high)

    found = first_crossing(market, "BTCUSDT", after, until, low, high)
    looked = next((at for at in range(after + 1, until + 1, 7) if beyond(at)), None)
    if found is None:
        assert looked is None
        return
    assert beyond(found)
    assert found == after + 1 or not beyond(found - 1)
    assert looked is None or found <= looked


@settings(max_examples=60, deadline=None)
@given(minute=st.integers(0, 500), low=st.integers(1, 9999), high=st.integers(10001, 900_000), rises=st.booleans())
def test_who_looks_every_millisecond_has_seen_high_and_low(minute: int, low: int, high: int, rises: bool) -> None:
    """Also in a candle so steep that the price runs through many ticks in a millisecond."""
    steep = (100.0, high / 100, low / 100, 100.01 if rises else 99.99)
    market = Market(ScriptedPrices({PAIR: [CALM] * (minute + 1) + [steep]}))
    opened = START_MS + (minute + 1) * MINUTE_MS
    for edges in ((low * 10**6, None), (None, high * 10**6)):
        found = first_crossing(market, "BTCUSDT", opened, opened + MINUTE_MS - 1, *edges)
        assert found is not None
        assert market.price_e8("BTCUSDT", found) in edges


def test_a_candle_reaches_its_close_as_it_ends() -> None:
    """It falls from 9,000 to 101 within half a minute; then nothing trades, and 101 stands."""
    market = Market(ScriptedPrices({PAIR: [(100.0, 9000.0, 100.0, 101.0), None, (102.0,) * 4]}))
    found = first_crossing(market, "BTCUSDT", START_MS + 59_000, START_MS + 110_000, 101 * 10**8, None)
    assert found == START_MS + MINUTE_MS


def test_the_horizon_is_the_end_of_the_candle() -> None:
    market = Market(ScriptedPrices({PAIR: [CALM]}))
    for at in (START_MS, START_MS + MINUTE_MS - 1):
        assert horizon_ms(market, "BTCUSDT", at) == START_MS + MINUTE_MS - 1


kinds = st.sampled_from(["LIMIT", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "OCO"])
wish = st.tuples(
    kinds,
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from(["BTCUSDT", "BNBUSDT"]),
    st.integers(1, 60_000),  # thousandths of base
    st.integers(-120, 120),  # cents from 100: the limit
    st.integers(1, 100),  # cents from 100: how far the stop is away
    st.integers(0, 3),  # minutes after which it is placed
)
looks = st.lists(st.integers(0, 9 * MINUTE_MS), max_size=25)


def send(desk: Desk, wishes: Sequence[Any], looks: Sequence[int]) -> Any:
    """Place the orders at their moments, look in between, and tell how it all ended."""
    events = [(START_MS + minutes * MINUTE_MS, number) for number, (*_, minutes) in enumerate(wishes)]
    events += [(START_MS + look, -1) for look in looks]
    for at, number in sorted(events, key=lambda event: (event[0], event[1] < 0, event[1])):
        desk.at = at
        if number < 0:
            desk.ask("GET", "openOrders")
        else:
            place(desk, *wishes[number][:-1], number)
    desk.at = START_MS + 10 * MINUTE_MS
    return desk.ask("GET", "/sim/ledger")


def place(desk: Desk, kind: str, side: str, symbol: str, quantity: int, limit: int, away: int, number: int) -> None:
    given = {"symbol": symbol, "quantity": f"{D(quantity) / 1000}"}
    falls = (side == "SELL") == kind.startswith("STOP")
    stop = f"{D(10000 - away if falls else 10000 + away) / 100}"
    price = f"{D(10000 + limit) / 100}"
    if kind == "OCO":
        stops = {"Type": "STOP_LOSS_LIMIT", "Price": price, "TimeInForce": "GTC", "ClientOrderId": f"s{number}"}
        profit = {"Type": "LIMIT_MAKER", "ClientOrderId": f"p{number}"}
        up, down = f"{D(10000 + away) / 100}", f"{D(10000 - away) / 100}"
        if side == "SELL":
            above, below = profit | {"Price": up}, stops | {"StopPrice": down}
        else:
            above, below = stops | {"StopPrice": up}, profit | {"Price": down}
        desk.oco(side, above, below, listClientOrderId=f"l{number}", **given)
        return
    given |= {} if kind == "LIMIT" else {"stopPrice": stop}
    given |= {"price": price} if kind.endswith("LIMIT") else {}
    desk.order(kind, side, newClientOrderId=f"o{number}", **given)


def desk_at(directory: str, scripts: Sequence[Sequence[Prices | None]], fee_asset: str | None) -> Desk:
    candles = {pair: [CALM, *script] for pair, script in zip((PAIR, BNB), scripts, strict=True)}
    deposits = {"USDT": D(12_000), "BTC": D(90), "BNB": D(70)}
    return open_desk(Path(directory), candles, deposits, fee_asset=fee_asset)


@settings(max_examples=60, deadline=None)
@given(
    scripts=st.tuples(candles, candles),
    wishes=st.lists(wish, min_size=1, max_size=8),
    looks=looks,
    fee_asset=st.sampled_from([None, "BNB"]),
)
def test_the_result_is_the_same_however_often_one_looks(
    scripts: Any, wishes: Any, looks: Any, fee_asset: str | None
) -> None:
    with tempfile.TemporaryDirectory() as seldom, tempfile.TemporaryDirectory() as often:
        desks = [desk_at(directory, scripts, fee_asset) for directory in (seldom, often)]
        results = [send(desk, wishes, seen) for desk, seen in zip(desks, ([], looks), strict=True)]
        for desk in desks:
            desk.exchange.ledger.close()
    assert results[0] == results[1]


@settings(max_examples=30, deadline=None)
@given(scripts=st.tuples(candles, candles), wishes=st.lists(wish, min_size=1, max_size=6), looks=looks)
def test_a_crash_at_any_moment_changes_nothing(scripts: Any, wishes: Any, looks: Any) -> None:
    """The account is opened anew from its ledger before each look."""
    wishes = [(*first, 0) for *first, _ in wishes]
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as broken:
        steady = desk_at(whole, scripts, None)
        expected = send(steady, wishes, [])
        steady.exchange.ledger.close()
        desk = desk_at(broken, scripts, None)
        for number, (*order, _) in enumerate(wishes):
            place(desk, *order, number)
        for look in sorted(looks):
            desk.exchange.ledger.close()
            desk = desk_at(broken, scripts, None)
            desk.at = START_MS + look
            desk.ask("GET", "openOrders")
        desk.at = START_MS + 10 * MINUTE_MS
        got = desk.ask("GET", "/sim/ledger")
        desk.exchange.ledger.close()
    assert got == expected


@settings(max_examples=80, deadline=None)
@given(
    scripts=st.tuples(candles, candles),
    wishes=st.lists(wish, min_size=1, max_size=10),
    looks=looks,
    fee_asset=st.sampled_from([None, "BNB"]),
)
def test_money_is_conserved_to_the_last_digit(scripts: Any, wishes: Any, looks: Any, fee_asset: str | None) -> None:
    """Free and locked add up to the deposits, what was traded and the fees; open orders bind what is locked."""
    with tempfile.TemporaryDirectory() as directory:
        desk = desk_at(directory, scripts, fee_asset)
        result = send(desk, wishes, looks)
        account = desk.exchange.account
        expected = {"USDT": D(12_000), "BTC": D(90), "BNB": D(70)}
        for fill in result["fills"]:
            base, sign = fill["symbol"].removesuffix("USDT"), 1 if fill["isBuyer"] else -1
            expected[base] += sign * D(fill["qty"])
            expected["USDT"] -= sign * D(fill["quoteQty"])
            expected[fill["commissionAsset"]] -= D(fill["commission"])
        assert {asset: held.free + held.locked for asset, held in account.balances.items()} == expected
        assert all(held.free >= 0 and held.locked >= 0 for held in account.balances.values())
        bound = dict.fromkeys(expected, D(0))
        for order in account.open_orders.values():
            bound["USDT" if order.side == "BUY" else order.symbol.removesuffix("USDT")] += order.locked
        assert {asset: held.locked for asset, held in account.balances.items()} == bound
        for order in result["orders"]:
            mine = [fill for fill in result["fills"] if (fill["symbol"], fill["orderId"]) == key(order)]
            assert D(order["executedQty"]) == sum(D(fill["qty"]) for fill in mine)
            assert D(order["cummulativeQuoteQty"]) == sum(D(fill["quoteQty"]) for fill in mine)
        for symbol in ("BTCUSDT", "BNBUSDT"):
            desk.ask("DELETE", "openOrders", symbol=symbol)
        assert all(held.locked == 0 for held in account.balances.values())
        assert {asset: held.free for asset, held in account.balances.items()} == expected
        desk.exchange.ledger.close()


class FullDisk(Ledger):
    """Fails to write one outcome, the ``fails_in``-th from now."""

    fails_in = 0

    def record(self, outcome: Outcome) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise sqlite3.OperationalError("database or disk is full")
        super().record(outcome)


@pytest.mark.parametrize("fails_in", [1, 2, 3])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_write_that_fails_between_two_orders_of_one_moment_loses_neither(
    tmp_path: Path, fails_in: int, restarted: bool
) -> None:
    """The price is at 50 for a single millisecond, and meets three orders in it."""
    script: list[Prices | None] = [CALM, (100, 900, 50, 101), *[(101.0, 101.0, 101.0, 101.0)] * 5]
    desk = open_desk(tmp_path, {PAIR: script})
    for _ in range(3):
        desk.order("STOP_LOSS", "SELL", stopPrice="50")
    desk.exchange.ledger.close()
    ledger = FullDisk(tmp_path)
    desk.exchange.ledger, ledger.fails_in = ledger, fails_in
    with pytest.raises(sqlite3.OperationalError):
        desk.after(5).ask("GET", "openOrders")
    if restarted:
        ledger.close()
        desk = open_desk(tmp_path, {PAIR: script}).after(5)
    fills = desk.ask("GET", "/sim/ledger")["fills"]
    assert [fill["orderId"] for fill in fills] == [1, 2, 3]
    assert {(fill["time"], fill["price"]) for fill in fills} == {(fills[0]["time"], "49.99000000")}


def key(order: dict[str, Any]) -> tuple[str, int]:
    return order["symbol"], order["orderId"]


def test_an_order_that_came_within_the_candle_is_met_within_it(tmp_path: Path) -> None:
    """What was known of the candle's rest before the order came does not count for it."""
    desk = open_desk(tmp_path, {PAIR: [CALM, (100, 100, 98, 98), CALM]})
    desk.order("LIMIT", price="90")
    for number, minutes in ((2, 1.0), (3, 1.01)):
        assert desk.after(minutes).order("STOP_LOSS", "SELL", stopPrice="99.5")["orderId"] == number
    assert [desk.after(1.95).status(number) for number in (1, 2, 3)] == ["NEW", "FILLED", "FILLED"]


@pytest.mark.parametrize("minutes", [1, 60, 60 * 24 * 3])
def test_a_long_absence_is_made_up_for(tmp_path: Path, minutes: int) -> None:
    script: list[Prices | None] = [CALM] * minutes + [(100, 100, 90, 95)] + [(95, 95, 95, 95)] * 3
    desk = open_desk(tmp_path, {PAIR: script})
    desk.order("STOP_LOSS", "SELL", stopPrice="92")
    assert desk.after(minutes + 3).status(1) == "FILLED"
