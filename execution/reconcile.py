"""What happened to unfinished orders? Start-up, crash and every tick go through here, and ask; nothing here sends."""

import structlog

from execution.executors import BaseExecutor
from execution.models import Order
from execution.record import record, record_unknown
from execution.states import UNFINISHED_ORDER, OrderStatus
from execution.submit import request_of, sent_of
from market.clock import Now
from market.exchange import Transient
from market.orders import OrderReport, ReportStatus

log = structlog.get_logger()


def settle_orders(bot_id: int, executor: BaseExecutor, now: Now) -> bool:
    """Ask about every unfinished order of a bot and book the answers. True when none is left unfinished.

    Call it under the bot's tick lease: nobody else is then sending for this bot.
    """
    unfinished = Order.objects.filter(bot_id=bot_id, status__in=list(UNFINISHED_ORDER)).order_by("pk")
    settled = [_settle(order, executor, now) for order in unfinished]  # each is asked for, whatever came of the others
    return all(settled)


def _settle(order: Order, executor: BaseExecutor, now: Now) -> bool:
    if order.status == OrderStatus.PREPARED:
        # SENT is committed before the network is touched: this one never left the machine, and its moment has passed.
        withdrawn = OrderReport(order.client_order_id, ReportStatus.CANCELED, reason="withdrawn: it was never sent")
        record(order, withdrawn, now)
        return True
    if order.status == OrderStatus.SENT:
        record_unknown(order, "the process that sent it did not come back", now)
    try:
        report = executor.query(request_of(order), sent_of(order), now)
    except Transient as error:
        log.warning("order_unsettled", order=order.client_order_id, status=order.status, error=str(error))
        return False
    status = record(order, report, now)
    log.info("order_settled", order=order.client_order_id, status=status, answer=report.reason)
    return status not in UNFINISHED_ORDER
