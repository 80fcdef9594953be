"""What the two pages show: the rows of the moment and the live ones alike, as text, filtered, and no more than that."""

import re

import pytest
from playwright.sync_api import expect

from tests.live_pages.console import LIVE, RISK, texts, until_live

pytestmark = pytest.mark.process

HTML = "<img src=x onerror=\"document.title='injected'\"><b>bold</b>"


def first_row(page):
    return page.locator("#feed tbody tr").first


def cell(row, name):
    return row.locator(f"[data-cell={name}]")


def test_what_an_event_and_a_bot_are_called_is_text_and_never_markup(person, console):
    bot = console.say("bot", name="to-be-renamed")
    console.say("rename", name="to-be-renamed", to=HTML)
    said = {"kind": "risk_refused", "bot_id": bot, "payload": {"check": HTML, "limit": HTML, "value": HTML}}
    console.say("events", texts=[f"rendered {HTML}"], **said)
    for page in (person.log_in("ann-by-form", RISK), person.open(LIVE)):
        until_live(page)
        rendered = first_row(page).inner_text()
        console.say("events", texts=[f"live {HTML}"], **said)
        expect(first_row(page)).to_contain_text("live <img")

        expect(cell(first_row(page), "bot")).to_have_text(HTML)
        assert rendered.count("<img") == first_row(page).inner_text().count("<img") == (5 if "risk" in page.url else 2)
        assert page.locator("#feed tbody :is(img, b)").count() == 0
        assert page.title() != "injected"


def test_a_live_row_is_as_a_rendered_one(person, console):
    """Whatever the markup, a look at the page anew shows the same."""
    bot = console.say("bot", name="alike")
    page = person.log_in("ann-by-form", RISK)
    until_live(page)
    refused = {"check": "drawdown", "limit": "0.2", "value": "-0.20399999"}
    console.say("events", texts=["refused"], kind="risk_refused", severity="WARNING", bot_id=bot, payload=refused)
    console.say("events", texts=["changed"], kind="limit_changed", payload={"limit": "cap", "from": "1", "to": "2"})
    console.say("events", texts=["halted"], kind="halt_raised", severity="CRITICAL", payload={"cause": "operator"})
    console.say("events", texts=["of no bot and no figures"], kind="checked_in")
    expect(first_row(page)).to_contain_text("of no bot")

    live = rows_of(page)
    page.reload()

    assert live == rows_of(page)
    assert ["Warning", "alike", "risk_refused", "drawdown", "0.2", "-0.2039…", "refused"] in live
    assert ["Info", "", "limit_changed", "cap", "2", "", "changed"] in live


def rows_of(page):
    names = ("severity", "bot", "kind", "check", "limit", "value", "text")
    return [[cell(row, name).inner_text() for name in names] for row in page.locator("#feed tbody tr").all()[:4]]


def test_filters_hold_for_the_rows_that_are_there_and_for_live_ones(person, console):
    one, two = console.say("bot", name="one"), console.say("bot", name="two")
    for bot, severity in ((one, "INFO"), (one, "CRITICAL"), (two, "WARNING")):
        console.say("events", texts=[f"old {severity}"], severity=severity, bot_id=bot, kind="filtered")
    page = person.log_in("ann-by-form")
    until_live(page)

    page.select_option("#feed-kind", "filtered")
    expect(page.locator("#feed tbody tr:visible")).to_have_count(3)
    page.select_option("#feed-bot", str(one))
    expect(page.locator("#feed tbody tr:visible")).to_have_count(2)
    page.select_option("#feed-least", "WARNING")
    expect(page.locator("#feed tbody tr:visible")).to_have_count(1)
    assert texts(page) == ["old CRITICAL"]

    console.say("events", texts=["of another kind"], severity="CRITICAL", bot_id=one)
    console.say("events", texts=["of another bot"], severity="CRITICAL", bot_id=two, kind="filtered")
    console.say("events", texts=["too quiet"], bot_id=one, kind="filtered")
    console.say("events", texts=["wanted"], severity="WARNING", bot_id=one, kind="filtered")
    expect(first_row(page)).to_contain_text("wanted")
    assert texts(page) == ["wanted", "old CRITICAL"]

    page.reload()  # the choice is in the address
    assert texts(page) == ["wanted", "old CRITICAL"]
    page.select_option("#feed-bot", "")
    expect(page.locator("#feed tbody tr:visible")).to_have_count(4)
    assert texts(page) == ["wanted", "of another bot", "old WARNING", "old CRITICAL"]
    console.until_clients(1)


