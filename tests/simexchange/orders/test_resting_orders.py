"""What the moving price does to open orders, on candles written for the purpose."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal as D
from pathlib import Path

import pytest

from simexchange.orders.resting import LEVELS
from tests.simexchange.desk import PAIR, Desk, Prices, flat, open_desk

CALM = (100.0, 100.0, 100.0, 100.0)


def desk_with(directory: Path, *candles: Prices | None) -> Desk:
    """A calm minute, the candles, and calm at the last price."""
    last = [candle for candle in candles if candle is not None][-1][3]
    script: Sequence[Prices | None] = [CALM, *candles, *flat(last, 20)]
    return open_desk(directory, {PAIR: script})


def test_a_low_between_two_looks_fills_a_buy_at_its_price(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (100, 100.1, 98, 100))
    desk.order("LIMIT", price="99", quantity="2")
    desk.after(10)
    order = desk.ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert (order["status"], order["cummulativeQuoteQty"]) == ("FILLED", "198.00000000")
    trade = desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]
    assert (trade["price"], trade["isMaker"], trade["isBuyer"]) == ("99.00000000", True, True)
    assert desk.after(1).at < trade["time"] < desk.after(2).at  # when the price was there, not when anyone looked
    assert order["updateTime"] == trade["time"]
    assert desk.held("USDT") == (D(100_000) - 198, D(0))
    assert desk.held("BTC")[0] == D(1002) - D("0.002")


def test_the_price_must_go_through_a_limit(tmp_path: Path) -> None:
    """At the limit itself the best offer is still a tick away."""
    desk = desk_with(tmp_path, (100, 100, 99, 100))
    desk.order("LIMIT", price="99")
    desk.order("LIMIT", price="99.01", newClientOrderId="a-tick-higher")
    assert [desk.after(10).status(number) for number in (1, 2)] == ["NEW", "FILLED"]


def test_a_large_order_fills_level_by_level(tmp_path: Path) -> None:
    """Depth of 3 to 17 BTC trades at the first tick below 99, more at each further one."""
    desk = desk_with(tmp_path, (100, 100, 98.98, 99.5), (99.5, 99.5, 98, 98))
    desk.order("LIMIT", price="99", quantity="500")
    order = desk.after(1.99).ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert order["status"] == "PARTIALLY_FILLED"
    first = desk.ask("GET", "myTrades", symbol="BTCUSDT")
    assert len(first) == 2
    assert desk.held("USDT")[1] == D(500 * 99) - D(order["cummulativeQuoteQty"])
    assert desk.after(3).status(1) == "FILLED"
    assert {trade["price"] for trade in desk.ask("GET", "myTrades", symbol="BTCUSDT")} == {"99.00000000"}
    assert desk.held("USDT") == (D(100_000 - 500 * 99), D(0))


def test_a_deep_fall_fills_whatever_the_size(tmp_path: Path) -> None:
    deposits = {"USDT": D(90_000_000)}
    script = [CALM, (99 - LEVELS * 0.01 - 0.01,) * 4, *flat(98, 5)]
    desk = open_desk(tmp_path, {PAIR: script}, deposits)
    desk.order("LIMIT", price="99", quantity="90000")
    assert desk.after(1).status(1) == "FILLED"
    assert len(desk.ask("GET", "myTrades", symbol="BTCUSDT")) == 1


def test_what_was_not_taken_does_not_trade_again_at_the_same_price(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, {PAIR: flat(100, 30)})
    desk.order("LIMIT", price="100.02", quantity="200")
    before = desk.ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert before["status"] == "PARTIALLY_FILLED"
    assert desk.after(20).ask("GET", "order", symbol="BTCUSDT", orderId=1) == before


@pytest.mark.parametrize(
    ("kind", "side", "stop", "candle"),
    [
        ("STOP_LOSS", "SELL", "99", (100, 100, 99, 100)),
        ("STOP_LOSS", "BUY", "101", (100, 101, 100, 100)),
        ("TAKE_PROFIT", "SELL", "101", (100, 101, 100, 100)),
        ("TAKE_PROFIT", "BUY", "99", (100, 100, 99, 100)),
    ],
)
def test_a_stop_touched_between_two_looks_triggers(
    tmp_path: Path, kind: str, side: str, stop: str, candle: Prices
) -> None:
    """A candle's high and low are touched for one moment only."""
    desk = desk_with(tmp_path, candle)
    desk.order(kind, side, stopPrice=stop)
    order = desk.after(10).ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert (order["status"], order["isWorking"]) == ("FILLED", True)
    trade = desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]
    assert trade["isMaker"] is False
    assert abs(D(trade["price"]) - D(stop)) == D("0.01")
    assert order["workingTime"] == trade["time"]
    assert desk.held("BTC")[1] == desk.held("USDT")[1] == 0


