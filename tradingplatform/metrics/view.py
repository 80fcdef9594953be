"""``/metrics``."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CONTENT_TYPE_LATEST

from tradingplatform.machines import may_read
from tradingplatform.metrics.scrape import scrape


@login_not_required
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything Prometheus stores. 403 for whoever may not read it."""
    if not may_read(request):
        text = "Metrics are read from this machine, or with the token that METRICS_TOKEN names: see docs/metrics.md\n"
        return HttpResponse(text, status=403, content_type="text/plain")
    return HttpResponse(scrape(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
