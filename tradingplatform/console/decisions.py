"""Decisions in the console: with what came of them. (Where they are made, nobody knows of orders.)"""

from django.contrib import admin
from django.utils.safestring import SafeString

from execution.models import Order
from notifications.admin_base import display, rows_link
from risk.decision_list import DecisionAdmin
from risk.models import Decision, Outcome

admin.site.unregister(Decision)

WITH_ORDERS = (Outcome.APPROVED, Outcome.EXIT)


@admin.register(Decision)
class ConsoleDecisionAdmin(DecisionAdmin):
    """Why a bot did or did not trade."""

    list_display = (*DecisionAdmin.list_display, "orders_link")
    readonly_fields = (*DecisionAdmin.readonly_fields, "orders_link")

    @display(description="more")
    def orders_link(self, decision: Decision) -> SafeString | str:
        if decision.outcome not in WITH_ORDERS:
            return "-"
        return rows_link(Order, "orders", decision__id__exact=decision.pk)
