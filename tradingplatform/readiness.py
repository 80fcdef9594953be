"""``/readyz``: whether a bot that wants to enter now would find everything that an entry needs."""

from collections.abc import Callable
from contextlib import closing

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from bots.models import ExchangeAccount, Mode
from execution.clean import why_not_clean
from market.clock import Now, load_clock
from market.standing import Trouble
from notifications.conditions import lasting
from risk.deadman import clock_problem
from risk.deadman_stage import Stage
from risk.halts import in_force
from tradingplatform.alarms import MISSING, switch_state
from tradingplatform.conditions import TROUBLES
from tradingplatform.machines import may_read

PATIENCE_S = 0.5
"""So long Redis may take to answer a ping."""

Look = Callable[[Now], str]
"""Why it is not ready; empty when it is."""


@login_not_required
@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """200 or 503. Each look with its reason for whoever may read metrics, yes or no for everybody else."""
    found = look_at_everything(load_clock(settings.CLOCK_FILE).now())
    ready = not any(found.values())
    told: dict[str, object] = {"ready": ready}
    if may_read(request):
        told["looks"] = {name: reason or "ok" for name, reason in found.items()}
    return JsonResponse(told, status=200 if ready else 503, headers={"Cache-Control": "no-store"})


def look_at_everything(now: Now) -> dict[str, str]:
    """Why each is not ready; empty where it is. What cannot be looked at is not ready."""
    return {name: _answer(look, now) for name, look in LOOKS.items()}


def _answer(look: Look, now: Now) -> str:
    try:
        return look(now)
    except Exception as error:  # the text of a connection error may name a password
        return f"it cannot be asked ({type(error).__name__})"


def _database(_: Now) -> str:
    return "" if ExchangeAccount.objects.exists() else "there is no account yet"


def _broker(_: Now) -> str:
    if not settings.REDIS_URL:
        return "no Redis is named (REDIS_URL)"
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
    with closing(client):
        return "" if client.ping() else "it does not answer a ping"


def _exchange(_: Now) -> str:
    kinds = [TROUBLES[trouble][0] for trouble in Trouble]
    return "; ".join(lasting().filter(kind__in=kinds).values_list("text", flat=True))


def _accounts(now: Now) -> str:
    live = ExchangeAccount.objects.filter(mode=Mode.LIVE).order_by("pk")
    return "; ".join(filter(None, (why_not_clean(account, now) for account in live)))


def _switch(now: Now) -> str:
    stage = switch_state(now.wall_at)["stage"]
    return f"the dead man's switch is {stage}" if stage in (Stage.TRIGGERED.value, MISSING) else ""


def _halts(now: Now) -> str:
    """Only what stops everything: one bot's halt, or one account's, leaves the rest at work."""
    return "; ".join(in_force(now).filter(account=None, bot=None).values_list("text", flat=True))


LOOKS: dict[str, Look] = {
    "database": _database,
    "broker": _broker,
    "exchange": _exchange,
    "accounts": _accounts,
    "switch": _switch,
    "clock": clock_problem,
    "halts": _halts,
}
