"""Every scenario runs at both venues."""

from collections.abc import Iterator

import pytest

from tests.execution.contract.live_venue import LiveVenue, SimulatedExchange, simulated_exchange
from tests.execution.contract.paper_venue import PaperVenue
from tests.execution.contract.venue import Session, Venue


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedExchange]:
    with simulated_exchange(tmp_path_factory.mktemp("contract")) as exchange:
        yield exchange


@pytest.fixture(params=["paper", pytest.param("live", marks=pytest.mark.process)])
def venue(request: pytest.FixtureRequest, db: None) -> Iterator[Venue]:
    if request.param == "paper":
        yield PaperVenue()
        return
    live = LiveVenue(request.getfixturevalue("simulated"))
    yield live
    live.close()


@pytest.fixture
def orders(venue: Venue) -> Iterator[Session]:
    session = Session(venue)
    yield session
    session.clear()


@pytest.fixture
def network(venue: Venue) -> None:
    """For what can only happen where there is a network in between."""
    if not venue.has_network:
        pytest.skip("nothing lies between us and the paper book: what is sent arrives at once, or never was sent")
