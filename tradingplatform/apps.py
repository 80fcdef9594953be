from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from notifications.webhooks.config import webhook_secrets
from tradingplatform.environment import ROOT
from tradingplatform.log_levels import read_levels
from tradingplatform.logs import configure_logs
from tradingplatform.scrub import remember, remember_environment


class TradingPlatformConfig(AppConfig):
    name = "tradingplatform"
    verbose_name = "Trading platform"

    def ready(self) -> None:
        configure_logs(settings.LOG_LEVEL, settings.LOG_FORMAT, read_levels(settings.LOG_LEVELS))
        remember_environment((name, str(value)) for name, value in settings.ENV)  # what a file gave, too
        remember(settings.SECRET_KEY)
        remember(*webhook_secrets(settings.WEBHOOKS, ROOT))
        import_module("tradingplatform.webhook_checks")
        import_module("tradingplatform.presence")
        import_module("tradingplatform.ai.checks")
        import_module("tradingplatform.launcher.alarms")  # a subscriber, which the console names
        import_module("tradingplatform.celery")  # so that every process sends to our broker, not to Celery's default
