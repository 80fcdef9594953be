"""The plumbing of commands, over HTTP: roles, confirmations, refreshes, and all that may be wrong with a message."""

import time
from datetime import timedelta

import pytest

from market.clock import Clock
from notifications.models import Condition, Cursor, Event
from notifications.telegram import polling
from notifications.telegram.commands import Asked, Command, Question
from notifications.telegram.confirmations import Confirmations, NotConfirmed
from notifications.telegram.markup import escape
from notifications.telegram.values import Note, Role
from tests.factories import now_at
from tests.rig import until
from tests.telegram_api import TOKEN, telegram_api
from tests.telegram_rig import ANN, BOB
from tests.telegram_rig import running as running_with_alerts

pytestmark = pytest.mark.django_db(transaction=True)
TWO = {ANN: Role.OPERATOR, BOB: Role.VIEWER}
STRANGER = 6666


def running(api, people, commands, name="one"):
    """Without alerts, so that every message is an answer."""
    return running_with_alerts(api, people, commands, compose=lambda event: None, name=name)


class Deeds:
    """Commands that remember what they did."""

    def __init__(self):
        self.done: list[str] = []
        self.times = 0
        self.commands = {
            command.name: command
            for command in (
                Command("echo", "[words]", "says it again", lambda asked: Note(escape(" ".join(asked.words) or "-"))),
                Command("count", "", "counts", self.count, refreshes=True),
                Command("act", "[what]", "does it", self.act, Role.OPERATOR),
                Command("no", "", "says no", self.no),
                Command("broken", "", "breaks", lambda asked: Note(str(1 / 0))),
                Command("start", "", "begins", lambda asked: Note("hello", keyboard=(("/echo", "/count"),))),
                Command("picture", "", "shows", lambda asked: Note("look", picture=b"\x89PNG" + b"0" * 100)),
            )
        }

    def count(self, _: Asked) -> Note:
        self.times += 1
        return Note(f"counted {self.times}")

    def act(self, asked: Asked) -> Question:
        def do() -> Note:
            self.done.append(" ".join(asked.words))
            return Note("done")

        return Question("really?", do)

    def no(self, _: Asked) -> Note:
        raise ValueError("no <b>such</b> thing")


@pytest.fixture
def api():
    with telegram_api() as api:
        yield api


@pytest.fixture
def deeds(api):
    deeds = Deeds()
    with running(api, TWO, deeds.commands):
        yield deeds


def last_text(api, chat_id=ANN, count=1, method="sendMessage"):
    api.until(lambda: len(api.sent(chat_id, method)) >= count, f"{count} messages to {chat_id}")
    return api.sent(chat_id, method)[-1].text


def refused():
    return [event.payload["why"] for event in Event.objects.filter(kind="telegram_refused").order_by("pk")]


def test_a_command_is_answered_escaped(api, deeds):
    api.say(ANN, "/echo <b>&</b>")
    assert last_text(api) == "&lt;b&gt;&amp;&lt;/b&gt;"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("hello", "Commands begin with /"),
        ("", "Commands begin with /"),
        ("/", "Commands begin with /"),
        ("/ech", "perhaps /echo"),
        ("/" + "x" * 900, "There is no command"),
        ("/echo " + "y" * 10_000, "That is 10,006 characters"),
        ("/no", "no &lt;b&gt;such&lt;/b&gt; thing"),
        ("/broken", "Something went wrong"),
        ("/ECHO@test_bot hi", "hi"),
    ],
    ids=["words", "empty", "slash", "near", "long name", "10000", "refused", "broken", "capitals"],
)
def test_what_is_wrong_is_said(api, deeds, text, answer):
    api.say(ANN, text)
    assert answer in last_text(api)


def test_acts_wait_for_one_yes(api, deeds):
    api.say(ANN, "/act now")
    assert last_text(api) == "really?"
    yes, no = api.sent(ANN)[-1].buttons
    assert deeds.done == []

    api.press(ANN, yes["callback_data"])
    assert last_text(api, method="editMessageText") == "done"
    api.press(ANN, yes["callback_data"])
    assert "has been answered" in last_text(api, method="editMessageText", count=2)
    api.press(ANN, no["callback_data"])
    assert "has been answered" in last_text(api, method="editMessageText", count=3)
    assert deeds.done == ["now"]
    assert refused() == ["a button that is over"]


