"""What a human does when books and exchange do not agree; afterwards the books verify, and say who did it and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal as D
from random import Random
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from execution.balances import booked_balances
from execution.by_hand import NotSoldByHand
from execution.models import AssetBalance, BotBook, CapitalChange, Order, Position, Trade
from execution.states import OrderStatus, PositionStatus
from execution.submit import Exit, decide_exit
from execution.verify import verify
from market.exchange import Balance, OutcomeUnknown, Transient
from market.orders import ReportStatus, Side, VenueOrder
from notifications.models import Event
from risk.exits import ExitReason
from tests.factories import make_account, make_bot, now_at
from tests.fakes import ScriptedExecutor, filled_at, raises, says
from tests.histories import History
from tradingplatform import wiring
from tradingplatform.acting import By
from tradingplatform.corrections import Unsettled, accept_balances, closed_by_hand, look

pytestmark = pytest.mark.django_db
BY = By("test", now_at(), "the truth")


@dataclass
class Desk:
    """An account at an exchange, as far as a correction looks at it."""

    free: dict[str, D]
    locked: dict[str, D] = field(default_factory=dict)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None
    down: bool = False

    def balances(self):
        if self.down:
            raise Transient("no balances now")
        self.meanwhile()
        return {asset: Balance(amount, self.locked.get(asset, D(0))) for asset, amount in self.free.items()}

    def find(self, symbol, client_order_id):
        return self.orders.get(client_order_id)


@pytest.fixture
def history():
    """Four bots, the first of which holds 0.00321 BTC bought at 60000."""
    made = History(Random(1))
    made.venue = ScriptedExecutor(filled_at("60000"))
    made.enter(made.bots[0])
    return made


def held(history):
    return Position.objects.get(bot=history.bots[0])


def untracked(account):
    return dict(AssetBalance.objects.filter(account=account).exclude(untracked=0).values_list("asset", "untracked"))


class TestAcceptingBalances:
    def test_quote_is_capital_and_the_rest_is_untracked(self, history):
        account, before = history.account, booked_balances(history.account.pk)
        there = {"USDT": before["USDT"] + D("12.5"), "BTC": D(0), "ETH": D("0.3"), "SHIB": D(1000)}
        found = accept_balances(account, there, BY)
        assert [(one.asset, one.difference) for one in found] == [
            ("BTC", -before["BTC"]),
            ("ETH", D("0.3")),
            ("USDT", D("12.5")),
        ]
        change = CapitalChange.objects.latest("pk")
        assert (change.kind, change.amount, change.reason) == ("DEPOSIT", D("12.5"), "the truth, by test")
        assert untracked(account) == {"BTC": -before["BTC"], "ETH": D("0.3")}
        assert {asset: amount for asset, amount in booked_balances(account.pk).items() if asset in there} == {
            asset: amount for asset, amount in there.items() if asset != "SHIB"
        }
        assert accept_balances(account, there, BY) == []
        assert verify(account).differences == []

    def test_the_audit_says_who_why_and_what(self, history):
        accept_balances(history.account, {**booked_balances(history.account.pk), "BTC": D(1)}, BY)
        event = Event.objects.get(kind="balances_accepted")
        assert event.payload == {
            "actor": "test",
            "reason": "the truth",
            "account": history.account.name,
            "changes": {"BTC": {"booked": "0.00321", "at_exchange": "1"}},
        }

    def test_more_gone_than_was_free_is_gone_all_the_same(self, history):
        accept_balances(history.account, {"USDT": D(0), "BTC": D("0.00321")}, BY)
        assert booked_balances(history.account.pk)["USDT"] == 0
        assert CapitalChange.objects.latest("pk").kind == "WITHDRAWAL"
        assert verify(history.account).differences == []

    def test_nothing_to_accept_leaves_no_trace(self, history):
        assert accept_balances(history.account, booked_balances(history.account.pk), BY) == []
        assert not Event.objects.filter(kind="balances_accepted").exists()

    def test_it_needs_a_reason(self, history):
        with pytest.raises(ValueError, match="for a reason"):
            accept_balances(history.account, {}, By("test", now_at(), "  "))

    def test_not_while_an_order_is_on_its_way(self, history):
        history.venue = ScriptedExecutor(raises(OutcomeUnknown("no answer")))
        history.enter(history.bots[1])
        with pytest.raises(Unsettled, match="is UNKNOWN"):
            accept_balances(history.account, {}, BY)
        assert CapitalChange.objects.count() == 1

    def test_not_when_a_fill_was_booked_since(self, history):
        seen = look(history.account, Desk({}, meanwhile=lambda: history.enter(history.bots[1])))
        with pytest.raises(Unsettled, match="since the balances were read"):
            accept_balances(history.account, seen.balances, BY, seen.last_trade)

    def test_not_while_a_resting_order_has_news(self, history):
        history.venue = ScriptedExecutor(says(ReportStatus.NEW))
        history.enter(history.bots[1])
        order = Order.objects.get(status=OrderStatus.ACKED)
        there = VenueOrder("ETH/USDT", str(order), "7", Side.BUY, ReportStatus.NEW, order.amount, D(0))
        desk = Desk({"ETH": D(1)}, {"ETH": D(2)}, {str(order): there})
        assert look(history.account, desk).balances == {"ETH": D(3)}
        desk.orders.clear()
        with pytest.raises(Unsettled, match="not as our books have it"):
            look(history.account, desk)


class TestSoldByHand:
    def test_it_is_an_exit_like_any_other(self, history):
        order = closed_by_hand(held(history), D(61000), BY)
        position = held(history)
        assert (position.status, position.exit_reason) == (PositionStatus.CLOSED, ExitReason.OPERATOR)
        assert (position.exit_price, position.quantity, position.dust) == (D(61000), 0, 0)
        assert str(order).endswith("-x1")
        assert (order.status, order.answer) == (OrderStatus.FILLED, "sold by hand at the exchange")
        trade = Trade.objects.get(order=order)
        assert (trade.trade_id, trade.fee, trade.fee_currency) == (f"hand-{position.pk}", 0, "USDT")
        assert booked_balances(history.account.pk)["BTC"] == 0
        assert BotBook.objects.get(bot=history.bots[0]).wins == 1
        assert verify(history.account).differences == []

    def test_its_events_are_an_exits_and_the_audit(self, history):
        last = Event.objects.latest("pk").pk
        closed_by_hand(held(history), D(61000), BY)
        kinds = list(Event.objects.filter(pk__gt=last).order_by("pk").values_list("kind", flat=True))
        assert kinds == ["order_placed", "order_filled", "position_closed", "closed_by_hand"]
        payload = Event.objects.latest("pk").payload
        assert (payload["actor"], payload["reason"], payload["price"]) == ("test", "the truth", "61000")

    def test_its_attempt_follows_the_platforms_own(self, history):
        history.venue = ScriptedExecutor(says(ReportStatus.REJECTED))
        history.slot += 1
        history.leave(history.bots[0])
        assert str(closed_by_hand(held(history), D(61000), BY)).endswith("-x2")
        assert verify(history.account).differences == []

    def test_the_bot_may_enter_again(self, history):
        closed_by_hand(held(history), D(61000), BY)
        history.slot += 1
        history.enter(history.bots[0])
        assert history.bots[0].positions.count() == 2

    def test_not_twice(self, history):
        position = held(history)
        closed_by_hand(position, D(61000), BY)
        with pytest.raises(NotSoldByHand, match="is CLOSED"):
            closed_by_hand(position, D(61000), BY)

    def test_not_while_an_order_may_still_fill(self, history):
        order = Order.objects.get()
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.PARTIAL, finished_at=None)
        with pytest.raises(NotSoldByHand, match="is PARTIAL"):
            closed_by_hand(held(history), D(61000), BY)
        assert held(history).status == PositionStatus.OPEN

    def test_what_waits_for_an_exit_that_cannot_be_sent_can_be_sold_by_hand_too(self, history):
        position = held(history)  # of a symbol that is not listed any more, say
        decide_exit(position, Exit(ExitReason.OPERATOR, "closed by test", D(60000)), None, now_at())
        closed_by_hand(position, D(61000), BY)
        position.refresh_from_db()
        assert (position.status, position.exit_price) == (PositionStatus.CLOSED, D(61000))
        assert verify(history.account).differences == []

    @pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
    def test_not_at_a_price_that_is_none(self, history, price):
        with pytest.raises(ValueError, match="price above 0"):
            closed_by_hand(held(history), D(price), BY)

    def test_it_needs_a_reason(self, history):
        with pytest.raises(ValueError, match="for a reason"):
            closed_by_hand(held(history), D(1), By("test", now_at()))

    def test_first_the_sale_then_the_rest(self, history):
        """0.00321 BTC sold by hand at 61000, of which the exchange took 0.2 as a fee."""
        there = {"USDT": booked_balances(history.account.pk)["USDT"] + D("195.81") - D("0.2")}
        closed_by_hand(held(history), D(61000), BY)
        assert [(one.asset, one.difference) for one in accept_balances(history.account, there, BY)] == [
            ("USDT", D("-0.2"))
        ]


class TestCommands:
    @pytest.fixture
    def desk(self, monkeypatch):
        desk = Desk({})
        monkeypatch.setattr(wiring, "platform", lambda: SimpleNamespace(desk=lambda account: desk))
        return desk

    def accept(self, account, *words):
        return call_command("accept_balances", account.name, "--reason", "because", *words)

    def test_accept_balances(self, history, desk, capsys):
        desk.free = {"USDT": booked_balances(history.account.pk)["USDT"], "BTC": D(1)}
        self.accept(history.account, "--dry-run")
        said = capsys.readouterr().out
        assert "BTC: the exchange has 1 BTC, our books 0.00321: 0.99679 more" in said
        assert "would be accepted; nothing was changed" in said
        assert untracked(history.account) == {}
        self.accept(history.account)
        assert "1 asset of account" in capsys.readouterr().out
        self.accept(history.account)
        assert "nothing to accept" in capsys.readouterr().out

    def test_accept_balances_when_the_exchange_does_not_answer(self, history, desk):
        desk.down = True
        with pytest.raises(CommandError, match="no balances now"):
            self.accept(history.account)
        with pytest.raises(CommandError, match="no account 'nobody'"):
            call_command("accept_balances", "nobody", "--reason", "because")

    def test_close_by_hand(self, history, capsys):
        words = (history.bots[0].name, "--reason", "because", "--price")
        with pytest.raises(CommandError, match="is not a number"):
            call_command("close_by_hand", *words, "much")
        call_command("close_by_hand", *words, "61000")
        assert "realised 3.19" in capsys.readouterr().out
        with pytest.raises(CommandError, match="holds no position"):
            call_command("close_by_hand", *words, "61000")
        with pytest.raises(CommandError, match="there is no bot"):
            call_command("close_by_hand", "nobody", "--reason", "because", "--price", "1")


def test_other_accounts_are_left_alone():
    mine, other = make_account(), make_account()
    make_bot(mine)
    accept_balances(mine, {"USDT": D(1), "BTC": D(1)}, BY)
    assert booked_balances(other.pk) == {"USDT": D(100000)}
