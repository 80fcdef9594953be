"""The hub and the connection by themselves, with their patience made short: what lasts minutes in a browser."""

import pytest
from playwright.sync_api import expect

from tests.live_pages.console import LIVE, until_live

pytestmark = pytest.mark.process

URLS = '{ stream: "/events/stream", mayListen: "/events/may-listen" }'


@pytest.fixture
def page(person):
    page = person.log_in("ann-by-form", LIVE)
    until_live(page)
    return page


def test_a_silent_connection_is_opened_anew_and_goes_on_where_it_was(page, console):
    """Nobody closed it, nothing comes: as when a laptop slept, or a router forgot it."""
    console.say("events", texts=["before"])
    page.evaluate(
        f"""() => {{
            Live.Connection.SILENT_MS = 700;
            globalThis.heard = {{ states: [], numbers: [] }};
            globalThis.mine = new Live.Connection({URLS}, {{
                event: (event) => heard.numbers.push(event.seq),
                session: () => {{}},
                state: (state) => heard.states.push(state.name),
            }});
            mine.open(0);
        }}"""
    )
    page.wait_for_function("heard.states.filter((name) => name === 'live').length >= 2")
    last = console.say("events", texts=["after"])
    page.wait_for_function(f"heard.numbers.at(-1) === {last}")
    page.evaluate("mine.close()")
    heard = page.evaluate("heard")
    assert heard["states"][:4] == ["connecting", "live", "reconnecting", "live"]
    assert heard["numbers"] == list(range(1, last + 1))


def test_a_page_that_answers_no_more_is_forgotten_and_the_connection_closed(page, console):
    page.evaluate(
        f"""() => {{
            Live.Hub.PING_MS = 200;
            globalThis.hub = new Live.Hub({URLS});
            const {{ port1, port2 }} = new MessageChannel();
            hub.join(port1);
            const {{ session }} = document.querySelector("script[data-session]").dataset;
            globalThis.ask = () => port2.postMessage({{ type: "subscribe", id: "1", wish: {{}}, after: 0, session }});
            ask();
        }}"""
    )
    page.wait_for_function("hub.connection.state.name === 'live'")
    page.wait_for_function("hub.pages.size === 0 && hub.connection.state.name === 'closed'")
    console.until_clients(1)
    page.evaluate("ask()")
    page.wait_for_function("hub.pages.size === 1 && hub.connection.state.name === 'live'")  # it was only frozen


def test_a_page_of_another_login_is_told_so_and_given_nothing(page, console):
    console.say("events", texts=["not for everybody"])
    page.evaluate(
        f"""() => {{
            globalThis.told = [];
            const hub = new Live.Hub({URLS});
            const {{ port1, port2 }} = new MessageChannel();
            port2.onmessage = ({{ data }}) => told.push(data.type === "state" ? data.state.name : data.type);
            hub.join(port1);
            port2.postMessage({{ type: "subscribe", id: "1", wish: {{}}, after: 0, session: "another" }});
        }}"""
    )
    page.wait_for_function("told.includes('signed_out')")
    page.wait_for_timeout(500)
    assert "events" not in page.evaluate("told")


def test_a_wish(page):
    event = "{kind: 'a', severity: 'INFO', bot_id: 1}"
    wishes = {
        "{}": True,
        "{kinds: [], severities: [], bots: []}": True,
        "{kinds: ['b', 'a']}": True,
        "{kinds: ['b']}": False,
        "{bots: [2]}": False,
        "{bots: [1], severities: ['INFO']}": True,
        "{bots: [1], severities: ['CRITICAL']}": False,
    }
    assert {wish: page.evaluate(f"Live.accepts({wish}, {event})") for wish in wishes} == wishes
    assert page.evaluate("Live.accepts({bots: [1]}, {kind: 'a', severity: 'INFO', bot_id: null})") is False


def test_without_scripts_the_page_shows_its_rows_and_filters_by_a_button(browser, console, page):
    console.say("events", texts=["quiet"])
    console.say("events", texts=["loud"], severity="CRITICAL")
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(f"{console.url}{LIVE}?least=CRITICAL")
    rows = plain.locator("#feed tbody tr")
    assert rows.locator("[data-cell=severity]").all_inner_texts() == ["Critical"] * rows.count()
    expect(rows.first).to_contain_text("loud")
    context.close()
