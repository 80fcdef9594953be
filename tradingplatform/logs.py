"""Logs of every process: structlog, one JSON line per fact (or colours on a terminal), context bound by entrances."""

import logging
import logging.config
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor, WrappedLogger

from tradingplatform.scrub import remember_environment, scrub

QUIET = {
    "ccxt": "WARNING",  # its DEBUG prints API keys
    "httpx": "WARNING",  # its INFO prints bot tokens in URLs
    "httpcore": "WARNING",  # so does its DEBUG
    "telegram": "WARNING",
    "aiohttp": "WARNING",
    "asyncio": "WARNING",
    "urllib3": "WARNING",
    "celery.worker.strategy": "WARNING",  # one line per message received
    "celery.worker.request": "WARNING",  # one line per ring that came too late: the sweeper rings again
    "celery.app.trace": "WARNING",  # one line per task done: the tick's own line says more
    "celery.beat": "WARNING",
    "amqp": "WARNING",
    "kombu": "WARNING",
    "django.db": "INFO",  # its DEBUG prints what every statement was given
    "django.request": "ERROR",
}


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

log = structlog.get_logger()


def configure_logs(level: str = "INFO", style: str = "auto", levels: Mapping[str, str] | None = None) -> None:
    """Set up this process: structlog and the standard library's loggers end in the same lines on stderr.

    ``style``: json, console, or auto: console on a terminal. ``levels`` of single areas go before ``level``.
    """
    remember_environment()
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
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(style), _scrubbed],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()  # its own, which would go around everything here
        logging.getLogger(name).propagate = True
    for name, its_level in {**QUIET, **(levels or {})}.items():
        logging.getLogger(name).setLevel(its_level)
    _say_what_warns_and_what_crashes()


def _renderers(style: str) -> list[Processor]:
    # Local variables of a stack frame may hold keys: they stay out of the log. Where the package "rich" is installed,
    # the console's own default shows them.
    if style == "console" or (style == "auto" and sys.stderr.isatty()):
        colours = sys.stderr.isatty()
        return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
    exceptions = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [exceptions, structlog.processors.JSONRenderer(default=str)]


def _scrubbed(_logger: WrappedLogger, _method: str, line: Any) -> str:
    """The line as it was rendered: by now it is text."""
    return scrub(str(line))


def _say_what_warns_and_what_crashes() -> None:
    logging.captureWarnings(True)
    for text in HARMLESS:
        warnings.filterwarnings("ignore", message=text)
    sys.excepthook = _crashed
    threading.excepthook = lambda told: _crashed(
        told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback, told.thread.name if told.thread else ""
    )


def _crashed(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None, thread: str = "main"
) -> None:
    """Python's own report of what nobody caught would go around everything above."""
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("crashed", thread=thread, error=f"{kind.__name__}: {error}", exc_info=(kind, error, trace))


@contextmanager
def log_context(**values: object) -> Iterator[None]:
    """Bind values to every line logged inside."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
