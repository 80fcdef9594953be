"""The simulated exchange's imports run one way, in the whole and within each folder."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import simexchange

ROOT = Path(simexchange.__file__).parent
#: From the top down; what stands on one floor does not import each other.
FLOORS = (
    {"__main__"},
    {"server"},
    {"endpoints"},
    {"visit", "cli", "matcher"},
    {"exchange"},
    {"faults", "orders"},
    {"requests", "market"},
    {"errors", "clock", "amounts"},
)


def imported(path: Path) -> set[str]:
    """Modules below ``simexchange`` that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simexchange"):
            inner = str(node.module).removeprefix("simexchange").lstrip(".")
            names = [f"{inner}.{alias.name}".lstrip(".") for alias in node.names]
            found |= {name if (ROOT / f"{name.replace('.', '/')}.py").exists() else inner for name in names}
    return found


def test_imports_run_down() -> None:
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    graph = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): imported(path)
        for path in ROOT.rglob("*.py")
        if path.name != "__init__.py"
    }
    rooms = {(module.split(".")[0], target.split(".")[0]) for module, targets in graph.items() for target in targets}
    assert [(one, other) for one, other in rooms if one != other and floor[one] >= floor[other]] == []
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)
