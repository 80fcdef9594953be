"""What Django's error pages with details (DEBUG) leave out, on top of what Django leaves out itself."""

import re

from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Addresses carry passwords, and the environment as it was read carries everything."""

    hidden_settings = re.compile(rf"{SafeExceptionReporterFilter.hidden_settings.pattern}|URL|WEBHOOK|^ENV$", re.I)
