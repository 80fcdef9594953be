"""Say that a human is here."""

from datetime import timedelta
from typing import Any

from tradingplatform.management.base import OperatorCommand
from tradingplatform.operator import check_in


class Command(OperatorCommand):
    help = "A human is here: the dead man's switch begins its 24 hours anew."

    def act(self, **options: Any) -> None:
        switch = check_in(self.by())
        due = switch.last_checkin_at + timedelta(seconds=switch.timeout_s)
        self.stdout.write(f"Checked in. Entries stop unless somebody checks in again before {due:%Y-%m-%d %H:%M} UTC.")
