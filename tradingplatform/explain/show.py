"""The page. PURE."""

from collections.abc import Iterator, Mapping
from typing import Any

LEFT_OUT = {"timestamp", "event", "level", "logger", "program", "bot", "bot_id", "slot", "market_at", "exception"}
"""What every line has, or the page says above."""


def page_of(why: str, told: Mapping[str, Any]) -> str:
    """What ``why`` says, then the events of the slot, then the log, one line each."""
    return "\n".join([*_order(told.get("order_asked")), why.rstrip("\n"), "", *_events(told), "", *_log(told)])


def _order(order: Mapping[str, Any] | None) -> Iterator[str]:
    """The one that was asked for, the exchange's answer to it, and what had entered its position."""
    if order is None:
        return
    number = f", {order['exchange_order_id']} at the exchange" if order["exchange_order_id"] else ""
    answer = f" ({order['answer']})" if order["answer"] else ""
    purpose, position = order["purpose"], order["position"]
    yield f"order {order['client_order_id']}{number}: {purpose} of position #{position}, {order['status']}{answer}"
    yield f"  because: {order['reason'] or 'no reason is kept'}"
    entry = order["entry"]
    if entry is not None and entry["client_order_id"] != order["client_order_id"]:
        when = f" at {entry['decided_at'][:16].replace('T', ' ')} UTC, market time" if entry["decided_at"] else ""
        why = f": {entry['signal']}; {entry['checks_passed']} checks passed" if entry["signal"] else ""
        yield f"  entered by {entry['client_order_id']}{when}{why} (explain --order {entry['client_order_id']})"
    yield ""


def _events(told: Mapping[str, Any]) -> Iterator[str]:
    events = told["all_events"]
    yield f"events of the slot: {len(events) or 'none'}"
    for event in events:
        severity = "" if event["severity"] == "INFO" else f" {event['severity']}"
        yield f"  {event['wall_at'][11:23]}  {event['kind']}{severity}  {event['text']}"


def _log(told: Mapping[str, Any]) -> Iterator[str]:
    lines = told["log"]
    yield f"log lines, wall time: {len(lines) or 'none is left in ' + told['log_folder']}"
    for line in lines:
        yield from _line(line)
    if told["log_left_out"]:
        yield f"  and {told['log_left_out']} more in {told['log_folder']}"


def _line(line: Mapping[str, Any]) -> Iterator[str]:
    facts = "  ".join(f"{name}={_value(value)}" for name, value in line.items() if name not in LEFT_OUT and value != "")
    level = "" if line.get("level") in ("info", "debug") else f" {str(line.get('level')).upper()}"
    yield f"  {line['timestamp'][11:23]}  {line['program']}{level}  {line.get('event')}  {facts}".rstrip()
    for raised in line.get("exception") or ():
        yield f"      {raised.get('exc_type')}: {raised.get('exc_value')}"


def _value(value: object) -> str:
    text = str(value)
    return text if text and not set(text) & {" ", "="} else repr(text)
