"""The register of who reads the log: it knows every cursor, and the documentation tells of each."""

import ast
import re

import pytest
from django.utils import timezone

from notifications.cursors import open_cursor
from notifications.models import Cursor
from notifications.standing import read_log
from notifications.subscribers import Subscriber, UnknownSubscriber, Way, owner_of, register, registered
from notifications.telegram.delivery import subscriber
from notifications.webhooks.config import Hook
from tests.test_architecture import ROOT, sources

HOOK = Hook.model_validate({"name": "ops", "url": "https://example.org/", "secret": "x" * 16})
MAKERS = {"notifications/cursors.py", "notifications/telegram/polling.py"}


@pytest.mark.parametrize(
    ("cursor", "owner"),
    [(subscriber(17), "telegram"), ("telegram-poller:17", "telegram-poller"), (HOOK.subscriber, "webhook")],
)
def test_every_cursor_that_is_used_is_a_registered_subscribers(cursor, owner):
    assert owner_of(cursor).name == owner
    assert owner_of(cursor).way is not Way.FOLLOWER


def test_cursors_are_made_nowhere_else():
    """Through open_cursor, which asks the register, and by the poller, whose name is tried above."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for path, tree in sources("tradingplatform", "execution", "risk", "bots", "notifications")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.match(r"Cursor(\.objects\.\w*create\w*)?\(|Cursor\.objects\.bulk", ast.unparse(node))
        and not ast.unparse(node).startswith("CursorA")
    }
    assert makers == MAKERS


@pytest.mark.django_db
def test_a_cursor_of_nobody_is_not_opened():
    with pytest.raises(UnknownSubscriber, match="'mail:me' belongs to no subscriber: register 'mail'"):
        open_cursor("mail:me", timezone.now())
    with pytest.raises(UnknownSubscriber):
        open_cursor("webhooks", timezone.now())  # no more than alike
    assert not Cursor.objects.exists()


def test_a_name_stands_for_one_thing():
    known = owner_of("webhook:a")
    assert register(known) == known
    with pytest.raises(ValueError, match="registered twice"):
        register(Subscriber(known.name, "something else", Way.FOLLOWER))


@pytest.mark.django_db
def test_an_inbox_is_not_behind_the_log():
    for name in ("webhook:a", "telegram-poller:17"):
        Cursor.objects.create(name=name, seq=0, moved_at=timezone.now())
    assert [one.name for one in read_log().cursors] == ["webhook:a"]


def test_the_documentation_lists_every_subscriber():
    table = re.findall(r"^\| `([\w-]+)` \| (\w+) \|", (ROOT / "docs/events.md").read_text(), re.MULTILINE)
    assert sorted(table) == [(one.name, one.way.value) for one in registered()]
