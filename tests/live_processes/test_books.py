"""Books and exchange that do not agree: nothing enters until somebody has looked. In this order, one after another."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from soak.live_fleet import ACCOUNT
from tests.live_processes.platform import LivePlatform
from tests.rig import until

pytestmark = pytest.mark.process


def decision(live: LivePlatform, bot: str) -> tuple[str, str]:
    """Outcome and reason of its first decision, awaited."""
    until(lambda: bool(live.decisions(bot)), f"{bot}'s decision")
    return live.decisions(bot)[0]


def wants_to_enter(live: LivePlatform, name: str, symbol: str) -> str:
    (bot,) = live.make(name, symbols=(symbol,))
    live.hand("start", names=[bot])
    return bot


def test_nothing_enters_before_the_first_clean_comparison(live: LivePlatform):
    held = live.hold("before-restart")
    live.kill_programs()
    events = live.query("SELECT MAX(id) FROM notifications_event")[0][0]
    comparing = live.fault({"kind": "latency", "min_ms": 20_000}, "GET /api/v3/openOrders")
    live.restart()
    early = wants_to_enter(live, "early", "ETH/USDT")
    outcome, reason = decision(live, early)
    live.hand("pause", names=[early])
    assert outcome == "REFUSED"
    assert "has not been reconciled" in reason
    live.until_struck(comparing)
    live.no_faults()
    live.until_clean()
    late = live.hold("after-clean", "SOL/USDT")
    assert live.position(held) == "OPEN"
    order = [
        row[0]
        for row in live.query(
            f"SELECT kind FROM notifications_event WHERE id > {events} "
            " AND kind IN ('reconciled', 'position_opened') ORDER BY id"
        )
    ]
    assert order == ["reconciled", "position_opened"]
    assert live.orders(late, "ENTRY") == ["FILLED"]


def test_what_was_sold_by_hand_is_told_and_put_right_by_hand(running: LivePlatform):
    live = running
    bot, other = live.hold("sold-by-hand", "XRP/USDT"), live.hold("bystander", "ADA/USDT")
    (stop,) = live.at_exchange(bot, "s")
    live.by_hand("DELETE", "/api/v3/order", symbol="XRPUSDT", orderId=stop["orderId"])
    sold = live.by_hand("POST", "/api/v3/order", symbol="XRPUSDT", side="SELL", type="MARKET", quantity=stop["origQty"])
    live.kill("reconcile")  # it compares at its start, else within a minute
    until(lambda: live.told("halt_raised") != [], "the halt to be told", 90)
    assert "do not agree" in live.told("halt_raised")[0]
    refused = wants_to_enter(live, "not-now", "LTC/USDT")
    assert decision(live, refused)[0] == "REFUSED"
    live.hand("pause", names=[refused])
    price = str(Decimal(sold["cummulativeQuoteQty"]) / Decimal(sold["executedQty"]))
    until(lambda: closed_by_hand(live, bot, price), "the sale to be booked")
    until(lambda: accepted(live), "the balances to be accepted")
    live.hand.command("clear_halt", ACCOUNT, "--reason", "a sale by hand")
    live.kill("reconcile")
    live.until_compared()
    live.until_clean()
    assert live.hold("trades-again", "DOT/USDT")
    assert len(live.told("halt_raised")) == 1
    assert live.position(other) == "OPEN"
    until(lambda: not live.under_way(), "everything to come to rest")
    strange = str(sold["clientOrderId"])
    wrong = live.hand("disagreements", ledger=live.ledger(), speed=live.speed)
    assert [text for text in wrong if strange not in text and "hand-" not in text and "-x1" not in text] == []


def closed_by_hand(live: LivePlatform, bot: str, price: str) -> bool:
    """False while an order is in the way: the platform goes on trying to protect what is no longer there."""
    return corrected(live, "close_by_hand", bot, "--price", price, "--reason", "it was me")


def accepted(live: LivePlatform) -> bool:
    return corrected(live, "accept_balances", ACCOUNT, "--reason", "the fee of a sale by hand")


def corrected(live: LivePlatform, *command: str) -> bool:
    """Whether it could be done. What is refused for anything but an order on its way is raised."""
    try:
        live.hand.command(*command)
    except RuntimeError as error:
        if "has to end first" in str(error) or "try again" in str(error):
            return False
        raise
    return True


def test_a_backup_is_put_back_that_misses_what_was_traded_since(running: LivePlatform):
    live = running
    kept = live.hold("in-the-backup", "LINK/USDT")
    (missing,) = live.make("enters-later", symbols=("AVAX/USDT",))
    backup = live.var / "backup.sqlite3"
    copy(live.var / "platform.sqlite3", backup)
    live.hand("close", name=kept)
    live.until_closed(kept)
    live.hand("start", names=[missing])
    live.until_protected(missing)
    number = live.bot_id(missing)
    live.kill_programs()
    live.put_back(backup)
    halts = len(live.told("halt_raised"))
    live.restart()
    told = lambda: live.told("halt_raised")[halts:]  # noqa: E731
    until(lambda: any("do not agree" in text for text in told()), "the halts to be told", 90)
    texts = told()
    assert any(f"-{number}-" in text and "not in our books" in text for text in texts)
    refused = wants_to_enter(live, "not-any-more", "TRX/USDT")
    assert decision(live, refused)[0] == "REFUSED"
    live.kill("reconcile")
    live.until_compared()
    assert told() == texts
    assert live.at_exchange(refused) == []


def copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
