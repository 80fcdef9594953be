import pytest

from tests.live_pages import console as rigs


@pytest.fixture(scope="module")
def browser():
    with rigs.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def console(browser, tmp_path_factory):
    with rigs.console(tmp_path_factory.mktemp("console")) as console:
        yield console


@pytest.fixture
def person(browser, console):
    """Nothing may go wrong in any of its tabs, and nothing is asked of any other host."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    person = rigs.Person(console, context)
    yield person
    context.close()
    assert person.errors == []
    assert person.elsewhere == []
    console.until_clients(0)
