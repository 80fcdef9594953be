"""docs/simexchange.md names everything that can be asked, ordered, broken and told at the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simexchange.cli import parse
from simexchange.endpoints.table import FREE, METERED
from simexchange.faults.kinds import KINDS
from simexchange.orders.order import OrderType
from simexchange.requests.stats import Stats

TOLD = (Path(__file__).resolve().parents[2] / "docs" / "simexchange.md").read_text()


def test_everything_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    paths = {item.path.removeprefix("/api/v3") for item in METERED + FREE}
    parameters = {name for fields in KINDS.values() for name in fields}
    everything = {*options, *paths, *OrderType, *KINDS, *parameters, *Stats(0).report()}
    assert len(options) > 15
    assert [name for name in sorted(everything) if name not in TOLD] == []
