"""Celery's entrances: read the clocks, bind the log, one call each."""

from celery import Task, shared_task
from django.conf import settings

from tradingplatform import tick
from tradingplatform.housekeeping import keep_heartbeat, snapshot_accounts, watch_dead_mans_switch
from tradingplatform.logs import log_context
from tradingplatform.thinning import thin_daily
from tradingplatform.wiring import platform


@shared_task(name="tradingplatform.tasks.tick_bot", ignore_result=True)
def tick_bot(*, bot_id: int) -> None:
    """One pass of one bot for the slot that it is now. Repeating it is harmless."""
    ours = platform()
    with log_context(bot_id=bot_id):
        tick.run(ours, bot_id, ours.clock.now())


@shared_task(name="tradingplatform.tasks.watch_switch", ignore_result=True)
def watch_switch() -> None:
    """Tell the stages of the dead man's switch as they begin."""
    watch_dead_mans_switch(platform().clock.now())


@shared_task(name="tradingplatform.tasks.heartbeat", bind=True, ignore_result=True)
def heartbeat(self: Task) -> None:  # type: ignore[type-arg]
    """The end of the way from beat to the database; the message says when it began."""
    keep_heartbeat(self.request.get("sent_at_ms"), platform().clock.now())


@shared_task(name="tradingplatform.tasks.snapshot_accounts", ignore_result=True)
def snapshot_all_accounts() -> None:
    """Keep every account's equity."""
    clock = platform().clock
    snapshot_accounts(clock.now(), clock.speed)


@shared_task(name="tradingplatform.tasks.thin_out", ignore_result=True)
def thin_out() -> None:
    """Thin out the past. Repeating it is harmless."""
    thin_daily(platform().clock.now(), settings.RETENTION_DAYS)
