"""Stands in front of every program: waits quietly for what it needs, then becomes it.

Started by the supervisor as a plain file, in isolated mode: it must be there within milliseconds and must not load
the platform. The supervisor knows no "restart for ever, but not in a circle"; the pause between starts is taken here.
"""

import json
import os
import socket
import sys
import time

PAUSE_S = 1.0  # between two starts of a program that keeps dying
QUICK_S = 5.0  # a start so soon after the last one is a program that keeps dying
POLL_S = 0.1


def main(name: str) -> None:
    var = os.environ["VAR"]
    with open(os.path.join(var, "run", "programs.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        program = json.load(file)[name]
    if not program["on_terminal"]:
        os.set_inheritable(int(os.environ["PLATFORM_TERMINAL"]), False)
    hold_back(os.path.join(var, "run", f"{name}.started"))  # noqa: PTH118
    for address in program["after"]:
        while not answers(address):
            time.sleep(POLL_S)
    os.chdir(program["folder"])
    os.execv(program["arguments"][0], program["arguments"])


def hold_back(stamp: str) -> None:
    """Wait a moment when the last start was a moment ago."""
    try:
        if 0 <= time.time() - os.stat(stamp).st_mtime < QUICK_S:  # noqa: PTH116
            time.sleep(PAUSE_S)
    except FileNotFoundError:
        pass
    with open(stamp, "w", encoding="utf-8"):  # noqa: PTH123
        pass


def answers(address: str) -> bool:
    """``redis:PATH`` when it says PONG (not while it is loading), ``http:PORT`` when it says anything in HTTP."""
    kind, _, where = address.partition(":")
    if kind == "redis":
        return _asked(socket.AF_UNIX, where, b"PING\r\n").startswith(b"+PONG")
    request = b"GET /api/v3/ping HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    return _asked(socket.AF_INET, ("127.0.0.1", int(where)), request).startswith(b"HTTP/1")


def _asked(family: int, address: str | tuple[str, int], question: bytes) -> bytes:
    try:
        with socket.socket(family) as connection:
            connection.settimeout(2)
            connection.connect(address)
            connection.sendall(question)
            return connection.recv(64)
    except OSError:
        return b""


if __name__ == "__main__":
    main(sys.argv[1])
