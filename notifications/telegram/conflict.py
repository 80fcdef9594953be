"""A second platform with the same token takes commands that were meant for this one: told as long as it lasts."""

from datetime import datetime, timedelta

import structlog

from notifications import conditions
from notifications.event_kinds import TELEGRAM_OTHER_POLLER
from notifications.telegram.refusals import Moment

log = structlog.get_logger()

OVER_AFTER = timedelta(seconds=60)
"""Two that ask in turn interrupt each other now and then: it is over when nothing was met for so long."""


class Conflict:
    """Of one bot, as this process sees it."""

    def __init__(self, bot_id: str) -> None:
        self._bot_id = bot_id
        self._met_at: datetime | None = None
        self._over = False

    def met(self, error: str, now: Moment) -> None:
        """409: somebody else asks, or a webhook is set."""
        if self._met_at is None:
            log.error("telegram_other_poller", error=error, hint="stop the other one, or give it a bot of its own")
        self._met_at, self._over = now.wall_at, False
        text = (
            f"Another process takes the commands of Telegram bot {self._bot_id}: stop it, or give it a bot of its own"
        )
        conditions.begin(
            TELEGRAM_OTHER_POLLER, self._bot_id, f"{text} ({error})", market_at=now.market_at, wall_at=now.wall_at
        )

    def not_met(self, now: Moment) -> None:
        """An answer: ends what an earlier process met, too."""
        if self._over or (self._met_at is not None and now.wall_at - self._met_at < OVER_AFTER):
            return
        text = f"Nobody else takes the commands of Telegram bot {self._bot_id}"
        conditions.end(TELEGRAM_OTHER_POLLER, self._bot_id, text, market_at=now.market_at, wall_at=now.wall_at)
        self._met_at, self._over = None, True
