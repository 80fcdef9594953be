from django.apps import AppConfig
from django.db.models.signals import post_save, pre_save


class ExecutionConfig(AppConfig):
    name = "execution"
    verbose_name = "Execution"

    def ready(self) -> None:
        """Books and portfolios are made with their bots and accounts, and follow their capital."""
        from bots.models import Bot, ExchangeAccount
        from execution import bot_rows

        post_save.connect(bot_rows.account_saved, sender=ExchangeAccount, dispatch_uid="execution.account_saved")
        post_save.connect(bot_rows.bot_saved, sender=Bot, dispatch_uid="execution.bot_saved")
        pre_save.connect(bot_rows.bot_about_to_be_saved, sender=Bot, dispatch_uid="execution.bot_about_to_be_saved")
