"""``VAR/runtime.env``: how a command typed in a second terminal finds the platform that runs."""

import os
from collections.abc import Mapping
from pathlib import Path


def write_runtime_env(var: Path, values: Mapping[str, str]) -> None:
    """Readable by the owner only: a URL may hold a password."""
    lines = [f"{name}='{_quoted(value)}'\n" for name, value in values.items() if value]
    scratch = var / "runtime.env.tmp"
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(lines)
    scratch.replace(var / "runtime.env")


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
