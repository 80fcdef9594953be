"""Which version this is."""

import tomllib
from functools import cache

from tradingplatform.environment import ROOT


@cache
def project_version() -> str:
    """As pyproject.toml has it."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
