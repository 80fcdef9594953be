"""Which faults there are, which of them strikes a request, and how often each did."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from random import Random

from simexchange.faults.fault import Ask, Fault

_PAST_KEPT = 200


class State(StrEnum):
    WAITING = "waiting"  # its time, or its n-th request, has not come yet
    ACTIVE = "active"  # strikes what it matches
    SPENT = "spent"  # struck as often as it may
    OVER = "over"  # its time has passed
    DELETED = "deleted"  # taken away


@dataclass(eq=False)
class Active:
    """A fault at work. ``opened_ms`` is the wall time from which it strikes; None while it waits for its n-th request.

    Whether it strikes is drawn once per matching request, in order, from its own seed: the same requests meet the same
    faults again.
    """

    id: int
    fault: Fault
    created_ms: int
    opened_ms: int | None = None
    matched: int = 0
    struck: int = 0
    last_struck_ms: int | None = None
    draw: Random = field(init=False)
    amounts: Random = field(init=False)

    def __post_init__(self) -> None:
        self.draw = Random(self.fault.seed)
        self.amounts = Random(self.fault.seed + 1)
        if self.fault.after_requests is None:
            self.opened_ms = self._earliest_ms

    @property
    def _earliest_ms(self) -> int:
        if self.fault.from_ms is not None:
            return self.fault.from_ms
        return self.created_ms + int((self.fault.after_s or 0) * 1000)

    @property
    def closes_ms(self) -> int | None:
        """Wall time from which it does not strike any more; None when it goes on, or has not begun."""
        if self.fault.until_ms is not None:
            return self.fault.until_ms
        if self.fault.for_s is None or self.opened_ms is None:
            return None
        return self.opened_ms + int(self.fault.for_s * 1000)

    def state(self, now_ms: int) -> State:
        if self.fault.times is not None and self.struck >= self.fault.times:
            return State.SPENT
        if self.closes_ms is not None and now_ms >= self.closes_ms:
            return State.OVER
        return State.WAITING if self.opened_ms is None or now_ms < self.opened_ms else State.ACTIVE

    def sees(self, ask: Ask, now_ms: int) -> bool:
        """Count the request if it matches; whether the fault is to strike it."""
        if not self.fault.where.matches(ask, self.fault.about_data):
            return False
        self.matched += 1
        if self.opened_ms is None and self.matched >= (self.fault.after_requests or 0) and now_ms >= self._earliest_ms:
            self.opened_ms = now_ms
        return self.state(now_ms) is State.ACTIVE and (self.fault.share >= 1 or self.draw.random() < self.fault.share)

    def strike(self, now_ms: int) -> None:
        self.struck += 1
        self.last_struck_ms = now_ms

    def report(self, state: State) -> dict[str, object]:
        told = asdict(self.fault)
        what = {"kind": told.pop("kind")} | told.pop("params")
        where = told.pop("where")
        where = {"endpoint": f"{where.pop('method')} {where.pop('path')}"} | where
        counts = {"matched": self.matched, "struck": self.struck, "last_struck_ms": self.last_struck_ms}
        times = {"created_ms": self.created_ms, "opened_ms": self.opened_ms, "closes_ms": self.closes_ms}
        return {"id": self.id, "state": state, "what": what, "where": where} | told | counts | times


@dataclass(frozen=True)
class Met:
    """What a request met: at most one fault of transport, and any number about data."""

    transport: Active | None = None
    data: tuple[Active, ...] = ()


NOTHING = Met()


class Faults:
    """All faults of this run of the exchange, in order of creation."""

    def __init__(self) -> None:
        self._present: list[Active] = []
        self._past: deque[tuple[Active, State]] = deque(maxlen=_PAST_KEPT)
        self._next_id = 1

    @property
    def none(self) -> bool:
        return not self._present

    @property
    def ids(self) -> list[int]:
        return [active.id for active in self._present]

    def add(self, faults: Iterable[Fault], now_ms: int) -> list[int]:
        added = [Active(number, fault, now_ms) for number, fault in enumerate(faults, start=self._next_id)]
        self._next_id += len(added)
        self._present += added
        return [active.id for active in added]

    def delete(self, fault_id: int | None = None) -> list[int]:
        """Take one away, or all; the ids of those that were there."""
        gone = [active for active in self._present if fault_id in (None, active.id)]
        self._present = [active for active in self._present if active not in gone]
        self._past.extend((active, State.DELETED) for active in gone)
        return [active.id for active in gone]

    def meet(self, ask: Ask, now_ms: int) -> Met:
        """The faults that strike this request. A fault of transport counts as having struck at once; one about data
        only when it changed something, which its doer says."""
        self._sort_out(now_ms)
        seen = [active for active in self._present if active.sees(ask, now_ms)]
        transport = next((active for active in seen if not active.fault.about_data), None)
        if transport is not None:
            transport.strike(now_ms)
        return Met(transport, tuple(active for active in seen if active.fault.about_data))

    def report(self, now_ms: int) -> dict[str, object]:
        self._sort_out(now_ms)
        return {
            "active": [active.report(active.state(now_ms)) for active in self._present],
            "past": [active.report(state) for active, state in self._past],
        }

    def _sort_out(self, now_ms: int) -> None:
        ended = (State.SPENT, State.OVER)
        self._past.extend((a, a.state(now_ms)) for a in self._present if a.state(now_ms) in ended)
        self._present = [active for active in self._present if active.state(now_ms) not in ended]
