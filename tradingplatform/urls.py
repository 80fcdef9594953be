"""What the web process answers. Every view needs a login unless it says otherwise."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from tradingplatform.console.export import export
from tradingplatform.console.users import change_own_password
from tradingplatform.health import healthz
from tradingplatform.metrics.view import metrics
from tradingplatform.readiness import readyz
from tradingplatform.stream import may_listen, stream

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path(
        "admin/password_change/", admin.site.admin_view(change_own_password, cacheable=True)
    ),  # before the admin's own
    path("admin/export/<str:app>/<str:model>/", admin.site.admin_view(export), name="console_export"),
    path("admin/reports/", include("tradingplatform.console.reports")),
    path("admin/", admin.site.urls),
    path("events/stream", stream, name="event_stream"),
    path("events/may-listen", may_listen, name="event_stream_may_listen"),
    path("metrics", metrics, name="metrics"),
    path("readyz", readyz, name="readyz"),
    path("healthz", healthz),
]