def test_no_is_no(api, deeds):
    api.say(ANN, "/act now")
    last_text(api)
    yes, no = api.sent(ANN)[-1].buttons
    api.press(ANN, no["callback_data"])
    assert last_text(api, method="editMessageText") == "Not done."
    api.press(ANN, yes["callback_data"])
    last_text(api, method="editMessageText", count=2)
    assert deeds.done == []


def test_a_yes_of_somebody_else_is_none_and_uses_nothing_up(api, deeds):
    api.say(ANN, "/act now")
    last_text(api)
    yes = api.sent(ANN)[-1].buttons[0]["callback_data"]

    api.press(BOB, yes)
    assert "Somebody else" in last_text(api, BOB, method="editMessageText")
    api.press(STRANGER, yes)
    api.press(ANN, yes)
    last_text(api, method="editMessageText")
    assert deeds.done == ["now"]
    assert refused() == ["a button that is over", "from a stranger"]


@pytest.mark.parametrize(
    "data", ["yes:", "yes:made-up", "", "re:act now", "re:", "\x00", "yes:" + "z" * 60], ids=range(7)
)
def test_invented_buttons_do_nothing(api, deeds, data):
    api.press(ANN, data)
    last_text(api, method="editMessageText")
    assert deeds.done == []


def test_a_confirmation_lasts_a_minute_and_not_longer():
    questions, now = Confirmations(), now_at().wall_at
    nonce = questions.ask(ANN, lambda: Note("done"), now)
    with pytest.raises(NotConfirmed, match="More than a minute"):
        questions.take(nonce, ANN, now + timedelta(seconds=61))
    nonce = questions.ask(ANN, lambda: Note("done"), now)
    with pytest.raises(NotConfirmed, match="More than a minute"):
        questions.take(nonce, ANN, now - timedelta(seconds=1))
    nonce = questions.ask(ANN, lambda: Note("done"), now)
    assert questions.take(nonce, ANN, now + timedelta(seconds=60)).act() == Note("done")


def test_too_many_questions_forget_the_oldest():
    questions, now = Confirmations(), now_at().wall_at
    nonces = [questions.ask(ANN, lambda: Note("done"), now) for _ in range(300)]
    with pytest.raises(NotConfirmed):
        questions.take(nonces[0], ANN, now)
    assert questions.take(nonces[-1], ANN, now)


def test_a_viewer_reads_and_does_not_act(api, deeds):
    api.say(BOB, "/echo hi")
    assert last_text(api, BOB) == "hi"
    api.say(BOB, "/act")
    assert "is for operators" in last_text(api, BOB, 2)
    assert refused() == ["/act of a viewer"]


def test_strangers_hear_nothing(api, deeds):
    api.say(STRANGER, "/start")
    api.say(ANN, "/act in a group", chat={"id": -100, "type": "group", "title": "all"})
    api.arrives({"channel_post": {"message_id": 1, "date": int(time.time()), "chat": {"id": -7, "type": "channel"}}})
    api.say(ANN, "/echo still here")
    assert last_text(api) == "still here"
    assert {one.chat_id for one in api.sent()} == {ANN}
    assert refused() == ["from a stranger", "not in a private chat", "from a channel"]


def test_old_edited_and_forwarded_messages_do_nothing(api, deeds):
    api.say(ANN, "/act old", date=int(time.time()) - 120)
    assert "older than a minute" in last_text(api)
    api.say(ANN, "/act forwarded", forward_origin={"type": "user", "date": 1})
    assert "Forwarded" in last_text(api, count=2)
    chat, sender = {"id": ANN, "type": "private"}, {"id": ANN}
    edited = {"message_id": 1, "date": int(time.time()), "chat": chat, "from": sender, "text": "/act edited"}
    api.arrives({"edited_message": edited})
    assert "Edited" in last_text(api, count=3)
    assert refused() == ["an old message", "a forwarded message", "an edited message"]


def test_a_backlog_is_read_not_dropped(api):
    """Hours of messages after an outage: the old ones are refused, once, and the new one is answered."""
    for number in range(20):
        api.say(ANN, f"/echo {number}", date=int(time.time()) - 3600)
    api.say(ANN, "/echo new")
    with running(api, TWO, Deeds().commands):
        api.until(lambda: api.sent(ANN) and api.sent(ANN)[-1].text == "new", "the answer")
    assert [one.text for one in api.sent(ANN)][1:] == ["new"]


