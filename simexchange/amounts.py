"""PURE. Exact amounts: decimals and integers of 1e-8 units ("e8"), both written with eight decimals on the wire."""

from __future__ import annotations

from decimal import Decimal

E8 = 10**8


def decimal8(value: Decimal) -> str:
    """An exact amount; values are kept to eight decimals already, so nothing is rounded here."""
    return f"{value:.8f}"


def e8(value: int) -> str:
    """An integer count of 1e-8 units."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    return f"{sign}{value // E8}.{value % E8:08d}"


def to_e8(value: Decimal) -> int:
    """An amount of at most eight decimals as an integer count of 1e-8 units."""
    return int(value.scaleb(8))


def to_decimal(value: int) -> Decimal:
    """An integer count of 1e-8 units as exact money."""
    return Decimal(value).scaleb(-8)
