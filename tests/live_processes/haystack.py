"""Every byte that a platform leaves anywhere: its files, its Redis, and what went through it meanwhile."""

import base64
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import redis

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")


class Wiretap:
    """Every command that a Redis is given, from ``with`` on: messages come and go between two looks."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(b"MONITOR\r\n")
        self._heard: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while part := self._socket.recv(1 << 16):
            self._heard.append(part)

    def heard(self) -> bytes:
        """So far. Quotes and backslashes come escaped."""
        return b"".join(self._heard).replace(b'\\"', b'"').replace(b"\\\\", b"\\")

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each, the database and its log of writes among them."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_socket():
            yield str(path.relative_to(folder)), path.read_bytes()


def redis_values(path: Path) -> Iterator[tuple[str, bytes]]:
    """Each key with its value as Redis would write it to disk."""
    with redis.Redis(unix_socket_path=str(path)) as client:
        for key in client.scan_iter():
            yield f"redis {key!r}", key + b" " + (client.dump(key) or b"")


def found(needle: str, hay: bytes) -> str:
    """How a text occurs in some bytes; empty when it does not."""
    for spelling, text in {
        "plain": needle.encode(),
        "in a URL": quote(needle, safe="").encode(),
        "hexadecimal": needle.encode().hex().encode(),
        "UTF-16": needle.encode("utf-16-le"),
    }.items():
        if text in hay:
            return spelling
    return "base64" if needle.encode() in _decoded(hay) else ""


def _decoded(hay: bytes) -> bytes:
    """What is behind everything that looks like base64: message bodies are."""
    return b"\n".join(_decode(each) for each in _BASE64.findall(hay))


def _decode(text: bytes) -> bytes:
    text = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(text + b"=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
