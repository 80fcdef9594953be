"""How long each reading command takes, from the message to its answer, through the Bot API and back."""

import time

import pytest

from notifications.telegram.values import Role
from tests.telegram_api import telegram_api
from tests.telegram_commands.big import make_fleet
from tests.telegram_commands.test_reading import CLOCK, READING
from tests.telegram_rig import BOB, running
from tradingplatform.telegram_commands.registry import commands

pytestmark = pytest.mark.django_db(transaction=True)
EVERY = [*READING, "switch"]
POSITIONS = 50_000
"""Closed ones; each has two trades."""


def test_every_reading_command_is_timed():
    reading = {name for name, command in commands(CLOCK).items() if command.role == Role.VIEWER}
    assert {line.split()[0] for line in EVERY} == reading


def answers(api):
    return api.sent(BOB, "sendMessage") + api.sent(BOB, "sendPhoto")


def seconds(api, line):
    """From the arrival of a message at Telegram to that of its answer; wall time."""
    before, begun_s = len(answers(api)), time.time()
    api.say(BOB, f"/{line}")
    api.until(lambda: len(answers(api)) > before, f"the answer to /{line}")
    return max(one.at_s for one in answers(api)) - begun_s


@pytest.mark.proof
def test_every_command_answers_within_a_second_after_100_000_trades():
    make_fleet(CLOCK.now(), closed=POSITIONS)
    with telegram_api() as api, running(api, {BOB: Role.VIEWER}, commands(CLOCK)):
        api.until(lambda: api.polls, "the first poll")
        took_s = {line: seconds(api, line) for line in EVERY}
    for line, each_s in sorted(took_s.items(), key=lambda pair: -pair[1]):
        print(f"/{line:30} {each_s * 1000:6.0f} ms")  # noqa: T201
    assert not any("went wrong" in one.text for one in answers(api))
    assert max(took_s.values()) < 1, took_s
