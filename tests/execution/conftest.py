"""One simulated exchange for all tests of live orders that do not disturb each other."""

from collections.abc import Iterator

import pytest

from tests.live import Venue, venue_with


@pytest.fixture(scope="session")
def started_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    with venue_with(tmp_path_factory.mktemp("venue")) as venue:
        yield venue


@pytest.fixture
def venue(started_venue: Venue) -> Venue:
    """Without faults and limits, to a process that has just started."""
    return started_venue.fresh()
