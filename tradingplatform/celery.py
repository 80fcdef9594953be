"""The Celery application. Start a worker with ``celery -A tradingplatform worker -Q trading``."""

import gc
import os
import time

from celery import Celery
from celery.signals import before_task_publish, setup_logging, task_prerun, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")

app = Celery("tradingplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_routes = {"tradingplatform.tasks.tick_bot": {"queue": "trading"}}
app.autodiscover_tasks(["tradingplatform"])


@setup_logging.connect
def _keep_our_logs(**_: object) -> None:
    """Celery leaves logging alone when somebody answers this signal: apps.py has set it up."""


@worker_process_init.connect
def _leave_old_objects_alone(**_: object) -> None:
    """What was imported before the fork lives as long as the child: the garbage collector need not look at it again."""
    gc.freeze()


@before_task_publish.connect(sender="tradingplatform.tasks.heartbeat")
def _say_when(headers: dict[str, object], **_: object) -> None:
    """A heartbeat carries the wall time at which it was sent: what waited in the queue is no sign of life."""
    headers["sent_at_ms"] = time.time_ns() // 1_000_000


@task_prerun.connect
def _drop_broken_connections(**_: object) -> None:
    """A database that restarted leaves a connection that never works again; a sound one is kept."""
    from django.db import close_old_connections

    close_old_connections()
