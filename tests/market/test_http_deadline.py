"""A body that drips in, breaks off, or is compressed: over a real socket."""

import gzip
import socket
import threading
import time
import zlib
from contextlib import contextmanager

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from market.http_deadline import limit_whole_answers

TEXT = b'{"answer": 42}' * 50


@contextmanager
def server(*parts, every_s=0.0):
    """Sends the parts one after the other to whoever connects, then closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65_536)
                        for part in parts:
                            connection.sendall(part)
                            time.sleep(every_s)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def session():
    session = requests.Session()
    limit_whole_answers(session)
    return session


def head(length, **headers):
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{named}\r\n".encode()


@pytest.mark.parametrize(
    ("encoding", "body"), [("", TEXT), ("gzip", gzip.compress(TEXT, mtime=0)), ("deflate", zlib.compress(TEXT))]
)
def test_a_whole_answer_is_read_as_it_is(session, encoding, body):
    with server(head(len(body), Content_Encoding=encoding), body) as url:
        answer = session.get(url, timeout=5)
    assert (answer.status_code, answer.content, answer.text) == (200, TEXT, TEXT.decode())


def test_chunks_too(session):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server(chunked, b"5\r\nabcde\r\n", b"3\r\nfgh\r\n", b"0\r\n\r\n") as url:
        assert session.get(url, timeout=5).text == "abcdefgh"


def test_an_empty_answer(session):
    with server(head(0)) as url:
        assert session.get(url, timeout=5).content == b""


WHOLE = head(len(TEXT)) + TEXT
DRIPPING = {
    "a body": (head(len(TEXT)), TEXT),
    "a compressed body": (head(len(TEXT), Content_Encoding="gzip"), gzip.compress(TEXT * 100, mtime=0)),
    "a body that ends with its connection": (b"HTTP/1.1 200 OK\r\n\r\n", TEXT),
    "headers": (b"", WHOLE),
}


@pytest.mark.parametrize(("at_once", "dripping"), DRIPPING.values(), ids=DRIPPING.keys())
def test_an_answer_that_drips_in_is_over_when_its_time_is(session, at_once, dripping):
    drips = [dripping[i : i + 1] for i in range(100)]
    with server(at_once, *drips, every_s=0.1) as url:
        began = time.monotonic()
        with pytest.raises((ReadTimeout, ChunkedEncodingError, ConnectionError)):
            session.get(url, timeout=0.5)
        assert time.monotonic() - began < 5  # of the ten seconds that it drips


def test_an_answer_in_time_is_not_cut_off_later(session):
    """The same connection answers again after the first answer's time is over."""
    with server(WHOLE, WHOLE, every_s=0.8) as url:
        assert session.get(url, timeout=0.6).content == TEXT
        time.sleep(0.7)
        assert session.get(url, timeout=5).content == TEXT


def test_silence_in_the_middle_is_a_timeout(session):
    with server(head(100), b"abc", b"", every_s=1.5) as url, pytest.raises((ReadTimeout, ConnectionError)):
        session.get(url, timeout=0.3)


@pytest.mark.parametrize(
    ("encoding", "body", "length"),
    [
        ("", b"abc", 100),  # fewer bytes than promised
        ("gzip", gzip.compress(TEXT, mtime=0)[:-10], None),  # all that were promised, but not all that were compressed
        ("gzip", b"this is not compressed at all", None),
    ],
)
def test_an_answer_that_breaks_off_is_an_error(session, encoding, body, length):
    promised = head(len(body) if length is None else length, Content_Encoding=encoding)
    with server(promised, body) as url, pytest.raises((ChunkedEncodingError, ConnectionError)):
        session.get(url, timeout=2)


def test_after_an_answer_that_was_given_up_the_next_one_is_its_own(session):
    with server(head(100), b"a" * 10, b"b" * 10, every_s=0.4) as url:
        for _ in range(2):
            with pytest.raises((ReadTimeout, ChunkedEncodingError, ConnectionError)):
                session.get(url, timeout=0.5)
