"""The command line: defaults, and one clear line for every mistake."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from simexchange.__main__ import StartError, build_exchange
from simexchange.cli import parse
from simexchange.market.listing_changes import Change

NOW_MS = 1_760_000_000_000


def test_defaults() -> None:
    settings = parse([])
    assert (settings.host, settings.speed, settings.data) == ("127.0.0.1", 1.0, Path("var/simexchange"))
    assert settings.deposits == {"USDT": Decimal(100_000)}
    assert (settings.fee_rate, settings.maker_fee_rate) == (Decimal("0.001"), Decimal("0.001"))
    assert (settings.fee_asset, settings.query_lag_ms) == (None, 0)
    assert parse(["--replay", "x"]).deposits == {"BTC": Decimal(10)}
    assert parse(["--balance", "USDT=5", "--balance", "BTC=0.1"]).deposits == {"USDT": 5, "BTC": Decimal("0.1")}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--port", "x"],
        ["--speed", "0"],
        ["--speed", "nan"],
        ["--seed", "-1"],
        ["--origin-market-ms", "12"],
        ["--balance", "USDT"],
        ["--balance", "USDT=-1"],
        ["--balance", "usdt=1"],
        ["--balance", "USDT=0.000000001"],
        ["--fee-rate", "2"],
        ["--fee-rate", "inf"],
        ["--weight-limit", "0"],
        ["--maker-fee-rate", "1"],
        ["--fee-asset", "bnb"],
        ["--query-lag-ms", "-1"],
        ["--query-lag-ms", "0.5"],
        ["--surprise"],
    ],
)
def test_mistakes_are_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        parse(arguments)
    assert leaving.value.code == 2
    assert arguments[0] in capsys.readouterr().err.splitlines()[-1]


def test_an_exchange_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cannot replay .*absent: no such folder"):
        build_exchange(parse(["--replay", str(tmp_path / "absent")]), NOW_MS)
    with pytest.raises(StartError, match="before the first candle"):
        build_exchange(parse(["--origin-market-ms", "1400000000000"]), NOW_MS)
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot open the ledger"):
        build_exchange(parse(["--data", str(tmp_path / "file")]), NOW_MS)


def test_market_time_goes_on_where_a_given_origin_left_it(tmp_path: Path) -> None:
    arguments = ["--data", str(tmp_path), "--speed", "60", "--origin-wall-ms", str(NOW_MS - 10_000)]
    exchange = build_exchange(parse([*arguments, "--origin-market-ms", "1700000000000"]), NOW_MS)
    assert exchange.clock.market_ms(NOW_MS) == 1_700_000_000_000 + 600_000
    exchange.ledger.close()


def test_how_orders_are_treated_is_passed_on(tmp_path: Path) -> None:
    arguments = ["--maker-fee-rate", "0.0002", "--fee-asset", "BNB", "--query-lag-ms", "250"]
    exchange = build_exchange(parse(["--data", str(tmp_path), *arguments]), NOW_MS)
    assert (exchange.maker_fee_rate, exchange.fee_asset) == (Decimal("0.0002"), "BNB")
    lag = exchange.faults.report(NOW_MS)["active"][0]
    assert lag["what"] == {"kind": "query_lag", "lag_ms": 250}
    assert (lag["where"]["endpoint"], lag["state"]) == ("GET /api/v3/order", "active")
    exchange.ledger.close()


def test_orders_do_not_wait_for_market_time_to_catch_up(tmp_path: Path) -> None:
    """A restart with an earlier market time matches on from there."""
    arguments = ["--data", str(tmp_path), "--origin-market-ms"]
    first = build_exchange(parse([*arguments, "1760000000000"]), NOW_MS)
    first.ledger.keep_change("BTCUSDT", Change(), 1_760_000_000_000)
    first.ledger.close()
    second = build_exchange(parse([*arguments, "1700000000000"]), NOW_MS)
    assert second.progress.matched_ms == {"BTCUSDT": 1_700_000_000_000}
    second.ledger.close()


def test_both_clocks_start_at_now(tmp_path: Path) -> None:
    exchange = build_exchange(parse(["--data", str(tmp_path), "--speed", "60"]), NOW_MS)
    assert exchange.clock.market_ms(NOW_MS) == NOW_MS
    exchange.ledger.close()
