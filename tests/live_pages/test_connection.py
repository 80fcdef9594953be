"""However many tabs: one connection, which loses nothing and never claims to be live when it is not."""

import pytest
from playwright.sync_api import expect

from tests.live_pages.console import LIVE, RISK, state, texts, until_live

pytestmark = pytest.mark.process


def numbered(first, last):
    return [f"event {number}" for number in range(first, last)]


def test_eight_tabs_are_one_connection_and_all_of_them_are_told(person, console):
    """More than the six connections that a browser has for a site."""
    tabs = [person.log_in("ann-by-form"), *(person.open() for _ in range(6)), person.open(RISK)]
    for tab in tabs:
        until_live(tab)
    console.until_clients(1)

    console.say("events", texts=["to all of them"], kind="halt_raised")

    for tab in tabs:
        expect(tab.locator("#feed tbody tr").first).to_contain_text("to all of them")
    *most, away, last = tabs
    for tab in most:
        tab.close()
    away.goto(f"{console.url}/admin/")
    console.until_clients(1)
    last.close()
    console.until_clients(0)


def test_when_the_server_is_started_anew_every_tab_goes_on_without_a_gap(person, console):
    tabs = [person.log_in("ann-by-form"), person.open(), person.open()]
    for tab in tabs:
        until_live(tab)
    console.say("events", texts=numbered(0, 5))

    console.stop()
    for tab in tabs:
        expect(state(tab)).to_contain_text("may be old")
        expect(tab.locator("#feed")).to_have_class("feed feed-stale")
    console.say("events", texts=numbered(5, 40))
    console.serve()

    for tab in tabs:
        until_live(tab)
        expect(tab.locator("#feed tbody tr").first).to_contain_text("event 39")
        assert texts(tab)[:40] == numbered(0, 40)[::-1]
    console.until_clients(1)


def test_a_tab_that_was_opened_earlier_is_given_what_the_others_had(person, console):
    first = person.log_in("ann-by-form")
    until_live(first)
    late = person.context.new_page()
    late.route("**/live/live.js*", lambda route: (console.say("events", texts=["in between"]), route.continue_()))
    late.goto(f"{console.url}{LIVE}")
    for tab in (first, late):
        expect(tab.locator("#feed tbody tr").first).to_contain_text("in between")
        assert texts(tab).count("in between") == 1
    console.until_clients(1)


def test_who_logs_out_in_one_tab_is_told_so_in_all_and_nobody_connects_again(person, console):
    tabs = [person.log_in("ann-by-form"), person.open(), person.open(RISK)]
    for tab in tabs:
        until_live(tab)

    log_out(person)

    for tab in tabs:
        expect(state(tab)).to_contain_text("Signed out")
    console.until_clients(0)
    console.say("events", texts=["not for them"])
    tabs[0].wait_for_timeout(1_500)
    assert console.clients() == 0
    assert all("not for them" not in texts(tab) for tab in tabs)


def test_another_login_gets_a_connection_of_its_own_and_the_old_tabs_nothing_of_it(person, console):
    old = person.log_in("ann-by-form")
    until_live(old)
    log_out(person)
    expect(state(old)).to_contain_text("Signed out")

    new = person.log_in("ben-by-form")
    until_live(new)
    console.say("events", texts=["for ben"])

    expect(new.locator("#feed tbody tr").first).to_contain_text("for ben")
    expect(state(old)).to_contain_text("Signed out")
    assert "for ben" not in texts(old)
    console.until_clients(1)
    old.get_by_role("link", name="Log in again").click()
    until_live(old)
    assert texts(old)[0] == "for ben"
    console.until_clients(1)


def test_a_login_that_changes_under_a_living_connection_is_noticed(person, console):
    """Nobody said good-bye: the cookie of somebody else is there, and the tab of before is not to see his events."""
    old = person.log_in("ann-by-form")
    until_live(old)
    person.context.clear_cookies()
    new = person.log_in("ben-by-form")
    until_live(new)
    expect(state(old)).to_contain_text("Signed out")
    console.until_clients(1)


def log_out(person):
    tab = person.open("/admin/")
    tab.evaluate("document.querySelector('form[action$=\"/logout/\"]').submit()")
    tab.wait_for_url("**/admin/logout/")
    tab.close()


def test_where_there_are_no_shared_workers_a_page_connects_itself_while_it_is_seen(person, console):
    person.context.add_init_script("delete globalThis.SharedWorker")
    tabs = [person.log_in("ann-by-form"), person.open()]
    for tab in tabs:
        until_live(tab)
    console.until_clients(2)

    show(tabs[0], hidden=True)
    console.until_clients(1)
    console.say("events", texts=["while it was hidden"])
    expect(tabs[1].locator("#feed tbody tr").first).to_contain_text("while it was hidden")
    show(tabs[0], hidden=False)

    expect(tabs[0].locator("#feed tbody tr").first).to_contain_text("while it was hidden")
    console.until_clients(2)


def show(tab, hidden):
    tab.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_worker_whose_file_is_gone_is_done_without(person, console):
    person.context.route("**/live/worker.js*", lambda route: route.fulfill(status=404))
    until_live(person.log_in("ann-by-form"))
    console.until_clients(1)


def test_a_tab_that_is_busy_keeps_no_other_waiting(person, console):
    busy, other = person.log_in("ann-by-form"), person.open()
    for tab in (busy, other):
        until_live(tab)
    busy.evaluate("setTimeout(() => { const end = Date.now() + 6000; while (Date.now() < end); })")

    console.say("events", texts=numbered(0, 50))

    expect(other.locator("#feed tbody tr").first).to_contain_text("event 49", timeout=4_000)
    expect(busy.locator("#feed tbody tr").first).to_contain_text("event 49")
    assert texts(busy)[:50] == numbered(0, 50)[::-1]
