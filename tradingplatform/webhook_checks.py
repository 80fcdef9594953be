"""``manage.py check`` reads WEBHOOKS as the process that sends them would."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from notifications.webhooks.config import BadWebhooks, read_hooks
from tradingplatform.environment import ROOT


@register("webhooks")
def check_webhooks(**_: Any) -> list[CheckMessage]:
    """One error for each mistake."""
    try:
        read_hooks(settings.WEBHOOKS, ROOT)
    except BadWebhooks as error:
        hint = "see docs/webhooks.md; without WEBHOOKS nothing is sent"
        return [Error(line, hint=hint, id="tradingplatform.E001") for line in str(error).splitlines()]
    return []
