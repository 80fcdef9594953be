"""How exact decimals are edited in the admin."""

from typing import Any

from bots.fields import ExactDecimalField
from notifications.admin_base import UnfoldAdminDecimalFieldWidget

EXACT: dict[type, dict[str, Any]] = {ExactDecimalField: {"widget": UnfoldAdminDecimalFieldWidget}}
"""For ``formfield_overrides``."""
