"""What every log line about an order carries, whoever sends it or asks for it."""

from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars

from execution.models import Order


def about(order: Order) -> AbstractContextManager[None]:
    """Bind the order to every line logged inside, and whose it is."""
    return bound_contextvars(
        order=order.client_order_id,
        purpose=order.purpose,
        symbol=order.symbol,
        bot_id=order.bot_id,
        position=order.position_id,
    )
