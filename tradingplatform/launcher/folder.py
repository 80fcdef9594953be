"""The folder of all state: made, writable, private, and owned by one run at a time."""

import fcntl
import os
import secrets
import tempfile
from pathlib import Path

from tradingplatform.launcher.refusal import Refusal

PARTS = ("log", "run", "redis", "simexchange", "static")
OURS = "PLATFORM_RUN"  # in the environment of every process of a run, so that a later run knows them


def make_folder(var: Path) -> None:
    """VAR and its parts, readable by nobody else. Raises Refusal when it cannot be written."""
    try:
        for folder in (var, *(var / part for part in PARTS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=var, prefix=".writable-"):
            pass
    except OSError as error:
        raise Refusal(
            f"VAR={var} cannot be written ({error.strerror}): choose another folder, as in `make run VAR=var2`"
        ) from None
    (var / "run").chmod(0o700)


def take_lock(var: Path) -> int:
    """Own VAR until this process, or what it becomes, ends: the descriptor survives ``exec``. Raises Refusal."""
    fd = os.open(var / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 200).decode() or "another process"
        os.close(fd)
        raise Refusal(
            f"already running on VAR={var} ({holder}): use that one, or a second platform: make run VAR=var2 PORT=8001"
        ) from None
    os.set_inheritable(fd, True)
    return fd


def sign_lock(fd: int, port: int) -> None:
    """Tell whoever finds the lock taken by whom."""
    os.truncate(fd, 0)
    os.pwrite(fd, f"pid {os.getpid()}, http://127.0.0.1:{port}/".encode(), 0)


def is_running(var: Path) -> bool:
    """Does a platform run on this VAR right now?"""
    try:
        fd = os.open(var / "run.lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def keep_secret_key(var: Path) -> None:
    """Django's secret key, made once: sessions survive a restart, and nobody else can read it."""
    path = var / "secret_key"
    if path.exists() and path.read_text().strip():
        path.chmod(0o600)
        return
    scratch = var / "secret_key.tmp"
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(64))
    scratch.replace(path)
