"""A time limit on an HTTP answer as a whole. What requests calls a timeout is one between two bytes: an answer that
drips in, headers or body, would hold a worker for as long as it likes, and with it other bots' exits."""

import socket
import zlib
from contextlib import suppress
from threading import Timer
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import HTTPResponse

_PART = 65_536  # bytes
_AFTER_S = 0.1  # where no byte comes at all, the timeout between two bytes says so first


class WholeAnswerAdapter(HTTPAdapter):
    """The timeout of a request, in seconds, is also that of its whole answer, from the end of the question on.

    Raises what requests raises: ReadTimeout or ConnectionError when the time is over, ChunkedEncodingError when the
    answer breaks off or was not compressed as it says.
    """

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _LimitedPool, "https": _LimitedSecurePool}

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        options["stream"] = True  # the body is read here
        response = super().send(request, *arguments, **options)
        deadline: _Deadline | None = getattr(response.raw, "deadline", None)
        try:
            body = _read(response)
            if deadline is not None and deadline.over:  # where a body ends with its connection, it only seems whole
                raise ReadTimeout("the answer took too long as a whole", response=response)
        except BaseException:
            response.close()  # the rest of it must not be taken for the next answer
            raise
        finally:
            if deadline is not None:
                deadline.cancel()
        response.raw.release_conn()
        response._content = _decompressed(body, response.headers.get("Content-Encoding", ""))
        response._content_consumed = True  # what Response.content sets itself
        return response


def limit_whole_answers(session: Session) -> None:
    """Let every answer to this session come under its request's timeout as a whole."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, WholeAnswerAdapter())


class _Deadline:
    """Ends a connection, under whoever reads from it, when the time is over."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self.over = False
        self._connection = connection
        self._timer = Timer(seconds, self._strike)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()

    def _strike(self) -> None:
        self.over = True
        with suppress(OSError):  # it has ended by itself
            socket.socket.shutdown(self._connection, socket.SHUT_RDWR)  # below TLS: its own would wait for the other


class _Limited(HTTPConnection):
    """Gives each answer a deadline, which whoever reads the body cancels."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 does
        deadline = _Deadline(self.sock, float(self.timeout) + _AFTER_S) if self.timeout is not None else None
        try:
            response = super().getresponse()
        except BaseException:
            if deadline is not None:
                deadline.cancel()
            raise
        response.deadline = deadline  # type: ignore[attr-defined]
        return response


class _LimitedSecure(_Limited, HTTPSConnection):
    """The same over TLS."""


class _LimitedPool(HTTPConnectionPool):
    ConnectionCls = _Limited


class _LimitedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _LimitedSecure


def _read(response: Response) -> bytes:
    """The body as it came. Decompressing on the way would wait inside for bytes that make something."""
    parts = []
    try:
        while part := response.raw.read1(_PART, decode_content=False):
            parts.append(part)
    except ReadTimeoutError as error:
        raise ReadTimeout(error, response=response) from error
    except HTTPError as error:
        raise ChunkedEncodingError(error, response=response) from error
    return b"".join(parts)


def _decompressed(body: bytes, encoding: str) -> bytes:
    if not body or encoding.strip().lower() not in ("gzip", "deflate"):
        return body
    unpack = zlib.decompressobj(wbits=47)  # the header tells which of the two it is
    try:
        whole = unpack.decompress(body) + unpack.flush()
    except zlib.error as error:
        raise ChunkedEncodingError(error) from error
    if not unpack.eof:
        raise ChunkedEncodingError("the compressed answer breaks off")
    return whole
