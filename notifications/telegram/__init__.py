"""Telegram: transport, authorisation, delivery of alerts, plumbing of commands. It knows nothing of trading.

What alerts say and what commands answer comes from above, as functions. Only ``transport`` imports the library.
"""
