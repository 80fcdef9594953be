"""HTTP servers of the tests, in a thread of this process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer


@contextmanager
def serving(server: BaseServer, poll_s: float = 0.02) -> Iterator[None]:
    """It answers as long as the block lasts."""
    threading.Thread(target=server.serve_forever, args=(poll_s,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
