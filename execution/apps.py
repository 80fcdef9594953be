from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save

from notifications.database_rules import DatabaseRule, keep

ENTRY_NEEDS_APPROVAL = DatabaseRule(
    name="entry_needs_approval",
    table="execution_order",
    event="INSERT",
    refused=(
        "NEW.purpose = 'ENTRY' AND NOT EXISTS (SELECT 1 FROM risk_decision"
        " WHERE id = NEW.decision_id AND bot_id = NEW.bot_id AND outcome = 'APPROVED')"
    ),
    says="an entry order needs the approved decision of its bot: only the review makes one",
)


class ExecutionConfig(AppConfig):
    name = "execution"
    verbose_name = "Execution"

    def ready(self) -> None:
        """Books and portfolios are made with their bots and accounts, and follow their capital."""
        from bots.models import Bot, ExchangeAccount
        from execution import bot_rows

        keep(self, [ENTRY_NEEDS_APPROVAL])
        post_save.connect(bot_rows.account_saved, sender=ExchangeAccount, dispatch_uid="execution.account_saved")
        post_save.connect(bot_rows.bot_saved, sender=Bot, dispatch_uid="execution.bot_saved")
        pre_save.connect(bot_rows.bot_about_to_be_saved, sender=Bot, dispatch_uid="execution.bot_about_to_be_saved")