def test_refresh_writes_over_the_message(api, deeds):
    api.say(ANN, "/count")
    assert last_text(api) == "counted 1"
    [button] = api.sent(ANN)[-1].buttons
    api.press(ANN, button["callback_data"], message_id=77)
    assert last_text(api, method="editMessageText") == "counted 2"
    assert api.sent(ANN, "editMessageText")[-1].values["message_id"] == "77"
    api.fault("editMessageText", 400, description="Bad Request: message is not modified: the same")
    api.press(ANN, button["callback_data"], message_id=77)
    api.say(ANN, "/echo next")
    assert last_text(api, count=2) == "next"


def test_a_keyboard_that_stays_and_a_menu_of_what_one_may_do(api, deeds):
    api.say(BOB, "/start")
    assert last_text(api, BOB) == "hello"
    assert '"is_persistent": true' in api.sent(BOB)[-1].values["reply_markup"]
    api.until(lambda: len(api.sent(None, "setMyCommands")) >= 3, "menus")
    menus = {one.values["scope"]: one.values["commands"] for one in api.sent(None, "setMyCommands")}
    assert any(str(ANN) in scope and '"act"' in shown for scope, shown in menus.items())
    assert all('"act"' not in shown for scope, shown in menus.items() if str(BOB) in scope)


def test_a_picture_is_sent_as_a_photo(api, deeds):
    api.say(ANN, "/picture")
    assert last_text(api, method="sendPhoto") == "look"
    assert api.sent(ANN, "sendPhoto")[-1].values["photo"] == 104


def test_an_update_is_taken_once_whoever_reads_it(api):
    """A process that was killed before Telegram heard that it had taken an update does not act on it twice."""
    deeds = Deeds()
    number = api.say(ANN, "/count")
    with running(api, TWO, deeds.commands):
        last_text(api)
    api.updates.append({"update_id": number, "message": {"message_id": 1, "date": int(time.time()), "text": "/count"}})
    with running(api, TWO, deeds.commands, name="two"):
        api.until(lambda: api.confirmed >= number, "the second process to go on")
    assert deeds.times == 1


def test_numbers_that_begin_anew_after_a_silent_week(api):
    deeds = Deeds()
    with running(api, TWO, deeds.commands):
        api.say(ANN, "/count")
        last_text(api)
    name = f"telegram-poller:{TOKEN.partition(':')[0]}"
    Cursor.objects.filter(pk=name).update(moved_at=Clock().now().wall_at - timedelta(days=7))
    chat, sender = {"id": ANN, "type": "private"}, {"id": ANN}
    message = {"message_id": 1, "date": int(time.time()), "chat": chat, "from": sender, "text": "/count"}
    api.updates.clear()
    api.arrives({"message": message}, update_id=5)
    with running(api, TWO, deeds.commands, name="two"):
        last_text(api, count=2)
    assert deeds.times == 2


def test_one_process_polls(api):
    one, two = Deeds(), Deeds()
    with running(api, TWO, one.commands), running(api, TWO, two.commands, name="two"):
        for number in range(5):
            api.say(ANN, "/count")
            last_text(api, count=number + 1)
    assert sorted((one.times, two.times)) == [0, 5]


def test_another_poller_is_told_as_long_as_it_is_there(api, monkeypatch):
    monkeypatch.setattr(polling, "CONFLICT_S", 0.3)
    api.fault("getUpdates", 409, times=3, description="Conflict: terminated by other getUpdates request")
    with running(api, TWO, Deeds().commands):
        until(lambda: Condition.objects.filter(kind="telegram_other_poller").exists(), "the condition")
        api.say(ANN, "/echo hi")
        assert last_text(api) == "hi"
    [condition] = Condition.objects.filter(kind="telegram_other_poller")
    assert condition.ended_at is None  # two that ask in turn do not make it come and go
    assert TOKEN not in condition.text
    with running(api, TWO, Deeds().commands, name="two"):
        until(lambda: not Condition.objects.filter(ended_at=None).exists(), "its end")


@pytest.mark.parametrize(
    ("status", "more"),
    [(502, {}), (429, {"retry_after": 1}), (500, {}), (401, {})],
    ids=["502", "429", "500", "401"],
)
def test_polling_goes_on_after_trouble(api, status, more):
    api.fault("getUpdates", status, **more)
    with running(api, TWO, Deeds().commands):
        api.say(ANN, "/echo hi")
        assert last_text(api) == "hi"


def test_an_answer_is_tried_again(api, deeds):
    api.fault("sendMessage", 502)
    api.say(ANN, "/count")
    assert last_text(api) == "counted 1"
