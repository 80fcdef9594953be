"""``python -m tests.notifications.event_writers write NAME HOW_MANY``: events in transactions that take their time.

``... follow HOW_MANY`` follows the log until it has so many, and prints ``seq writer number`` of each as it came.
"""

import random
import sys
import time

import django

django.setup()

from django.db import transaction  # noqa: E402

from notifications.events import publish  # noqa: E402
from notifications.sequence import events_after, number_events  # noqa: E402
from tests.factories import now_at  # noqa: E402


def write(name: str, how_many: int) -> None:
    now = now_at()
    chance = random.Random(name)
    for number in range(how_many):
        with transaction.atomic():
            payload = {"writer": name, "number": number}
            publish("test", name, payload=payload, market_at=now.market_at, wall_at=now.wall_at)
            time.sleep(chance.random() * 0.004)  # the row has its id, and is not committed yet


def follow(how_many: int) -> None:
    seen, deadline = 0, time.monotonic() + 60
    while seen < how_many and time.monotonic() < deadline:
        number_events()
        for event in events_after(seen, 50):
            print(event.seq, event.payload["writer"], event.payload["number"])
            seen = event.seq


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "write":
        write(rest[0], int(rest[1]))
    else:
        follow(int(rest[0]))
