"""The platform's own settings, and one strategy more: it wants to enter whenever it is asked."""

from tradingplatform.settings import *  # noqa: F403
from tradingplatform.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.live_processes.at_once.AtOnceConfig"]
