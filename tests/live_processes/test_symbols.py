"""What an exchange does to a symbol while a position is held in it, and to a key while it is in use."""

from decimal import Decimal

import pytest

from simexchange.requests.auth import DEMO_KEY
from soak.live_fleet import ACCOUNT
from tests.live_processes.platform import POST_ORDER, LivePlatform
from tests.rig import until

pytestmark = pytest.mark.process
STEP = "0.00071"  # of BTC: about 40 USDT, so that the rest is worth little enough to be written off


def requests_of(live: LivePlatform, endpoint: str) -> int:
    return int(live.exchange_stats()["endpoints"].get(endpoint, 0))


def test_the_step_size_grows_while_a_position_is_held(live: LivePlatform):
    """The first sale is refused by the new rule, which is asked for then; what it leaves is dust, and booked."""
    bot = live.hold("coarser")
    (held,) = live.query(f"SELECT quantity FROM execution_position WHERE bot_id = {live.bot_id(bot)}")[0]
    live.set_rules("BTCUSDT", stepSize=STEP)
    live.hand("close", name=bot)
    until(lambda: live.orders(bot, "EXIT") == ["REJECTED"], "the sale to be refused")
    live.until_protected(bot)
    assert live.hand("close", name=bot) == ""
    live.until_closed(bot)
    sold = [row for row in live.at_exchange(bot, "x") if Decimal(row["executedQty"])]
    assert [Decimal(row["executedQty"]) % Decimal(STEP) for row in sold] == [0]
    (dust,) = live.query(f"SELECT dust FROM execution_position WHERE bot_id = {live.bot_id(bot)}")[0]
    assert Decimal(dust) == Decimal(held) - Decimal(sold[0]["executedQty"]) > 0
    assert len(live.told("dust_written_off")) == 1
    live.set_rules("BTCUSDT", reset="true")


@pytest.mark.proof
def test_a_symbol_is_halted_while_a_position_is_held(live: LivePlatform):
    """The price reaches the stop meanwhile: the sale is tried once, then waited for, and made when it trades again."""
    (bot,) = live.make("halted", symbols=("ETH/USDT",))
    live.hand("start", names=[bot], ticking=False)
    assert live.hand("enter_near", name=bot, below=0.0005) == ""
    live.hand("pause", names=[bot])
    live.set_rules("ETHUSDT", status="BREAK")
    until(lambda: live.orders(bot, "EXIT") == ["REJECTED"], "the sale to be refused", 120)
    posts = requests_of(live, POST_ORDER)
    until(lambda: len(live.told("position_unprotected")) == 1, "to be told that nothing protects it")
    live.let_go_by(seconds=15)
    assert requests_of(live, POST_ORDER) - posts <= 4
    live.kill("guard")  # it looks at the symbols at its start, else within the hour
    until(lambda: len(live.told("symbol_not_traded")) == 1, "the halt to be told")
    live.set_rules("ETHUSDT", status="TRADING")
    live.until_closed(bot, 120)
    until(lambda: len(live.told("symbol_not_traded_ended")) == 1, "the end of the halt to be told", 120)
    assert len(live.told("symbol_not_traded")) == 1


def test_a_key_that_is_revoked_halts_the_account_once(live: LivePlatform):
    held = live.hold("before-revoked", "SOL/USDT")
    live.fault({"kind": "error", "code": -2015}, where={"key": DEMO_KEY})
    refused = live.enter("revoked", "XRP/USDT")
    until(lambda: len(live.told("halt_raised")) == 1, "the halt to be told")
    assert live.position(refused) == "FLAT"
    live.tell_exchange("/sim/stats/reset")
    (later,) = live.make("after-revoked", symbols=("ADA/USDT",))
    live.hand("start", names=[later])
    refusal = f"SELECT failed_check FROM risk_decision WHERE bot_id = {live.bot_id(later)}"
    until(lambda: bool(live.query(refusal)), "the decision")
    live.hand("pause", names=[later])
    live.let_go_by(seconds=10)
    assert live.query(refusal) == [("halts",)]
    stats = live.exchange_stats()
    assert stats["endpoints"].get(POST_ORDER, 0) == 0
    signed = [name for name in stats["endpoints"] if name.split("/")[-1] in ("order", "account", "openOrders")]
    assert sum(stats["endpoints"][name] for name in signed) <= 10
    assert len(live.told("halt_raised")) == 1
    live.no_faults()
    assert live.position(held) == "OPEN"
    live.hand.command("clear_halt", ACCOUNT, "--reason", "the key is good again")
    assert live.hold("good-again", "ADA/USDT")


@pytest.mark.proof
def test_a_key_that_may_withdraw_halts_the_account_at_the_next_look(live: LivePlatform):
    live.restart_exchange("--key-may-withdraw")
    halts = len(live.told("halt_raised"))
    live.kill("reconcile")
    until(lambda: len(live.told("halt_raised")) == halts + 1, "the halt to be told")
    live.kill("reconcile")
    live.until_compared()
    assert len(live.told("halt_raised")) == halts + 1
    assert "may withdraw" in live.told("halt_raised")[-1]
    (bot,) = live.make("withdrawable", symbols=("LTC/USDT",))
    live.hand("start", names=[bot])
    refusal = f"SELECT failed_check FROM risk_decision WHERE bot_id = {live.bot_id(bot)}"
    until(lambda: ("halts",) in live.query(refusal), "the entry to be refused")  # a slot may pass without a signal
    live.hand("pause", names=[bot])
    live.restart_exchange()
    live.hand.command("clear_halt", ACCOUNT, "--reason", "the right was taken from it")
    assert live.hold("withdraws-no-more", "LTC/USDT")
