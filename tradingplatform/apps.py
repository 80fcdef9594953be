from django.apps import AppConfig
from django.conf import settings

from tradingplatform.logs import configure_logs


class TradingPlatformConfig(AppConfig):
    name = "tradingplatform"
    verbose_name = "Trading platform"

    def ready(self) -> None:
        configure_logs(settings.LOG_LEVEL, settings.LOG_FORMAT)