def test_a_gap_through_a_stop_triggers_at_the_price_beyond(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (95, 95, 94, 95))
    desk.order("STOP_LOSS", "SELL", stopPrice="99")
    assert desk.after(10).status(1) == "FILLED"
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["price"] == "94.99000000"


def test_a_gap_jumps_over_a_stop_limit(tmp_path: Path) -> None:
    """Triggered, working, unfilled, its base still bound; filled when the price comes back through it."""
    desk = desk_with(tmp_path, (95, 95, 94, 95), (95, 95, 95, 95), (95, 99, 95, 99))
    desk.order("STOP_LOSS_LIMIT", "SELL", stopPrice="99", price="98.5")
    order = desk.after(2).ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert (order["status"], order["isWorking"], order["executedQty"]) == ("NEW", True, "0.00000000")
    assert order["workingTime"] == desk.after(1).at
    assert desk.held("BTC") == (D(999), D(1))
    assert desk.after(10).status(1) == "FILLED"
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["isMaker"] is True


def test_a_stop_limit_that_must_not_rest_expires_over_a_gap(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (95, 95, 94, 95))
    desk.order("STOP_LOSS_LIMIT", "SELL", stopPrice="99", price="98.5", timeInForce="IOC")
    assert desk.after(10).status(1) == "EXPIRED"
    assert desk.held("BTC") == (D(1000), D(0))


def test_a_stop_limit_in_a_calm_market_takes(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (100, 100, 98, 98))
    desk.order("STOP_LOSS_LIMIT", "SELL", stopPrice="99", price="98.5")
    assert desk.after(10).status(1) == "FILLED"
    trade = desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]
    assert (trade["price"], trade["isMaker"]) == ("98.99000000", False)


def test_a_stop_that_buys_never_spends_more_than_there_is(tmp_path: Path) -> None:
    script: list[Prices | None] = [CALM, (150, 150, 150, 150), *flat(150, 5)]
    desk = open_desk(tmp_path, {PAIR: script}, {"USDT": D(1010)})
    desk.order("STOP_LOSS", quantity="10", stopPrice="101")
    order = desk.after(3).ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert order["status"] == "EXPIRED"
    assert D(order["executedQty"]) == D("6.732")  # what 1010 buys at 150.01
    free, locked = desk.held("USDT")
    assert (free, locked) == (D(1010) - D(order["cummulativeQuoteQty"]), D(0))
    assert 0 <= free < D("150.02") * PAIR.step


def test_the_last_price_stands_in_a_gap_and_an_order_is_met_when_trading_goes_on(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (100, 100, 99.5, 99.5), None, None, (98, 98, 98, 98))
    desk.order("STOP_LOSS", "SELL", stopPrice="99")
    assert desk.after(3.9).status(1) == "NEW"
    assert desk.after(4).status(1) == "FILLED"
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["time"] == desk.at


def test_the_close_of_the_last_candle_before_a_gap_triggers(tmp_path: Path) -> None:
    """The candle falls from its high of 102 to its close of 101; nothing trades for two minutes after it."""
    desk = desk_with(tmp_path, (100, 102, 100, 101), None, None, (101.5, 101.5, 101.5, 101.5))
    assert "orderId" in desk.after(1.99).order("STOP_LOSS", "SELL", stopPrice="101")
    assert desk.status(1) == "NEW"
    assert desk.after(3.5).status(1) == "FILLED"
    assert desk.after(1.99).at < desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["time"] <= desk.after(2).at


def test_a_maker_pays_the_makers_rate(tmp_path: Path) -> None:
    script = [CALM, (100, 100, 98, 98), *flat(98, 5)]
    desk = open_desk(tmp_path, {PAIR: script}, maker_fee_rate=D("0.0002"))
    desk.order("LIMIT", price="99", quantity="1")
    desk.after(5)
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["commission"] == "0.00020000"
    assert desk.ask("GET", "account")["commissionRates"]["maker"] == "0.00020000"


def test_the_ledger_of_the_simulator_is_matched_before_it_is_shown(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (100, 100, 98, 98))
    desk.order("LIMIT", price="99")
    shown = desk.after(5).ask("GET", "/sim/ledger")
    assert shown["orders"][0]["status"] == "FILLED"
    assert len(shown["fills"]) == 1