def test_filters_hold_while_the_server_is_away(person, console):
    console.say("events", texts=["loud"], severity="CRITICAL")
    page = person.log_in("ann-by-form")
    until_live(page)
    console.stop()
    page.select_option("#feed-least", "CRITICAL")
    expect(page.locator("#feed tbody tr:visible [data-cell=severity]").first).to_have_text("Critical")
    assert page.locator("#feed tbody tr[data-severity=INFO]:visible").count() == 0
    console.serve()
    until_live(page)
    console.say("events", texts=["louder"], severity="CRITICAL")
    expect(first_row(page)).to_contain_text("louder")


def test_the_risk_page_shows_risk_and_what_is_new_since_one_looked(person, console):
    person.log_in("ann-by-form", RISK).close()
    console.say("events", texts=["no risk"], kind="signal")
    console.say("events", texts=["refused", "refused again"], kind="risk_refused")

    page = person.open(RISK)
    expect(page.locator(".feed-lead")).to_contain_text("2 new since you looked")
    expect(page.locator("#feed tbody tr.feed-new")).to_have_count(2)
    until_live(page)
    console.say("events", texts=["no risk either"], kind="signal")
    console.say("events", texts=["over"], kind="halt_cleared")
    expect(first_row(page)).to_contain_text("over")
    assert texts(page)[:3] == ["over", "refused again", "refused"]
    page.reload()
    expect(page.locator(".feed-lead")).to_contain_text("1 new since you looked")
    page.reload()
    expect(page.locator(".feed-lead")).to_contain_text("Nothing new since you looked")


def test_it_waits_while_it_is_paused_or_pointed_at_and_shows_all_then(person, console):
    page = person.log_in("ann-by-form")
    until_live(page)
    pause = page.get_by_role("button", name=re.compile("Pause|Resume"))
    pause.focus()
    page.keyboard.press("Enter")
    expect(pause).to_have_attribute("aria-pressed", "true")
    console.say("events", texts=["one", "two"])
    expect(pause).to_have_text("Resume (2 waiting)")
    assert "two" not in texts(page)
    page.keyboard.press("Enter")
    assert texts(page)[:2] == ["two", "one"]

    page.locator(".feed-box").hover()
    console.say("events", texts=["three"])
    expect(pause).to_have_text("Pause (1 waiting)")
    page.mouse.move(0, 0)
    expect(first_row(page)).to_contain_text("three")


def test_it_keeps_a_bounded_number_of_rows(person, console):
    page = person.log_in("ann-by-form")
    until_live(page)
    console.say("events", texts=[f"many {number}" for number in range(620)])
    expect(first_row(page)).to_contain_text("many 619")
    assert texts(page) == [f"many {number}" for number in range(619, 119, -1)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [LIVE, RISK], ids=["live", "risk"])
def test_a_phone_shows_it_without_scrolling_sideways(person, console, path, scheme):
    bot = console.say("bot", name=f"a-bot-with-a-name-as-long-as-names-may-be-{path.split('/')[-2]}-{scheme}")
    figures = {"check": "max_position", "limit": "5000", "value": "x" * 60}
    console.say("events", texts=["a long word " + "w" * 80], bot_id=bot, kind="risk_refused", payload=figures)
    page = person.log_in("ann-by-form", path)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)
    until_live(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    shown = "[...document.querySelectorAll('#feed tbody [data-cell], .feed-bar *')]"
    assert page.evaluate(f"{shown}.every(part => part.getBoundingClientRect().right <= 360)")
    expect(page.get_by_role("button", name="Pause")).to_be_in_viewport()
