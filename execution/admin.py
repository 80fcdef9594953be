"""Registers the console's lists of this floor; Django looks for this file."""

from execution.console import books, equity, orders, paper, positions, trades

__all__ = ["books", "equity", "orders", "paper", "positions", "trades"]
