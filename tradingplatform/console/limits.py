"""Limits in the console: every edit is audited."""

from django.contrib import admin

from risk.admin import BotRiskLimitsAdmin, PortfolioRiskLimitsAdmin
from risk.models import BotRiskLimits, PortfolioRiskLimits
from tradingplatform.console.audit import AuditedAdmin

admin.site.unregister(BotRiskLimits)
admin.site.unregister(PortfolioRiskLimits)


@admin.register(BotRiskLimits)
class ConsoleBotLimitsAdmin(AuditedAdmin, BotRiskLimitsAdmin):
    """Checks 2 to 5, by bot."""


@admin.register(PortfolioRiskLimits)
class ConsolePortfolioLimitsAdmin(AuditedAdmin, PortfolioRiskLimitsAdmin):
    """Checks 6 to 8, by account."""
