import httpx
import pytest

from tests.ai.server import ai_server
from tests.redis_server import redis_url  # noqa: F401  (a fixture)
from tests.ticks.test_tick import world  # noqa: F401  (a fixture)

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(scope="session", autouse=True)
def warm():
    """What only a process's first question takes, on a busy machine longer than a short deadline."""
    httpx.AsyncClient()


@pytest.fixture
def ai(settings):
    """An AI that is set up and allows everything."""
    with ai_server() as server:
        settings.AI_BASE_URL, settings.AI_MODEL, settings.AI_API_KEY = server.url, "small-one", KEY
        settings.AI_DEADLINE_S = 2.0
        yield server
