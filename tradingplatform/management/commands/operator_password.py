"""A new password for the operator."""

from typing import Any

from django.conf import settings
from django.db import transaction

from notifications.events import publish
from notifications.models import Severity
from tradingplatform.event_kinds import OperatorPasswordChanged
from tradingplatform.management.base import OperatorCommand
from tradingplatform.passwords import OPERATOR, new_password, password_box


class Command(OperatorCommand):
    help = "Give the operator a new random password, and show it once. The old one and its sessions end."

    def act(self, **options: Any) -> None:
        by = self.by()
        with transaction.atomic():
            password = new_password()
            publish(
                OperatorPasswordChanged(by.actor, OPERATOR),
                f"{by.actor} gave the user {OPERATOR} a new password",
                severity=Severity.WARNING,
                market_at=by.now.market_at,
                wall_at=by.now.wall_at,
            )
            by.audit("operator_password", f"user {OPERATOR}")
        self.stdout.write(password_box(password, settings.ENV.PORT))
