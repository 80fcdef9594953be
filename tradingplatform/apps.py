from importlib import import_module

from django.apps import AppConfig
from django.conf import settings

from tradingplatform.logs import configure_logs


class TradingPlatformConfig(AppConfig):
    name = "tradingplatform"
    verbose_name = "Trading platform"

    def ready(self) -> None:
        configure_logs(settings.LOG_LEVEL, settings.LOG_FORMAT)
        import_module("tradingplatform.celery")  # so that every process sends to our broker, not to Celery's default
