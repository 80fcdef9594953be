"""A time limit on the body of an HTTP answer as a whole. What requests calls a timeout is one between two bytes: an
answer that drips in would hold a worker for as long as it likes.

Headers that drip are not caught: Celery's time limit of a task is behind them.
"""

import time
import zlib
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from urllib3.exceptions import HTTPError, ReadTimeoutError

_PART = 65_536  # bytes


class WholeAnswerAdapter(HTTPAdapter):
    """The timeout of a request, in seconds, is also that of its whole body: after it, and at most once more as long in
    which no byte comes, it is over.

    Raises what requests raises: ReadTimeout when the time is over, ChunkedEncodingError when the answer breaks off or
    was not compressed as it says.
    """

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        began_s = time.monotonic()
        options["stream"] = True  # the body is read here
        response = super().send(request, *arguments, **options)
        timeout_s = options.get("timeout")
        try:
            body = _read(response, None if timeout_s is None else began_s + float(timeout_s))
        except BaseException:
            response.close()  # the rest of it must not be taken for the next answer
            raise
        response._content = body
        response._content_consumed = True  # what Response.content sets itself
        return response


def limit_whole_answers(session: Session) -> None:
    """Let every answer to this session come under its request's timeout as a whole."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, WholeAnswerAdapter())


def _read(response: Response, deadline_s: float | None) -> bytes:
    parts = []
    try:
        # Decompressed below: decompressing on the way waits inside for bytes that make something.
        while part := response.raw.read1(_PART, decode_content=False):
            parts.append(part)
            if deadline_s is not None and time.monotonic() > deadline_s:
                raise ReadTimeout("the answer took too long as a whole", response=response)
        response.raw.release_conn()
    except ReadTimeoutError as error:
        raise ReadTimeout(error, response=response) from error
    except HTTPError as error:
        raise ChunkedEncodingError(error, response=response) from error
    return _decompressed(b"".join(parts), response.headers.get("Content-Encoding", ""))


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
