"""Where the AI answers, and how much of it is used."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from pydantic import SecretStr

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Service:
    """An OpenAI-compatible server. ``deadline_s``: wall seconds for a whole answer; ``daily_calls``: of the fleet."""

    base_url: str
    key: SecretStr
    model: str
    deadline_s: float
    daily_calls: int

    @property
    def url(self) -> str:
        """Where questions go."""
        return f"{self.base_url}/chat/completions"

    @property
    def leaks_its_key(self) -> bool:
        """Whether the key would cross a network in the clear."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and parts.hostname not in LOCAL and bool(self.key.get_secret_value())

    def without_key(self, text: str) -> str:
        """A text that may quote the key, for rows and logs."""
        key = self.key.get_secret_value()
        return text.replace(key, "***") if key else text


def find_service() -> Service | None:
    """The AI as it is set up; None when it is not (see ``why_none``)."""
    return None if why_none() else _configured()


def why_none() -> str:
    """Why nothing can be asked, in words; empty when it can."""
    missing = [name for name in ("AI_BASE_URL", "AI_MODEL") if not getattr(settings, name)]
    if missing:
        return f"the AI is not set up: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
    return unsafe()


def unsafe() -> str:
    """What must not be used as it is; empty when it may."""
    leaks = bool(settings.AI_BASE_URL) and _configured().leaks_its_key
    return "AI_BASE_URL must begin with https://: AI_API_KEY would be sent in the clear" if leaks else ""


def half_configured() -> str:
    """What was given without what it needs; empty when all or nothing is there."""
    given = [name for name in ("AI_BASE_URL", "AI_API_KEY", "AI_MODEL") if getattr(settings, name)]
    missing = [name for name in ("AI_BASE_URL", "AI_MODEL") if name not in given]
    return f"{', '.join(given)} given without {' and '.join(missing)}" if given and missing else ""


def _configured() -> Service:
    return Service(
        base_url=settings.AI_BASE_URL.rstrip("/"),
        key=SecretStr(settings.AI_API_KEY),
        model=settings.AI_MODEL,
        deadline_s=settings.AI_DEADLINE_S,
        daily_calls=settings.AI_DAILY_CALLS,
    )
