"""``/healthz``: whether what keeps watch is alive, for a supervisor or a monitor. No login, no secrets, two queries."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tradingplatform.heartbeats import ages_s, why_old


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while every heartbeat is young; else 503 and which is old."""
    wall_at = timezone.now()
    try:
        problems, ages = list(why_old(wall_at)), ages_s(wall_at)
    except DatabaseError:
        problems, ages = ["the database does not answer"], {}
    body = {"healthy": not problems, "problems": problems, "heartbeat_age_s": ages}
    return JsonResponse(body, status=503 if problems else 200)
