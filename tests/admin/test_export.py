"""The export: exactly what is filtered, harmless in a spreadsheet, in parts, and remembered."""

import asyncio
import csv
import io
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal as D

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.test import AsyncClient, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from execution.models import Trade
from notifications.models import AuditEntry, Event
from tests.admin.trading_rows import NOW, a_closed_position, a_decision, a_trade, an_order
from tests.factories import make_bot
from tradingplatform.console import export
from tradingplatform.csv_cells import FORMULA_BEGINS, cell, lines

pytestmark = pytest.mark.django_db


def address(app="execution", model="trade", query=""):
    return reverse("console_export", args=[app, model]) + query


def text_of(answer):
    return b"".join(answer.streaming_content).decode()


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(text_of(answer), newline="")))


def event(text, **changes):
    return Event.objects.create(kind="k", text=text, market_at=NOW.market_at, wall_at=NOW.wall_at, **changes)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("", ""),
        (True, "yes"),
        (False, "no"),
        (-5, "-5"),
        (D("-0.000000010"), "-0.00000001"),
        (D("1E+3"), "1000"),
        (D("1234567890.12345678"), "1234567890.12345678"),
        (datetime(2024, 3, 9, 16, 0, 1, 5, tzinfo=UTC), "2024-03-09T16:00:01.000005Z"),
        (datetime(2024, 3, 9, 17, tzinfo=timezone(timedelta(hours=1))), "2024-03-09T16:00:00Z"),
        ("BTC/USDT", "BTC/USDT"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ({"a": "1.10"}, '{"a": "1.10"}'),
        (["ä"], '["ä"]'),
    ],
    ids=repr,
)
def test_a_value_as_a_cell(value, shown):
    assert cell(value) == shown


@given(st.lists(st.lists(st.text(), min_size=1), min_size=1))
def test_every_text_comes_back_and_none_is_a_formula(rows):
    read = list(csv.reader(io.StringIO(lines(rows), newline="")))
    assert len(read) == len(rows)
    for found, given_row in zip(read, rows, strict=True):
        assert not [text for text in found if text.startswith(FORMULA_BEGINS)]
        assert [text.removeprefix("'") for text in found] == [text.removeprefix("'") for text in given_row]


def test_a_trade_as_a_line_exactly(operator):
    bot = make_bot(name="btc-bot", strategy="ema_cross")
    order = an_order(a_closed_position(bot), client_order_id="c-1", exchange_order_id="7")
    trade = a_trade(order, trade_id="t-1", price=D("60000.10"), amount=D("0.00012340"), fee=D("0.0000001"))
    answer = operator.post(address())
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="trade-2')
    assert "no-store" in answer["Cache-Control"]
    assert text_of(answer) == (
        'trade,"executed at (market time, UTC)",account,mode,bot,strategy,purpose,side,symbol,quote currency,'
        "amount (base),price (quote),fee (fee currency),fee currency,fee rate (quote per fee currency),"
        "cash change (quote),trade id,client order id,exchange order id,order,position\r\n"
        f"{trade.pk},2024-03-09T16:00:01Z,{bot.account.name},PAPER,btc-bot,ema_cross,ENTRY,BUY,BTC/USDT,USDT,"
        f"0.0001234,60000.1,0.0000001,USDT,,-100.1,t-1,c-1,7,{order.pk},{order.position_id}\r\n"
    )


def test_only_what_is_filtered_newest_first(operator):
    bots = [make_bot(), make_bot()]
    for bot in bots:
        order = an_order(a_closed_position(bot))
        for hours in (0, 24):
            a_trade(order, executed_at=NOW.market_at + timedelta(hours=hours))
    wanted = list(Trade.objects.filter(order__bot=bots[0]).order_by("-pk").values_list("pk", flat=True))
    found = rows_of(operator.post(address(query=f"?order__bot__id__exact={bots[0].pk}&p=1")))
    assert [int(row["trade"]) for row in found] == wanted
    found = rows_of(operator.post(address(query=f"?q={bots[0].name}&executed_at_to=2024-03-09")))
    assert [int(row["trade"]) for row in found] == wanted[1:]


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 7, 8])
def test_parts_make_up_the_whole(operator, monkeypatch, at_a_time):
    monkeypatch.setattr(export, "AT_A_TIME", at_a_time)
    made = [str(event(f"e{n}").text) for n in range(7)]
    answer = operator.post(address("notifications", "event"))
    later = event("came while it was being read")
    with CaptureQueriesContext(connection) as queries:
        found = [row["text"] for row in rows_of(answer)]
    assert found == made[::-1]
    assert later.text not in found
    assert len(queries) == 7 // at_a_time + 1, "a query per part"


