"""What a page of the console needs to show events live: the scripts, by an address that changes with their text."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import urlencode

from tradingplatform.stream import session_mark

SCRIPTS = Path(__file__).resolve().parents[1] / "static/console/live"


def live_scripts(request: HttpRequest) -> dict[str, str]:
    """The context of console/live_scripts.html."""
    urls = {"stream": reverse("event_stream"), "may_listen": reverse("event_stream_may_listen")}
    query = urlencode({"v": version(), **urls})
    return {
        **urls,
        "version": version(),
        "worker": f"{static('console/live/worker.js')}?{query}",
        "session": session_mark(request.session.session_key),
    }


@cache
def version() -> str:
    """Of all the scripts together: a worker of one version never loads a part of another."""
    together = b"".join(path.read_bytes() for path in sorted(SCRIPTS.glob("*.js")))
    return sha256(together).hexdigest()[:12]
