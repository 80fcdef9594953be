"""The process itself: killed again and again nothing is lost and nothing repeated unmarked; its log holds no token."""

import random
import re
import time

import pytest

from notifications.telegram.batches import AGAIN
from tests.telegram_api import TOKEN, telegram_api
from tests.telegram_process import telegram_rig
from tests.telegram_rig import ANN

pytestmark = pytest.mark.process


def numbers(taken):
    return [int(number) for number in re.findall(r"number (\d+)\.", taken.text)]


def all_numbers(api):
    return [number for one in api.sent(ANN) for number in numbers(one)]


def judge(api, how_many):
    """Complete, in order, and every repetition is marked."""
    seen: list[int] = []
    repeated = 0
    for one in api.sent(ANN):
        told = numbers(one)
        again = [number for number in told if number in seen]
        assert not again or AGAIN in one.text, f"{again} came twice without a word"
        repeated += len(again)
        assert told == sorted(told)
        fresh = [number for number in told if number not in seen]
        assert fresh == list(range(len(seen), len(seen) + len(fresh))), "out of order, or one is missing"
        seen += fresh
    assert len(seen) == how_many
    return repeated


def survive(tmp_path, how_many, kills, per_second, seed):
    """Write events while the process is killed and started again, with some bad answers in between."""
    chance = random.Random(seed)
    with telegram_api() as api, telegram_rig(tmp_path, api, str(ANN)) as rig:
        rig.start()
        api.until(lambda: api.polls, "the first poll", 60)
        time.sleep(1)  # its cursor is opened by then
        writer = rig.write_beside(how_many, per_second)
        for _ in range(kills):
            before = len(api.sent(ANN))
            api.until(lambda: len(api.sent(ANN)) > before or writer.poll() is not None, "a message", 60)  # noqa: B023
            api.fault("sendMessage", chance.choice([502, 500]), after=chance.random() < 0.5)
            time.sleep(chance.random() * 0.6)
            rig.kill()
            rig.start()
        assert writer.wait(120) == 0
        api.until(lambda: len(set(all_numbers(api))) == how_many, "every alert", 120)
        assert rig.stop() < 5
        assert rig.process.returncode == 0
        judge(api, how_many)
        assert TOKEN.partition(":")[2] not in rig.log.read_text()


def test_100_alerts_survive_three_kills(tmp_path):
    survive(tmp_path, 100, kills=3, per_second=20, seed=1)


@pytest.mark.proof
def test_1000_alerts_survive_twenty_kills(tmp_path):
    survive(tmp_path, 1_000, kills=20, per_second=16, seed=2)


def test_the_log_holds_no_token_at_any_level(tmp_path):
    more = {"LOG_LEVEL": "DEBUG"}
    with telegram_api() as api, telegram_rig(tmp_path, api, str(ANN), **more) as rig:
        api.fault("getUpdates", 401, description="Unauthorized")
        api.fault("getUpdates", 500, description=f"bot{TOKEN} is elsewhere")
        rig.start()
        api.until(lambda: api.polls, "a poll", 60)
        api.say(ANN, f"/{TOKEN}")
        api.until(lambda: api.sent(ANN), "an answer")
        rig.stop()
        log = rig.log.read_text()
        assert "telegram_started" in log
        assert TOKEN.partition(":")[2] not in log
