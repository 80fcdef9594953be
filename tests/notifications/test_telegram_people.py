"""Who is answered: an allowed person, in private, by a new message of their own; nobody else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from notifications.models import Event
from notifications.telegram.people import judge, read_ids, roles
from notifications.telegram.refusals import MOST_AN_HOUR, Refusals
from notifications.telegram.transport import read_update
from notifications.telegram.values import Incoming, Kind, Role
from tests.factories import now_at
from tests.telegram_rig import ANN

NOW = now_at()
PEOPLE = {ANN: Role.OPERATOR}
GOOD = Incoming(1, Kind.MESSAGE, ANN, "private", ANN, "ann", text="/status", sent_at=NOW.wall_at, message_id=5)


def test_a_new_private_message_is_answered():
    assert judge(GOOD, PEOPLE, NOW.wall_at) is None
    pressed = replace(GOOD, kind=Kind.CALLBACK, sent_at=None)
    assert judge(pressed, PEOPLE, NOW.wall_at) is None


@pytest.mark.parametrize(
    ("changes", "why", "told"),
    [
        ({"user_id": 9, "chat_id": 9}, "from a stranger", False),
        ({"user_id": 0}, "from a stranger", False),
        ({"is_bot": True}, "from a stranger", False),
        ({"chat_type": "group", "chat_id": -5}, "not in a private chat", False),
        ({"chat_type": "supergroup", "chat_id": -5}, "not in a private chat", False),
        ({"chat_type": "channel", "chat_id": -5}, "from a channel", False),
        ({"kind": Kind.CHANNEL}, "from a channel", False),
        ({"chat_id": 77}, "not in a private chat", False),
        ({"kind": Kind.EDITED}, "an edited message", True),
        ({"forwarded": True}, "a forwarded message", True),
        ({"sent_at": NOW.wall_at - timedelta(seconds=61)}, "an old message", True),
        ({"sent_at": NOW.wall_at + timedelta(seconds=61)}, "a message from the future", True),
        ({"sent_at": None}, "a message without its time", False),
        ({"kind": Kind.OTHER}, "not a message", False),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else None,
)
def test_anything_else_is_refused(changes, why, told):
    refusal = judge(replace(GOOD, **changes), PEOPLE, NOW.wall_at)
    assert (refusal.why, bool(refusal.told)) == (why, told)


def test_a_minute_is_still_new():
    assert judge(replace(GOOD, sent_at=NOW.wall_at - timedelta(seconds=60)), PEOPLE, NOW.wall_at) is None


def test_an_empty_list_is_nobody():
    assert judge(GOOD, roles(read_ids(""), read_ids(" ")), NOW.wall_at).why == "from a stranger"


def test_ids_are_numbers():
    assert read_ids("1, 22;".replace(";", "")) == {1, 22}
    assert roles(read_ids("1 2"), read_ids("2")) == {1: Role.VIEWER, 2: Role.OPERATOR}
    for wrong in ("@ann", "-5", "0", "1.5", "١", "9" * 20):
        with pytest.raises(ValueError, match="numeric user id"):
            read_ids(wrong)


@pytest.mark.django_db
def test_a_refusal_is_an_event_and_a_flood_is_a_few():
    refusals = Refusals()
    told = [refusals.record(replace(GOOD, user_id=7), "from a stranger", NOW) for _ in range(50)]
    assert told == [True] + [False] * 49
    for stranger in range(2 * MOST_AN_HOUR):
        refusals.record(replace(GOOD, user_id=stranger + 100), "from a stranger", NOW)
    assert Event.objects.filter(kind="telegram_refused").count() == MOST_AN_HOUR

    later = now_at(after_ms=3_700_000)
    assert refusals.record(replace(GOOD, user_id=7), "from a stranger", later)
    assert "31 more" in Event.objects.latest("pk").text


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "message": None},
        {"update_id": 1, "message": {"chat": 5}},
        {"update_id": 1, "message": {"chat": {"id": "5", "type": "private"}, "date": 1, "message_id": 1}},
        {"update_id": 1, "message": {"chat": {"id": 5, "type": "private"}, "date": 10**20, "message_id": 1}},
        {"update_id": 1, "callback_query": {"id": "1", "from": {"id": 1}}},
        {"update_id": 1, "poll": {}},
    ],
    ids=["empty", "none", "no chat", "text for a number", "no date", "no message", "poll"],
)
def test_what_cannot_be_read_is_something_else(update):
    assert read_update(update) == Incoming(1, Kind.OTHER)


@pytest.mark.parametrize("mark", ["forward_origin", "forward_date", "via_bot", "sender_chat"])
def test_second_hand_messages_are_known(mark):
    chat = {"id": ANN, "type": "private"}
    message = {
        "message_id": 1,
        "date": 1_700_000_000,
        "chat": chat,
        "from": {"id": ANN},
        "text": "/halt",
        mark: {"x": 1},
    }
    assert read_update({"update_id": 3, "message": message}).forwarded
