"""One slot of one bot as text for a terminal. PURE. Figures are shortened here; the JSON has every digit."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from market.money import brief
from risk.opinion import sentence
from tradingplatform.typed import manage
from tradingplatform.why.sentence import deal, minute

Told = Mapping[str, Any]
MARKS = {True: "✓ passed", False: "✗ REFUSED", None: "· not evaluated"}
INDENT = 11


def why_table(told: Told) -> str:
    """The sentence, then everything it rests on (see ``find``)."""
    return "\n".join([f"{told['sentence']}.", "", *_slot(told), *_decision(told), *_money(told), *_after(told)])


def _line(name: str, text: str) -> str:
    return f"{name:<{INDENT}}{text}".rstrip()


def _slot(told: Told) -> Iterator[str]:
    slot, decision = told["slot"], told["decision"]
    yield _line("slot", f"{minute(slot['begins_at'])} to {_time(slot['ends_at'])} UTC, market time")
    if slot["wall_begins_at"]:
        about = "" if slot["wall_exact"] else "about "
        yield _line("", f"{about}{_second(slot['wall_begins_at'])} to {_time(slot['wall_ends_at'])} UTC, wall time")
    if decision:
        at, wall = _time(decision["market_at"]), _time(decision["wall_at"])
        yield _line("decided", f"{at} market time, {wall} wall time ({decision['outcome']})")
    now = "" if decision and decision["bot_status"] == told["status"] else f" now ({told['status_reason']})"
    status = f"{decision['bot_status']}" if decision else ""
    status += f"{', ' * bool(status and now)}{told['status'] + now.replace(' ()', '') if now else ''}"
    yield _line("bot", f"{status}; {told['strategy']} on {told['symbol']} {told['timeframe']}")


def _decision(told: Told) -> Iterator[str]:
    decision = told["decision"]
    if decision is None:
        return
    yield _line("candle", _candle(decision["candle"]))
    yield from _signal(decision["signal"])
    if decision["proposal"]:
        yield _line("proposal", _proposal(decision["proposal"], told["symbol"]))
    if decision["opinion"]:
        yield from _opinion(decision["opinion"])
    yield from _checks(decision["checks"])


def _candle(candle: Told) -> str:
    if not candle:
        return "none was looked at"
    opened = datetime.fromtimestamp(candle["opened_ms"] / 1000, tz=UTC)
    prices = ", ".join(f"{name} {_number(candle[name])}" for name in ("open", "high", "low", "close", "volume"))
    return f"opened {opened:%Y-%m-%d %H:%M}: {prices}"


def _signal(signal: Told) -> Iterator[str]:
    if not signal:
        yield _line("signal", "none, the strategy was not asked")
        return
    prices = "".join(f"; {name} {_number(signal[name])}" for name in ("stop", "target") if signal.get(name) is not None)
    yield _line("signal", f"{signal['action']}: {signal['reason']}{prices}")
    if signal["indicators"]:
        yield _line("", "  ".join(f"{name} {_number(value)}" for name, value in signal["indicators"].items()))


def _proposal(proposal: Told, symbol: str) -> str:
    base, _, quote = symbol.partition("/")
    amount, price = _brief(proposal["amount"]), _brief(proposal["reference_price"])
    cost, stop = _brief(proposal["notional"]), _brief(proposal["stop_price"])
    return f"{amount} {base} for at most {price} each, {cost} {quote} in all; stop {stop}"


def _opinion(opinion: Told) -> Iterator[str]:
    yield _line("AI", sentence(opinion))
    took = "" if opinion["latency_ms"] is None else f", {opinion['latency_ms']} ms"
    model = f", {opinion['model']}" if opinion["model"] else ""
    without = f", without an opinion: {opinion['on_failure']}" if opinion["mode"] == "veto" else ""
    yield _line("", f"mode {opinion['mode']}{without}, prompt {opinion['prompt']}{model}{took}")


def _checks(checks: Sequence[Told]) -> Iterator[str]:
    width = max((len(check["name"]) for check in checks), default=0)
    for number, check in enumerate(checks):
        yield _line(
            "" if number else "checks", f"{MARKS[check['passed']]:<15}  {check['name']:<{width}}  {_measured(check)}"
        )


def _measured(check: Told) -> str:
    """Value and limit, and what the note says besides them: most notes have both in words."""
    if check["passed"] is None:
        return ""
    note = str(check["note"])
    if "limit" in note:
        return note
    figures = f"{_figure(check['value'])}, limit {_figure(check['limit'])}"
    return f"{figures}: {note}" if note else figures


def _figure(text: str) -> str:
    """A check says numbers and words: numbers are shortened."""
    try:
        return brief(Decimal(text))
    except InvalidOperation:
        return text


def _money(told: Told) -> Iterator[str]:
    if told["held"] or told["decision"]:
        yield _line("position", _held(told))
    for order in told["orders"]:
        yield from _order(order)
    for position in told["positions"]:
        yield _line("became", f"#{position['id']} {_fate(position)}")


def _held(told: Told) -> str:
    position = told["held"]
    when = "at that time" if told["decision"] else "in that slot"
    if position is None:
        return f"none {when}"
    base, _, quote = position["symbol"].partition("/")
    held = position["at"]
    what = f"{_brief(held['quantity'])} {base} bought at {_brief(held['price'])} {quote}"
    if not Decimal(held["quantity"]):
        what = "its entry was not filled yet"
    target = f", target {_brief(position['target_price'])}" if position["target_price"] else ""
    marked = (told["decision"] or {}).get("held")
    worth = f", unrealised {_signed(marked['unrealised'])}" if marked and marked["unrealised"] else ""
    return f"#{position['id']} {when}: {what}, stop {_brief(position['stop_price'])}{target}{worth}"


def _order(order: Told) -> Iterator[str]:
    whose = "" if order["decided"] else " (not of this decision)"
    amount = f"{order['side']} {_brief(order['amount'])} {order['symbol']} {order['type']}"
    yield _line("order", f"{order['purpose']} {amount}, {order['client_order_id']}{whose}: {order['reason']}")
    sent = f"sent {_time(order['sent_at'])} wall time" if order["sent_at"] else "never sent"
    ended = f", ended {_time(order['finished_at'])}" if order["finished_at"] else ""
    answer = f": {order['answer']}" if order["answer"] else ""
    bought = f", {deal(order)}" if Decimal(order["filled"]) else ""
    yield _line("", f"{order['status']} ({sent}{ended}){bought}{answer}")
    for fill in order["fills"]:
        fee = f"fee {_brief(fill['fee'])} {fill['fee_currency']}"
        yield _line("", f"fill {_time(fill['at'])}: {_brief(fill['amount'])} at {_brief(fill['price'])}, {fee}")


def _fate(position: Told) -> str:
    quote = position["symbol"].partition("/")[2]
    if position["status"] == "FLAT":
        return "never opened: the entry ended without a fill"
    if position["is_live"]:
        now = f"{_brief(position['quantity'])} held now" if position["status"] != "OPENING" else "not filled yet"
        return f"{position['status']}: {now}, {_signed(position['unrealised'])} {quote} unrealised"
    why = f" ({position['exit_text'] or position['exit_reason'].lower()})"
    at = f" at {_brief(position['exit_price'])}" if position["exit_price"] else ""
    return f"closed {_second(position['closed_at'])}{at}: {_signed(position['realised'])} {quote} realised{why}"


def _after(told: Told) -> Iterator[str]:
    for number, event in enumerate(told["events"]):
        yield _line("" if number else "events", f"{_time(event['market_at'])}  {event['text']}")
    yield ""
    name, begins, ends = (shlex.quote(told["bot"]), told["slot"]["begins_at"], told["slot"]["ends_at"])
    before = datetime.fromtimestamp(2 * _stamp(begins) - _stamp(ends), tz=UTC)
    yield f"before: {manage(f'why {name} --at {before:%Y-%m-%dT%H:%M}', Path(told['var']))}"


def _stamp(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


def _time(iso: str) -> str:
    return minute(iso)[11:]


def _second(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}"


def _number(value: float) -> str:
    return brief(Decimal(str(value)))


def _brief(figure: str | None) -> str:
    return "-" if figure is None else brief(Decimal(figure))


def _signed(figure: str | None) -> str:
    sign = "+" if figure is not None and Decimal(figure) > 0 else ""
    return f"{sign}{_brief(figure)}"
