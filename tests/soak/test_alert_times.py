"""Which message told which event of a fill, and how long that took."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from soak.alert_times import Arrivals, Filled, Key, Message, Period, arrivals, delays, key_of, most_in, row
from tradingplatform.telegram_texts import Alert, alert_text

AT = datetime(2026, 5, 14, 12, 7, 3, 500_000, tzinfo=UTC)
SECOND = "2026-05-14 12:07:03"
ORDER = {"purpose": "STOP", "side": "SELL", "symbol": "ETH/USDT", "filled": "1", "amount": "1", "reason": "the stop"}
POSITION = {"symbol": "ETH/USDT", "quantity": "1", "entry_price": "10", "exit_price": "11", "stop_price": "9"}


def text(kind, payload, bot="bot-1"):
    alert = Alert(kind, "INFO", f"{bot}: it happened", AT, payload, bot, cost=Decimal(10), exit_text="the target")
    return alert_text(alert)


@pytest.mark.parametrize(
    ("kind", "payload", "purpose"),
    [
        ("order_filled", ORDER, "stop"),
        ("position_opened", POSITION, ""),
        ("position_closed", {**POSITION, "realised": "1.5"}, ""),
        ("position_closed", {**POSITION, "realised": "-1.5"}, ""),
        ("position_closed", {**POSITION, "realised": "0"}, ""),
    ],
    ids=["order", "opened", "won", "lost", "even"],
)
def test_an_alert_shows_what_it_tells(kind, payload, purpose):
    assert key_of(text(kind, payload)) == Key(kind, purpose, "bot-1", SECOND)
    assert key_of(f"<i>(again)</i>\n{text(kind, payload)}") == Key(kind, purpose, "bot-1", SECOND)


def test_other_alerts_tell_of_no_fill():
    assert key_of(text("halt_raised", {"cause": "drawdown"})) is None
    assert key_of(text("order_partly_filled", ORDER)) is None


def filled(seq, bot="bot-1", booked_s=0.0, executed_s=0.0):
    return Filled(seq, "position_opened", bot, SECOND, "", booked_s, executed_s)


def bought(*bots):
    return "\n\n".join(text("position_opened", POSITION, bot) for bot in bots)


def test_events_arrive_once_in_order():
    events = [filled(1), filled(2), filled(3, "bot-2")]
    found = arrivals(events, [Message(bought("bot-1"), 5.0), Message(bought("bot-1", "bot-2"), 6.0)])

    assert found.at_s == {1: 5.0, 2: 6.0, 3: 6.0}
    assert (found.twice, found.overtaken, found.unknown) == (0, 0, 0)


def test_what_comes_again_too_late_or_from_nowhere_is_counted():
    events = [filled(1), filled(2, "bot-2")]
    found = arrivals(events, [Message(bought(bot), 5.0) for bot in ("bot-2", "bot-1", "bot-2", "bot-3")])

    assert (found.twice, found.overtaken, found.unknown) == (1, 1, 1)


def test_delays_by_the_period_that_an_alert_waited_in():
    periods = [Period("trouble", 10, 20, excused=True), Period("before", 0, 15), Period("after", 15, 99)]
    events = [filled(1, booked_s=1, executed_s=0.5), filled(2, booked_s=9), filled(3, booked_s=21)]
    at_s = {1: 2.0, 2: 12.0, 3: 22.0}

    assert delays(events, at_s, periods, executed=False) == {"trouble": [3.0], "before": [1.0], "after": [1.0]}
    assert delays(events, at_s, periods, executed=True)["before"] == [1.5]


def test_the_most_messages_within_a_time():
    messages = [Message("", at_s) for at_s in (0.0, 0.1, 0.2, 5.0, 5.5, 70.0)]
    assert (most_in(messages, 1), most_in(messages, 60), most_in([], 1)) == (3, 5, 0)


def test_a_row_of_the_table():
    assert row([0.5] * 99 + [4.0]).split() == ["100", "0.50", "4.00", "4.00"]
    assert row([]).split() == ["0"]


def test_a_receiver_that_gets_one_twice():
    found = Arrivals()
    for seq in (1, 2, 2, 1, 3):
        found.took(seq, float(seq))
    assert (found.at_s, found.twice, found.overtaken) == ({1: 1.0, 2: 2.0, 3: 3.0}, 2, 0)
