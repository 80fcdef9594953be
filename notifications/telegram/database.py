"""The database from an event loop: one thread and one connection for each kind of work: none waits for another."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections, connections

T = TypeVar("T")


class DatabaseThread:
    """Work is done in the order in which it comes."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def __call__(self, work: Callable[[], T]) -> T:
        """Raises what ``work`` raises."""

        def do() -> T:
            close_old_connections()
            return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, do)

    def close(self) -> None:
        """Waits for what is being done."""
        self._thread.submit(connections.close_all)
        self._thread.shutdown(wait=True)
