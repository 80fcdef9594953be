"""Make what a new installation needs."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from tradingplatform.first_start import first_start, is_needed
from tradingplatform.management.base import OperatorCommand, now
from tradingplatform.passwords import password_box


class Command(OperatorCommand):
    help = (
        "Make what a new installation needs: the dead man's switch, the fleet, the operator. Repeating it is harmless."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--needed", action="store_true", help="only say whether there is anything to do: yes or no")

    def act(self, **options: Any) -> None:
        if options["needed"]:
            self.stdout.write("yes" if is_needed() else "no")
            return
        password = first_start(settings.ENV.FLEET, now(), self.stdout.write)
        if password is not None:
            self.stdout.write(password_box(password, settings.ENV.PORT))
