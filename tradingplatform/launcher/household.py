"""Who is up, who died, who is back: the journal's events turned into lines for people. Reads no clock, asks nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tradingplatform.launcher.journal import Event
from tradingplatform.launcher.programs import Program

TELL_DEATHS = 3  # of one program before it is back; then its log is pointed at, once


@dataclass(slots=True)
class Member:
    """``up``: it did its work since its last start. ``told``: it was up at least once, and that was said."""

    program: Program
    pid: int = 0
    started_at: float = 0.0
    up: bool = False
    told: bool = False
    died_at: float = 0.0  # the first death since it was last up; 0 when there was none
    deaths: int = 0


class Household:
    """All programs of a run."""

    def __init__(self, programs: list[Program]) -> None:
        self.members = {program.name: Member(program) for program in programs}

    @property
    def complete(self) -> bool:
        return all(member.up for member in self.members.values())

    def waiting(self) -> list[Member]:
        """Started, and not seen at work yet."""
        return [member for member in self.members.values() if member.pid and not member.up]

    def happened(self, event: Event) -> Iterator[str]:
        """Take an event in; the lines to tell."""
        member = self.members[event.name]
        if not event.cause:
            member.pid, member.started_at, member.up = event.pid, event.at, False
            return
        member.pid, member.up = 0, False
        member.died_at = member.died_at or event.at
        member.deaths += 1
        if member.deaths <= TELL_DEATHS:
            yield f"{_time(event.at)} {event.name} died ({event.cause}), restarting it"
        elif member.deaths == TELL_DEATHS + 1:
            yield f"{_time(event.at)} {event.name} keeps dying and is restarted each time: see log/{event.name}.log"

    def works(self, name: str, now: float) -> str:
        """It was seen at work; the line to tell, empty when it was told before."""
        member = self.members[name]
        first, died_at = not member.told, member.died_at
        member.up, member.told, member.died_at, member.deaths = True, True, 0.0, 0
        if died_at:
            return f"{_time(now)} {name} is back with pid {member.pid} after {now - died_at:.1f} s"
        return f"  ✓ {name:<14} pid {member.pid:<8} {member.program.does}" if first else ""

    def catch_up(self, events: list[Event]) -> None:
        """A narrator that died takes in what its predecessor told already."""
        reborn = any(event.name == "narrator" and event.cause for event in events)
        for event in events:
            for _line in self.happened(event):
                pass
        for member in self.members.values():
            member.told, member.deaths = reborn, 0
            if member.pid and member.program.name != "narrator":
                member.died_at = 0.0


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