@pytest.mark.django_db(transaction=True)
def test_a_server_of_async_requests_sends_it_part_by_part(monkeypatch):
    monkeypatch.setattr(export, "AT_A_TIME", 2)
    for n in range(5):
        event(f"e{n}")
    user = User.objects.create_superuser("operator")

    async def read():
        client = AsyncClient()
        await client.aforce_login(user)
        answer = await client.post(address("notifications", "event"))
        parts = [part.decode() async for part in answer.streaming_content]
        await sync_to_async(connections.close_all)()
        return answer, parts

    answer, (heading, *parts) = asyncio.run(read())
    assert answer.is_async
    assert heading.startswith("number,")
    assert [re.findall("e[0-9]", part) for part in parts] == [["e4", "e3"], ["e2", "e1"], ["e0"]]


def test_free_text_is_no_formula_and_json_is_whole(operator):
    event('=HYPERLINK("http://evil","x")', payload={"price": "1.10", "note": 'a "quoted", one\nin two lines'})
    a_decision(make_bot(), checks=[{"name": "max_position", "passed": True}], reason="-1 is below")
    (row,) = rows_of(operator.post(address("notifications", "event")))
    assert row["text"] == '\'=HYPERLINK("http://evil","x")'
    assert row["payload (JSON)"] == '{"note": "a \\"quoted\\", one\\nin two lines", "price": "1.10"}' or (
        row["payload (JSON)"] == '{"price": "1.10", "note": "a \\"quoted\\", one\\nin two lines"}'
    )
    (row,) = rows_of(operator.post(address("risk", "decision")))
    assert row["reason"] == "'-1 is below"
    assert row["checks (JSON)"] == '[{"name": "max_position", "passed": true}]'


def test_an_export_is_in_the_audit_trail(operator):
    event("a")
    event("b")
    answer = operator.post(address("notifications", "event", "?q=a&kind__exact="))
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.address, entry.action, entry.subject) == ("operator", "127.0.0.1", "export", "events")
    assert entry.after == {"rows": 1, "filters": {"q": "a"}}
    assert len(rows_of(answer)) == 1


def test_too_many_rows_are_refused_and_nothing_is_cut_off_silently(operator, monkeypatch):
    monkeypatch.setattr(export, "MOST_ROWS", 2)
    for n in range(3):
        event(f"e{n}")
    answer = operator.post(address("notifications", "event", "?q=e"), follow=True)
    assert answer.redirect_chain == [(reverse("admin:notifications_event_changelist") + "?q=e", 302)]
    assert "Nothing was exported: there are more than 2 rows" in answer.content.decode()
    assert not AuditEntry.objects.exists()
    Event.objects.earliest("pk").delete()
    assert len(rows_of(operator.post(address("notifications", "event")))) == 2


def test_filters_that_cannot_be_read_export_nothing(operator):
    event("a")
    answer = operator.post(address("notifications", "event", "?market_at_from=x"), follow=True)
    assert "Nothing was exported: &#x27;from&#x27; &#x27;x&#x27; is not a day" in answer.content.decode()
    assert operator.post(address("notifications", "event", "?severity__gte__x=1")).status_code == 400
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("app", "model"), [("bots", "bot"), ("auth", "user"), ("execution", "nothing"), ("execution", "portfolio")]
)
def test_what_has_no_export_is_not_found(operator, app, model):
    assert operator.post(address(app, model)).status_code == 404


def test_it_is_asked_for_by_a_form_alone(operator):
    assert operator.get(address()).status_code == 405
    operator.handler.enforce_csrf_checks = True
    assert operator.post(address()).status_code == 403
    assert not AuditEntry.objects.exists()


def viewer(*codenames):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.mark.parametrize(
    ("who", "page", "taken"),
    [
        (None, 302, 302),
        (lambda: User.objects.create_user("guest"), 302, 302),
        (viewer, 403, 403),
        (lambda: viewer("view_event"), 403, 403),
        (lambda: viewer("view_trade"), 200, 200),
        (lambda: User.objects.create_superuser("boss"), 200, 200),
    ],
    ids=["anonymous", "no staff", "staff without a right", "may see others", "may see them", "operator"],
)
def test_who_may_see_a_list_may_take_it(client, who, page, taken):
    a_trade(an_order(a_closed_position(make_bot())))
    if who is not None:
        client.force_login(who())
    assert client.get(reverse("admin:execution_trade_changelist")).status_code == page
    assert client.post(address()).status_code == taken
    assert AuditEntry.objects.count() == (taken == 200)


def test_a_request_of_wsgi_is_answered_by_a_plain_iterator():
    answer = export._answer(RequestFactory().post("/"), "x.csv", Event.objects.none(), (("text", "text"),))
    assert not answer.is_async
