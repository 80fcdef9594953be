"""The web process: ``uvicorn tradingplatform.asgi:application``."""

import asyncio
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")

_django = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Requests are Django's, which knows nothing of the server's own beginning and end."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await _django(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    """https://asgi.readthedocs.io/en/latest/specs/lifespan.html"""
    from tradingplatform import presence  # Django's models are there by now

    await receive()  # lifespan.startup
    presence.arrive("web")
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    await asyncio.to_thread(presence.leave)
    await send({"type": "lifespan.shutdown.complete"})
