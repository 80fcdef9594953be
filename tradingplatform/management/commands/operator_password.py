"""A new password for the operator."""

from typing import Any

from django.conf import settings

from tradingplatform.management.base import OperatorCommand
from tradingplatform.passwords import new_password, password_box


class Command(OperatorCommand):
    help = "Give the operator a new random password, and show it once. The old one and its sessions end."

    def act(self, **options: Any) -> None:
        self.stdout.write(password_box(new_password(), settings.ENV.PORT))
