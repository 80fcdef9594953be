from django.apps import AppConfig


class TradingPlatformConfig(AppConfig):
    name = "tradingplatform"
    verbose_name = "Trading platform"
