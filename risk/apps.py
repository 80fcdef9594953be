from django.apps import AppConfig
from django.db.models.signals import post_save


class RiskConfig(AppConfig):
    name = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        """Limits are made with their bots and accounts."""
        from bots.models import Bot, ExchangeAccount
        from risk import bot_rows

        post_save.connect(bot_rows.account_saved, sender=ExchangeAccount, dispatch_uid="risk.account_saved")
        post_save.connect(bot_rows.bot_saved, sender=Bot, dispatch_uid="risk.bot_saved")
