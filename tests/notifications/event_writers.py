"""``python -m tests.notifications.event_writers write NAME HOW_MANY``: events in transactions that take their time.

``... follow HOW_MANY`` follows the log until it has so many, and prints ``seq writer number`` of each as it came.
``... pace HOW_MANY PER_SECOND`` writes at a pace, and prints the wall time in ns at which each was committed.
``... session NAME`` makes a user who may see everything, and prints the key of its session.
"""

import random
import sys
import time

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import transaction  # noqa: E402

from notifications.sequence import events_after, number_events  # noqa: E402
from tests.factories import make_event, now_at  # noqa: E402


def write(name: str, how_many: int) -> None:
    now = now_at()
    chance = random.Random(name)
    for number in range(how_many):
        with transaction.atomic():
            payload = {"writer": name, "number": number}
            make_event(name, now, payload=payload)
            time.sleep(chance.random() * 0.004)  # the row has its id, and is not committed yet


def pace(how_many: int, per_second: float) -> None:
    now, began = now_at(), time.monotonic()
    for number in range(how_many):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        with transaction.atomic():
            make_event("paced", now, payload={"number": number})
        sys.stdout.write(f"{number} {time.time_ns()}\n")
        sys.stdout.flush()


def session(name: str) -> None:
    user = User.objects.create_superuser(name)
    store = SessionStore()
    store.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash()})
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store.create()
    sys.stdout.write(store.session_key or "")


def follow(how_many: int) -> None:
    seen, deadline = 0, time.monotonic() + 60
    while seen < how_many and time.monotonic() < deadline:
        number_events()
        for event in events_after(seen, 50):
            sys.stdout.write(f"{event.seq} {event.payload['writer']} {event.payload['number']}\n")
            seen = event.seq


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    match what:
        case "write":
            write(rest[0], int(rest[1]))
        case "pace":
            pace(int(rest[0]), float(rest[1]))
        case "session":
            session(rest[0])
        case "follow":
            follow(int(rest[0]))
