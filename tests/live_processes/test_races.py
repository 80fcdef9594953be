"""Several who want to sell one position, and many who want to buy with room for a few."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest

from tests.fleets import SYMBOLS
from tests.live_processes.platform import Hand, LivePlatform
from tests.rig import until

pytestmark = pytest.mark.process
PAIRS = tuple(f"{base}/USDT" for base in SYMBOLS)
ROUNDS = 26
NEAR = 0.0002  # below the price: it is there within seconds, or has been when somebody else comes


@pytest.fixture
def hands(live: LivePlatform) -> Iterator[tuple[Hand, Hand]]:
    """Two processes more that act for the same bots."""
    with ExitStack() as stack:
        pair = Hand(live), Hand(live)
        for hand in pair:
            stack.callback(hand.end)
            hand("disagreements", ledger=live.ledger(), speed=live.speed)  # it is there
        yield pair


def everybody_sells(live: LivePlatform, hands: tuple[Hand, Hand], bot: str) -> None:
    for hand in hands:
        hand.begin("leave", name=bot)
    live.hand("close", name=bot)
    for hand in hands:
        hand.result()


def test_operator_strategy_and_stop_sell_once(live: LivePlatform, hands: tuple[Hand, Hand]):
    """Each position has its stop a hair below the price. In the same moment the operator and the strategy come, the
    strategy in two processes; the reconciler is there all along."""
    contested = live.make("contested", ROUNDS, PAIRS)
    live.hand("start", names=contested, ticking=False)
    ended_by: Counter[str] = Counter()
    alone, together = contested[::2], contested[1::2]
    for bot in alone:
        assert live.hand("enter_near", name=bot, below=NEAR) == ""
        everybody_sells(live, hands, bot)
    for bot in together:
        assert live.hand("enter_near", name=bot, below=NEAR) == ""
    touched = lambda: [bot for bot in together if live.at_exchange(bot, "s")[0]["status"] == "FILLED"]  # noqa: E731
    until(lambda: bool(touched()), "the price to be at the stops")
    for bot in together:
        everybody_sells(live, hands, bot)
    for bot in contested:
        live.until_closed(bot)
        (sold,) = [row for row in live.at_exchange(bot) if row["side"] == "SELL" and Decimal(row["executedQty"])]
        (bought,) = live.at_exchange(bot, "e")
        assert Decimal(sold["executedQty"]) <= Decimal(bought["executedQty"])
        ended_by[sold["clientOrderId"].split("-")[3][0]] += 1
    assert set(ended_by) == {"s", "x"}


def test_of_many_who_enter_at_once_as_many_as_there_is_room_for(live: LivePlatform):
    names = live.make("crowd", 12, PAIRS)
    live.hand("room_for", positions=3, of="500")  # what a stop ten per cent below makes of a bot's capital
    live.hand("start", names=names)
    ids = ", ".join(str(live.bot_id(name)) for name in names)
    decided = f"SELECT COUNT(*) FROM risk_decision WHERE bot_id IN ({ids})"
    until(lambda: live.query(decided) == [(12,)], "all to have decided")
    live.hand("pause", names=names)
    entered = [name for name in names if live.at_exchange(name, "e")]
    assert len(entered) == 3
    for name in entered:
        live.until_protected(name)
    refused = f"SELECT failed_check, COUNT(*) FROM risk_decision WHERE bot_id IN ({ids}) AND outcome = 'REFUSED'"
    assert live.query(refused) == [("total_exposure", 9)]
