"""What a person types next, ready to be pasted: with VAR when it is not the default. PURE."""

import shlex
from pathlib import Path

from tradingplatform.environment import ROOT


def make(target: str, var: Path) -> str:
    """``make status VAR=v1``."""
    return " ".join([f"make {target}", *_given(var)])


def manage(command: str, var: Path) -> str:
    """``VAR=v1 .venv/bin/python manage.py checkin``."""
    return " ".join([*_given(var), f".venv/bin/python manage.py {command}"])


def _given(var: Path) -> list[str]:
    """Relative paths are relative to the project's folder, whoever reads them."""
    if var == ROOT / "var":
        return []
    return [f"VAR={shlex.quote(str(var.relative_to(ROOT) if var.is_relative_to(ROOT) else var))}"]
