"""Who may read what is made for machines: metrics, and why the platform is not ready.

With METRICS_TOKEN whoever shows it (``Authorization: Bearer ...``), from anywhere, and nobody else. Without it this
machine only, asking for itself: a proxy in front makes everybody look local, so what a proxy leaves behind, or a
console that answers to public names, needs the token.
"""

from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip")
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}


def may_read(request: HttpRequest) -> bool:
    """Whether this request shows the token or, where there is none, comes from this machine."""
    if settings.METRICS_TOKEN:
        shown = request.headers.get("Authorization", "")
        return compare_digest(shown.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    forwarded = any(name in request.headers for name in FORWARDED)
    public = not set(settings.ALLOWED_HOSTS) <= LOCAL_NAMES
    return not forwarded and not public and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
