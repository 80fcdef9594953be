"""Rows -> JSON values for the telling of one slot. Money as exact strings, times as ISO 8601."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from execution.ledger import Holding, apply_fill
from execution.models import Order, Position, Trade
from execution.states import LIVE_POSITION
from market.money import ROUNDED, canonical
from market.orders import Fill, Side
from notifications.models import Event
from risk.models import Decision


def text(figure: Decimal | None) -> str | None:
    return None if figure is None else canonical(figure)


def iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def decision_row(decision: Decision) -> dict[str, Any]:
    """What was looked at and decided. Where nothing was held or proposed, ``held`` and ``proposal`` are None;
    ``opinion`` where no AI was asked."""
    signal = dict(decision.signal)
    held, proposal = signal.pop("held", None), signal.pop("proposal", None)
    columns = ("outcome", "reason", "bot_status", "failed_check", "candle", "checks")
    return {
        **{name: getattr(decision, name) for name in columns},
        "signal": signal,
        "held": held,
        "proposal": proposal,
        "opinion": decision.opinion,
        "market_at": iso(decision.market_at),
        "wall_at": iso(decision.wall_at),
    }


def order_row(order: Order, trades: Iterable[Trade], *, decided: bool) -> dict[str, Any]:
    """An order, what the exchange said, and its fills. ``decided``: whether it came of the slot's decision."""
    return {
        **{name: getattr(order, name) for name in ("purpose", "symbol", "side", "type", "status", "reason", "answer")},
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        **{name: text(getattr(order, name)) for name in ("amount", "filled", "filled_cost", "reference_price")},
        "position": order.position_id,
        "decided": decided,
        "market_at": iso(order.market_at),
        **{name: iso(getattr(order, name)) for name in ("prepared_at", "sent_at", "finished_at")},
        "fills": [_fill_row(trade) for trade in trades],
    }


def _fill_row(trade: Trade) -> dict[str, Any]:
    figures = {name: text(getattr(trade, name)) for name in ("amount", "price", "fee")}
    return {**figures, "fee_currency": trade.fee_currency, "trade_id": trade.trade_id, "at": iso(trade.executed_at)}


def position_row(position: Position, trades: Iterable[Trade], at: datetime) -> dict[str, Any]:
    """A position: what was held at a market time, by its fills until then, and what became of it since."""
    holding = holding_at(position, trades, at)
    figures = ("stop_price", "target_price", "entry_price", "exit_price", "realised", "fees", "mark_price")
    return {
        "id": position.pk,
        "symbol": position.symbol,
        "at": {"quantity": canonical(holding.quantity), "cost": canonical(holding.cost), "price": _price(holding)},
        "status": position.status,
        "is_live": position.status in LIVE_POSITION,
        "existed": position.created_at < at and not _is_over(position, at),
        "quantity": canonical(position.quantity),
        "unrealised": text(position.unrealised),
        **{name: text(getattr(position, name)) for name in figures},
        "exit_reason": position.exit_reason,
        "exit_text": position.exit_text,
        **{name: iso(getattr(position, name)) for name in ("created_at", "opened_at", "closed_at")},
    }


def _is_over(position: Position, at: datetime) -> bool:
    return position.closed_at is not None and position.closed_at <= at


def holding_at(position: Position, trades: Iterable[Trade], at: datetime) -> Holding:
    """What the fills (in the order of their booking) until a market time had made of the position."""
    base, _, quote = position.symbol.partition("/")
    holding = Holding()
    for trade in trades:
        if trade.executed_at <= at:
            fill = Fill(trade.trade_id, trade.price, trade.amount, trade.fee, trade.fee_currency, trade.executed_at)
            holding = apply_fill(holding, Side(trade.side), fill, base, quote, trade.fee_rate)
    return holding


def _price(holding: Holding) -> str | None:
    if not holding.quantity:
        return None
    return canonical(ROUNDED.divide(holding.cost, holding.quantity).quantize(Decimal("1e-8"), context=ROUNDED))


def event_row(event: Event) -> dict[str, Any]:
    return {"kind": event.kind, "severity": event.severity, "text": event.text, "market_at": iso(event.market_at)}
