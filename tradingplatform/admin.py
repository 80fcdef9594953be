"""Registers the console's pages; Django looks for this file."""

from tradingplatform.console import accounts, bots, limits, schedule, users

__all__ = ["accounts", "bots", "limits", "schedule", "users"]
