"""What an alert says: by kind, escaped, with the figures of its position; and which kinds are told at all."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from execution.announce import position_changed
from execution.models import Order, Purpose
from execution.states import OrderStatus, PositionStatus
from market.orders import OrderType, Side
from notifications.models import Event, Severity
from notifications.telegram.markup import cut
from risk.models import Decision
from tests.factories import make_bot, make_position, now_at
from tests.notifications.test_telegram_markup import WellFormed
from tradingplatform.telegram_alerts import Composer
from tradingplatform.telegram_kinds import Volume, read_volumes, volume
from tradingplatform.telegram_texts import Alert, alert_text

NOW = now_at()
ALL = Composer("INFO", {})


def closed_position(realised="12.5", **changes):
    """A position with its entry order, just closed; its event."""
    bot = make_bot(name="btc-<b>", symbol="BTC/USDT")
    values = {
        "status": PositionStatus.CLOSED, "quantity": Decimal(0), "realised": Decimal(realised), "fees": Decimal("0.5"),
        "entry_price": Decimal(100), "exit_price": Decimal(105), "exit_reason": "TARGET",
        "exit_text": "target <110> reached & sold", "closed_at": NOW.market_at,
        "opened_at": NOW.market_at - timedelta(hours=5),
    }  # fmt: skip
    position = make_position(bot, NOW.market_at, **{**values, **changes})
    decision = Decision.objects.create(
        bot=bot,
        slot=1,
        outcome="APPROVED",
        reason="",
        bot_status="RUNNING",
        market_at=NOW.market_at,
        wall_at=NOW.wall_at,
    )
    Order.objects.create(
        account=bot.account, bot=bot, position=position, decision=decision, client_order_id="x", purpose=Purpose.ENTRY,
        symbol=bot.symbol, side=Side.BUY, type=OrderType.MARKET, amount=Decimal(10), reference_price=Decimal(100),
        status=OrderStatus.FILLED, filled=Decimal(10), filled_cost=Decimal(1000), market_at=NOW.market_at,
        prepared_at=NOW.wall_at,
    )  # fmt: skip
    with transaction.atomic():
        position_changed(position, PositionStatus.CLOSING, NOW)
    return Event.objects.latest("pk")


@pytest.mark.django_db
def test_a_closed_position_tells_profit_share_duration_and_reason():
    note = ALL(closed_position())

    lines = note.html.split("\n")
    assert lines[0] == "<b>Profit +12.50 USDT (+1.25 %) on BTC/USDT</b>"
    assert lines[1:6] == [
        "bot btc-&lt;b&gt;",
        "1,000 USDT of BTC, 100 to 105",
        "fees 0.5 USDT, inside the profit",
        "held 5 h",
        "target: target &lt;110&gt; reached &amp; sold",
    ]
    assert not note.silent


@pytest.mark.django_db
def test_a_loss_is_called_one():
    assert ALL(closed_position("-7")).html.startswith("<b>Loss -7.00 USDT (-0.7 %) on BTC/USDT</b>")


@pytest.mark.django_db
def test_an_event_whose_position_is_gone_is_told_all_the_same():
    event = closed_position()
    for payload in ({}, {"position": "x"}, {"position": "99999999999999999999"}, {"realised": "NaN"}, []):
        event.payload = payload
        assert "BTC/USDT" in ALL(event).html or "btc-" in ALL(event).html


@example("position_closed", "INFO", "", {"realised": 1e40}, Decimal("1E-8"))
@given(
    kind=st.sampled_from(
        ["position_opened", "position_closed", "order_rejected", "order_unknown", "halt_raised", "dead_man_warning",
         "dead_man_critical", "dead_man_triggered", "dead_man_still_triggered", "stale_candles", "never_heard_of", ""]
    ),
    severity=st.sampled_from(Severity.values),
    text=st.text(max_size=500),
    payload=st.dictionaries(
        st.sampled_from(["symbol", "realised", "quantity", "reason", "answer", "limit", "value", "cause", "side"]),
        st.one_of(st.none(), st.text(max_size=80), st.integers(), st.floats(), st.lists(st.integers(), max_size=2)),
    ),
    cost=st.none() | st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**9, places=8),
)  # fmt: skip
def test_any_event_gives_a_message_that_telegram_takes(kind, severity, text, payload, cost):
    html = alert_text(Alert(kind, severity, text, NOW.market_at, payload, "bot", cost))
    WellFormed(cut(html))
    if kind not in ("position_opened", "position_closed") and text.isprintable() and not kind.startswith("order"):
        assert text in WellFormed(html).text


def test_an_unknown_kind_tells_all_that_its_event_says():
    alert = Alert("new_thing", "WARNING", "It happened", NOW.market_at, {"reason": "<because>"}, "bot-7")
    assert alert_text(alert).split("\n")[:4] == [
        "⚠️ <b>New thing</b>", "It happened", "bot bot-7", "because: &lt;because&gt;",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "severity", "least", "chosen", "told"),
    [
        ("signal", "INFO", "INFO", {}, Volume.OFF),
        ("signal", "INFO", "INFO", {"signal": Volume.ON}, Volume.ON),
        ("position_closed", "INFO", "INFO", {}, Volume.ON),
        ("position_closed", "INFO", "WARNING", {}, Volume.OFF),
        ("position_closed", "INFO", "WARNING", {"position_closed": Volume.SILENT}, Volume.SILENT),
        ("new_thing", "INFO", "INFO", {}, Volume.SILENT),
        ("new_thing", "WARNING", "INFO", {}, Volume.ON),
        ("order_canceled", "CRITICAL", "CRITICAL", {}, Volume.ON),
        ("halt_raised", "CRITICAL", "INFO", {"halt_raised": Volume.OFF}, Volume.OFF),
    ],
    ids=range(9),
)
def test_how_loud(kind, severity, least, chosen, told):
    assert volume(kind, severity, least, chosen) is told


def test_volumes_are_read_strictly():
    chosen = {"signal": Volume.ON, "halt_raised": Volume.SILENT, "stale_candles_ended": Volume.OFF}
    assert read_volumes("signal=on, halt_raised=silent stale_candles_ended=off") == chosen
    for wrong in ("signal", "signal=loud", "=on", "signal=ON"):
        with pytest.raises(ValueError, match="KIND=on"):
            read_volumes(wrong)
    with pytest.raises(ValueError, match="no kind of event 'position_openned': perhaps position_opened"):
        read_volumes("position_openned=off")
