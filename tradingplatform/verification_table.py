"""What verifying the books has found, as text for a terminal. PURE."""

from collections.abc import Iterator, Mapping, Sequence

SHOWN = 50
HEADS = ("account", "what", "row", "stored", "recomputed")


def verification_table(differences: Sequence[Mapping[str, str]], found: int) -> str:
    """A line per difference (its HEADS as keys), the first ones of ``found``."""
    return "\n".join(_lines(differences, found))


def _lines(differences: Sequence[Mapping[str, str]], found: int) -> Iterator[str]:
    shown = differences[:SHOWN]
    heads = {name: name for name in HEADS}
    widths = {name: max(len(row[name]) for row in (heads, *shown)) for name in HEADS}
    for row in (heads, *shown):
        yield "  ".join(row[name].ljust(widths[name]) for name in HEADS).rstrip()
    if found > len(shown):
        yield f"and {found - len(shown)} more"


def summary(accounts: int, positions: int, orders: int, fills: int, found: int, took_ms: int) -> str:
    """One line: what was looked at, and how many differences there are."""
    counts = ((accounts, "account"), (positions, "position"), (orders, "order"), (fills, "fill"))
    looked_at = ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in counts)
    return f"{looked_at}: {found} difference{'' if found == 1 else 's'}, {took_ms} ms"
