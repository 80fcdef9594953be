"""Which of the events that are due go out in one message. PURE but for the rows it is handed.

Telegram takes about one message a second for a chat: what has piled up goes together, in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from notifications.models import Event
from notifications.telegram.markup import units
from notifications.telegram.values import Note

LONGEST = 3_500  # units of a message: one event more must fit, or it is cut
MOST = 15
AGAIN = "(again)"
"""Above what may have arrived before."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``last`` is done with when the note was taken; ``note`` is None where nobody wants to know. ``told``: how many
    events it tells."""

    last: Event
    told: int
    note: Note | None

    def marked(self) -> Note:
        """The note, marked. Raises ValueError where there is none."""
        if self.note is None:
            raise ValueError("there is no note to mark")
        return replace(self.note, html=f"<i>{AGAIN}</i>\n{self.note.html}")


def next_batch(due: Sequence[tuple[Event, Note | None]], most: int = MOST) -> Batch:
    """The first of them. ``due`` is not empty, oldest first."""
    notes: list[Note] = []
    last, length = due[0][0], 0
    for event, note in due:
        if note is not None:
            length += units(note.html) + 2
            if notes and (len(notes) >= most or length > LONGEST):
                break
            notes.append(note)
        last = event
    if not notes:
        return Batch(last, 0, None)
    html = "\n\n".join(note.html for note in notes)
    return Batch(last, len(notes), Note(html, silent=all(note.silent for note in notes)))
