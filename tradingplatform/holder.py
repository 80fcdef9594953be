"""Who holds a tick's lease, so that a killed process does not go on holding it until the lease runs out."""

import os
import secrets
import socket
import uuid
from functools import cache
from hashlib import blake2s

import psutil


def new_token() -> str:
    """A name for one tick of this process: machine, process id, its start, and a random part. 36 characters at most."""
    pid = os.getpid()
    return f"{_machine()}.{pid}.{_started(pid)}.{secrets.token_hex(4)}"


def is_gone(token: str) -> bool:
    """Whether the process that made the token is known to be gone. Of another machine's processes nothing is known."""
    machine, _, rest = token.partition(".")
    pid, _, rest = rest.partition(".")
    started = rest.partition(".")[0]
    if machine != _machine() or not (pid.isdecimal() and started.isdecimal()):
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process began, whole seconds; a number that is used again belongs to another start. Empty: no such."""
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(int(process.create_time()))
    except psutil.NoSuchProcess:
        return ""


@cache
def _machine() -> str:
    return blake2s(f"{socket.gethostname()} {uuid.getnode()}".encode(), digest_size=4).hexdigest()
