"""A new key for what is encrypted in the database."""

from typing import Any

from django.conf import settings

from bots import field_keys
from tradingplatform.key_rotation import rotate_field_keys
from tradingplatform.management.base import OperatorCommand


class Command(OperatorCommand):
    help = "Make a new first key and encrypt all API keys with it. Older keys stay in the list: backups need them."

    def act(self, **options: Any) -> None:
        count = rotate_field_keys(self.by())
        place = "FIELD_KEYS" if field_keys.from_environment() else str(settings.FIELD_KEYS_FILE)
        self.stdout.write(f"{count} secrets are encrypted with the first key of {place} now.")
        if field_keys.from_environment():
            self.stdout.write("FIELD_KEYS is yours: put a new key first there, and run this again, to change the key.")
