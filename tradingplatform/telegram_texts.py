"""What an alert says, by the kind of its event, in Telegram's HTML. PURE."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from market.money import brief, decimals_shown, percent, ratio
from notifications.telegram.markup import bold, escape
from tradingplatform.alarm_texts import span

_MARKS = {"INFO": "", "WARNING": "⚠️ ", "CRITICAL": "🚨 "}


@dataclass(frozen=True, slots=True)
class Alert:
    """An event, and what is known of the position it is about: what it cost in quote, how long it was held (market
    time), and why it ended, in words."""

    kind: str
    severity: str
    text: str
    market_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    bot: str = ""
    cost: Decimal | None = None
    held_for: timedelta | None = None
    exit_text: str = ""


def alert_text(alert: Alert) -> str:
    """A bold first line, then one line for each thing to know. Of a kind that is not known: all that its event says."""
    title, lines = _TEXTS.get(alert.kind, _any)(alert)
    shown = [f"{_MARKS.get(alert.severity, '')}{bold(title)}", *(escape(line) for line in lines if line)]
    return "\n".join([*shown, f"<i>{alert.market_at:%Y-%m-%d %H:%M:%S} UTC</i>"])


Told = tuple[str, Iterator[str]]


def _any(alert: Alert) -> Told:
    return _named(alert.kind), _said(alert)


def _said(alert: Alert) -> Iterator[str]:
    """The event's own sentence, and what it may leave out."""
    yield alert.text
    if alert.bot and alert.bot not in alert.text:
        yield f"bot {alert.bot}"
    reason = str(alert.payload.get("reason") or alert.payload.get("answer") or "")
    if reason and reason not in alert.text:
        yield f"because: {reason}"


def _opened(alert: Alert) -> Told:
    payload = alert.payload

    def lines() -> Iterator[str]:
        yield f"bot {alert.bot}" if alert.bot else alert.text
        base, quote = _pair(payload)
        yield f"{_figure(payload, 'quantity')} {base} at {_figure(payload, 'entry_price')}"
        if alert.cost is not None:
            yield f"cost {_money(alert.cost, quote)} {quote}"
        yield f"stop {_figure(payload, 'stop_price')}"

    return f"Bought {payload.get('symbol', '')}".strip(), lines()


def _closed(alert: Alert) -> Told:
    payload = alert.payload
    base, quote = _pair(payload)
    profit = _decimal(payload.get("realised"))

    def lines() -> Iterator[str]:
        yield f"bot {alert.bot}" if alert.bot else alert.text
        amount = brief(alert.cost) + f" {quote} of {base}" if alert.cost is not None else base
        yield f"{amount}, {_figure(payload, 'entry_price')} to {_figure(payload, 'exit_price')}"
        yield f"fees {_figure(payload, 'fees')} {quote}, inside the profit"
        yield f"held {_lasted(alert.held_for)}" if alert.held_for is not None else ""
        why = str(payload.get("exit_reason") or "").lower()
        yield f"{why}: {alert.exit_text}" if alert.exit_text else why

    if profit is None:
        return f"Closed {payload.get('symbol', '')}", lines()
    share = _share(profit, alert.cost)
    word = "Profit" if profit > 0 else "Loss" if profit < 0 else "Even"
    return f"{word} {_money(profit, quote, sign=True)} {quote}{share} on {payload.get('symbol', '')}", lines()


def _order(alert: Alert) -> Told:
    payload = alert.payload

    def lines() -> Iterator[str]:
        yield f"bot {alert.bot}" if alert.bot else alert.text
        side, base = str(payload.get("side", "")).lower(), _pair(payload)[0]
        yield f"{side} {_figure(payload, 'filled')} of {_figure(payload, 'amount')} {base} filled"
        yield str(payload.get("reason") or "")
        yield f"the exchange: {payload['answer']}" if payload.get("answer") else ""

    purpose = str(payload.get("purpose", "")).lower()
    return f"{_named(alert.kind)}: {purpose} {payload.get('symbol', '')}", lines()


def _halt(alert: Alert) -> Told:
    payload = alert.payload

    def lines() -> Iterator[str]:
        yield alert.text
        if "limit" in payload and "value" in payload:
            yield f"limit {payload['limit']}, value {payload['value']}"
        yield "What is held is sold, one position after another." if payload.get("closes") else ""
        yield "Nothing is entered there until it is over; exits go on. /risk"

    return f"HALTED: {payload.get('cause', 'entries stop')}", lines()


def _switch(alert: Alert) -> Told:
    title = {
        "dead_man_warning": "Check in: the dead man's switch is waiting",
        "dead_man_critical": "CHECK IN NOW: the dead man's switch is about to trigger",
        "dead_man_triggered": "THE DEAD MAN'S SWITCH HAS TRIGGERED",
        "dead_man_still_triggered": "The dead man's switch is still triggered",
    }[alert.kind]
    return title, iter((alert.text, "/switch" if alert.kind.endswith("triggered") else "/checkin"))


_TEXTS: Mapping[str, Callable[[Alert], Told]] = {
    "position_opened": _opened,
    "position_closed": _closed,
    "order_filled": _order,
    "order_partly_filled": _order,
    "order_rejected": _order,
    "order_expired": _order,
    "order_absent": _order,
    "order_unknown": _order,
    "halt_raised": _halt,
    "dead_man_warning": _switch,
    "dead_man_critical": _switch,
    "dead_man_triggered": _switch,
    "dead_man_still_triggered": _switch,
}


def _named(kind: str) -> str:
    words = kind.replace("_", " ")
    return words[:1].upper() + words[1:]


def _pair(payload: Mapping[str, Any]) -> tuple[str, str]:
    base, _, quote = str(payload.get("symbol", "")).partition("/")
    return base, quote


def _decimal(value: object) -> Decimal | None:
    """An exact string of the payload; None for what is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _figure(payload: Mapping[str, Any], name: str) -> str:
    amount = _decimal(payload.get(name))
    return "?" if amount is None else brief(amount)


def _money(amount: Decimal, quote: str, *, sign: bool = False) -> str:
    return f"{amount:{'+' if sign else ''},.{decimals_shown(quote)}f}"


def _share(profit: Decimal, cost: Decimal | None) -> str:
    """Of what it cost; nothing where the two do not fit together, as in a payload that was not ours."""
    try:
        return f" ({_signed_percent(ratio(profit, cost))})" if cost else ""
    except InvalidOperation:
        return ""


def _signed_percent(fraction: Decimal) -> str:
    return f"{'+' if fraction > 0 else ''}{percent(fraction)}"


def _lasted(duration: timedelta) -> str:
    seconds = max(0.0, duration.total_seconds())
    return span(seconds) if seconds < 2 * 86_400 else f"{seconds / 86_400:.1f} days"
