"""Telegram: transport, authorisation, delivery of alerts, plumbing of commands. It knows nothing of trading.

What alerts say and what commands answer comes from above, as functions. Only ``transport`` imports the library.
"""

from notifications.subscribers import Subscriber, Way, register

register(Subscriber("telegram", "alerts to each chat, as loud as TELEGRAM_ALERTS says", Way.DURABLE))
register(Subscriber("telegram-poller", "takes each message of a chat once; not a place in this log", Way.INBOX))
