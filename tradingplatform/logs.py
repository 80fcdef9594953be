"""Logs of every process: structlog, one JSON line per fact (or colours on a terminal), context bound by entrances."""

import logging
import logging.config
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

QUIET = {
    "ccxt": "WARNING",  # its DEBUG prints API keys
    "httpx": "WARNING",  # its INFO prints bot tokens in URLs
    "httpcore": "WARNING",  # its DEBUG prints requests
    "telegram": "INFO",  # its DEBUG prints every message
    "urllib3": "WARNING",
    "celery.worker.strategy": "WARNING",  # one line per message received
    "celery.worker.request": "WARNING",  # one line per ring that came too late: the sweeper rings again
    "celery.app.trace": "WARNING",  # one line per task done: the tick's own line says more
    "celery.beat": "WARNING",
    "kombu": "WARNING",
    "django.request": "ERROR",
}

_BOT_TOKEN = re.compile(r"\b[0-9]{3,16}:[A-Za-z0-9_-]{20,}")

HARMLESS = (
    "You're running the worker with superuser privileges",  # Celery's: eight lines; who runs it as root knows
    "StreamingHttpResponse must consume synchronous iterators",  # WhiteNoise serves files so, and small ones only
)
"""How warnings begin that nobody can do anything about."""

_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(level: str = "INFO", style: str = "json") -> None:
    """Set up this process: structlog and the standard library's loggers end in the same lines on stderr."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(style)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet_level in QUIET.items():
        logging.getLogger(name).setLevel(quiet_level)
    logging.captureWarnings(True)
    for text in HARMLESS:
        warnings.filterwarnings("ignore", message=text)


def _renderers(style: str) -> list[Processor]:
    if style == "console":
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()), _without_tokens]
    # Local variables of a stack frame may hold keys: they stay out of the log.
    exceptions = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [exceptions, structlog.processors.JSONRenderer(default=str), _without_tokens]


def _without_tokens(_logger: object, _method: str, line: Any) -> Any:
    """The finished line without what looks like the token of a Telegram bot: errors of HTTP libraries hold URLs."""
    return _BOT_TOKEN.sub("***", line) if isinstance(line, str) else line


@contextmanager
def log_context(**values: object) -> Iterator[None]:
    """Bind values to every line logged inside."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
