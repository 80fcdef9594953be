"""From what came in to what is answered: who may, which command, confirmed or not. No network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from notifications.telegram.commands import Asked, Command, Question, find, read_command
from notifications.telegram.confirmations import Confirmations, NotConfirmed
from notifications.telegram.markup import escape
from notifications.telegram.people import judge
from notifications.telegram.refusals import Moment, Refusals
from notifications.telegram.values import Button, Incoming, Kind, Note, Role

log = structlog.get_logger()

REFRESH, YES, NO = "re:", "yes:", "no:"
LONGEST_DATA = 64  # bytes of a button's data
NOT_SAID = (
    "Something went wrong on our side: take it as NOT DONE, look, and try again. The telegram log says what it was."
)


@dataclass(frozen=True, slots=True)
class Response:
    """``replaces``: the message it is written over, 0 for a new one. ``toast``: shown for a moment at the button."""

    note: Note | None = None
    replaces: int = 0
    toast: str = ""


@dataclass
class Desk:
    """One per process. ``respond`` is called by one thread at a time."""

    people: Mapping[int, Role]
    commands: Mapping[str, Command]
    clock: Callable[[], Moment]
    refusals: Refusals = field(default_factory=Refusals)
    confirmations: Confirmations = field(default_factory=Confirmations)

    def respond(self, incoming: Incoming) -> Response | None:
        """None where nothing is said. Raises nothing that a sender could provoke."""
        now = self.clock()
        refusal = judge(incoming, self.people, now.wall_at)
        if refusal is not None:
            news = self.refusals.record(incoming, refusal.why, now)
            log.warning("telegram_refused", why=refusal.why, user=incoming.user_id, chat=incoming.chat_id)
            return Response(Note(escape(refusal.told))) if refusal.told and news else None
        try:
            return self._answer(incoming, now.wall_at)
        except NotConfirmed as error:
            self.refusals.record(incoming, "a button that is over", now)
            return Response(Note(escape(error)), incoming.message_id, str(error))
        except ValueError as error:
            return self._said(incoming, Note(escape(error)))
        except Exception:
            log.exception("telegram_command_failed", text=incoming.text[:100])
            return self._said(incoming, Note(NOT_SAID))

    def _answer(self, incoming: Incoming, now: datetime) -> Response:
        if incoming.kind is not Kind.CALLBACK:
            return self._said(incoming, self._run(incoming, incoming.text, incoming.sent_at or now, now))
        data = incoming.text
        if data.startswith(REFRESH):
            note = self._run(incoming, f"/{data.removeprefix(REFRESH)}", now, now, pressed=True)
            return Response(note, incoming.message_id, "Refreshed")
        word, _, nonce = data.partition(":")
        pending = self.confirmations.take(nonce, incoming.user_id, now)
        if f"{word}:" != YES:
            return Response(Note("Not done."), incoming.message_id, "Not done")
        return Response(pending.act(), incoming.message_id, "Done")

    def _run(self, incoming: Incoming, text: str, sent_at: datetime, now: datetime, *, pressed: bool = False) -> Note:
        name, words = read_command(text)
        command = find(name, self.commands)
        role = self.people[incoming.user_id]
        if role < command.role:
            self.refusals.record(incoming, f"/{command.name} of a {role.name.lower()}", self.clock())
            raise ValueError(f"/{command.name} is for operators: you may read, not act")
        if pressed and not command.refreshes:
            raise ValueError(f"/{command.name} is typed, not refreshed")
        asked = Asked(incoming.user_id, incoming.user_name, role, name, words, sent_at)
        answer = command.answer(asked)
        if isinstance(answer, Question):
            return self._question(answer, incoming.user_id, now)
        return _with_refresh(answer, asked) if command.refreshes else answer

    def _question(self, question: Question, user_id: int, now: datetime) -> Note:
        nonce = self.confirmations.ask(user_id, question.act, now)
        buttons = ((Button(question.yes, f"{YES}{nonce}"), Button("No", f"{NO}{nonce}")),)
        return Note(question.html, buttons=buttons)

    def _said(self, incoming: Incoming, note: Note) -> Response:
        """Over the message whose button was pressed, else as a new one."""
        replaces = incoming.message_id if incoming.kind is Kind.CALLBACK else 0
        return Response(note, replaces)


def _with_refresh(note: Note, asked: Asked) -> Note:
    data = REFRESH + asked.line.removeprefix("/")
    if note.picture is not None or len(data.encode()) > LONGEST_DATA:
        return note
    return Note(note.html, note.silent, (*note.buttons, (Button("Refresh", data),)), note.keyboard)
