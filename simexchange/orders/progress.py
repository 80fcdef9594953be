"""How far the open orders have been matched with the market."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Progress:
    """Per symbol: up to which moment (market time) everything has happened to its orders, and the first one at which
    something may happen next. The second is only remembered, never needed: it saves looking at the price again."""

    matched_ms: dict[str, int] = field(default_factory=dict)
    next_ms: dict[str, int] = field(default_factory=dict)

    def reached(self, symbol: str, now_ms: int) -> None:
        """Orders or rules of the symbol have changed at this moment: what was known of its future is void."""
        self.matched_ms[symbol] = max(now_ms, self.matched_ms.get(symbol, 0))
        self.next_ms.pop(symbol, None)
