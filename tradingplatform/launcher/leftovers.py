"""What a killed run left behind: its processes go on without anybody watching them, and hold ports and sockets."""

import contextlib
import os
from pathlib import Path

import psutil

from tradingplatform.launcher.folder import OURS

BASES = ("redis", "exchange")  # stopped last: the others need them to stop in peace
PATIENCE_S = 4.0


def stop_leftovers(var: Path) -> list[str]:
    """Stop every process of an earlier run on this VAR, in order; their names. Call it with the lock held."""
    found = _processes(var)
    if not found:
        return []
    pids = {process.pid for process in found}
    # Pool children leave with their parent; a SIGTERM of their own would tear a tick apart.
    heads = [process for process in found if _parent(process) not in pids]
    names = {process.pid: _name(process) for process in found}
    _stop([process for process in heads if names[process.pid] not in BASES])
    _kill([process for process in _processes(var) if _name(process) not in BASES])
    _stop(_processes(var))
    _kill(_processes(var))
    return sorted({name for name in names.values() if name})


def _processes(var: Path) -> list[psutil.Process]:
    """By their environment, not by pid files: a pid may long be somebody else's."""
    return [process for process in psutil.process_iter() if _environment(process).get(OURS) == str(var)]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return {}
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def _name(process: psutil.Process) -> str:
    return _environment(process).get("SUPERVISOR_PROCESS_NAME", "")


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def _stop(processes: list[psutil.Process]) -> None:
    for process in processes:
        _signal(process, kill=False)
    psutil.wait_procs(processes, timeout=PATIENCE_S)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        _signal(process, kill=True)
    psutil.wait_procs(processes, timeout=1)


def _signal(process: psutil.Process, kill: bool) -> None:
    with contextlib.suppress(psutil.Error):
        process.kill() if kill else process.terminate()
