"""One platform for each file: its scenarios follow one another, and each leaves it at rest."""

from collections.abc import Iterator

import pytest

from tests.live_processes.platform import LivePlatform


@pytest.fixture(scope="module")
def running() -> Iterator[LivePlatform]:
    with LivePlatform() as platform:
        yield platform


@pytest.fixture
def live(running: LivePlatform) -> Iterator[LivePlatform]:
    """The platform, at rest before and after.

    A scenario that killed the reconciler leaves its account to be found clean anew.
    """
    running.until_clean()
    yield running
    running.no_faults()
    running.comes_to_rest()
