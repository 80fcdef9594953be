"""``python -m tests.live_pages.words``: does what each line of its input says, a JSON object with ``do``, and answers
with one line of JSON. One process for all of it: the tests need rows now."""

import json
import sys
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from bots.models import Bot, ExchangeAccount  # noqa: E402
from notifications.models import Event  # noqa: E402
from notifications.sequence import number_events  # noqa: E402
from tests.factories import make_bot  # noqa: E402


def person(name: str, password: str) -> int:
    return User.objects.create_superuser(name, password=password).pk


def bot(name: str) -> int:
    return make_bot(name=name, account=ExchangeAccount.objects.first()).pk


def rename(name: str, to: str) -> int:
    """Past every check: what the console makes of it is what counts."""
    return Bot.objects.filter(name=name).update(name=to)


def events(texts: list[str], **of: Any) -> int:
    """The number of the last one. ``of``: kind, severity, bot_id, payload."""
    now = timezone.now()
    for text in texts:
        Event.objects.create(text=text, market_at=now, wall_at=now, **{"kind": "test", **of})
    return number_events()


DOES = {does.__name__: does for does in (person, bot, rename, events)}

if __name__ == "__main__":
    for line in sys.stdin:
        said = json.loads(line)
        sys.stdout.write(f"{json.dumps(DOES[said.pop('do')](**said))}\n")
        sys.stdout.flush()
