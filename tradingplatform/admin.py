"""Registers the console's pages; Django looks for this file."""

from tradingplatform.console import accounts, bots, dead_man, decisions, events, limits, safety, schedule, users

__all__ = ["accounts", "bots", "dead_man", "decisions", "events", "limits", "safety", "schedule", "users"]
