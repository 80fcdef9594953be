"""Who holds a tick's lease, so that a killed process does not go on holding it until the lease runs out."""

import os
import secrets
import socket
import uuid
from functools import cache
from hashlib import blake2s
from pathlib import Path

import psutil


def new_token() -> str:
    """A name for one tick of this process: machine, process id, its start, and a random part. 36 characters at most."""
    return f"{_holder(os.getpid())}.{secrets.token_hex(4)}"


def is_gone(token: str) -> bool:
    """Whether the process that made the token is known to be gone. Of another machine's processes nothing is known."""
    machine, _, rest = token.partition(".")
    pid, _, rest = rest.partition(".")
    started = rest.partition(".")[0]
    if machine != _machine() or not (pid.isdecimal() and started.isdecimal()):
        return False
    return _started(int(pid)) != started


@cache
def _holder(own_pid: int) -> str:
    """This process; asked again after a fork, which has another number."""
    return f"{_machine()}.{own_pid}.{_started(own_pid)}"


def _started(pid: int) -> str:
    """When a process began; a number that is used again belongs to another start. Empty: there is no such process.

    In clock ticks since boot where /proc tells: psutil's time of day moves when the clock is set.
    """
    try:
        state, fields = _stat(pid)
        return "" if state == "Z" else fields[18]
    except (FileNotFoundError, ProcessLookupError):
        return "" if Path("/proc/self/stat").exists() else _started_at(pid)


def _stat(pid: int) -> tuple[str, list[str]]:
    """The state, and the fields after it, of /proc/PID/stat (see proc(5)); the name before it may hold anything."""
    state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return state, fields


def _started_at(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(int(process.create_time()))
    except psutil.NoSuchProcess:
        return ""


@cache
def _machine() -> str:
    """This boot of this machine: of processes before the boot nothing is known, their leases run out."""
    boot, processes = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    # The network address only where there is no boot id: looking for it may end differently in each process.
    booted = boot.read_text() if boot.exists() else f"{psutil.boot_time()} {uuid.getnode()}"
    # Two containers of one host number their processes apart.
    numbering = processes.readlink() if processes.exists() else ""
    name = f"{socket.gethostname()} {booted} {numbering}"
    return blake2s(name.encode(), digest_size=4).hexdigest()
