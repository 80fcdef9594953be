"""What the web process answers. Every view needs a login unless it says otherwise."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from tradingplatform.health import healthz
from tradingplatform.stream import stream

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("events/stream", stream, name="event_stream"),
]
