"""``manage.py check`` tells of an AI that is half set up."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from tradingplatform.ai.config import half_configured, unsafe

HINT = "see docs/ai.md; without all of them no AI is asked, and bots in the mode veto do as their ai_on_failure says"


@register("ai")
def check_ai(**_: Any) -> list[CheckMessage]:
    """Half of the settings is a mistake that is told; a key in the clear is one that is refused."""
    found: list[CheckMessage] = []
    if half := half_configured():
        found.append(Warning(half, hint=HINT, id="tradingplatform.W001"))
    if leak := unsafe():
        found.append(Error(leak, hint="http:// is for a server on this machine", id="tradingplatform.E002"))
    return found
