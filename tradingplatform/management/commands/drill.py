"""Rehearse the dead man's switch."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from tradingplatform.drill import drill
from tradingplatform.management.base import OperatorCommand, confirm
from tradingplatform.typed import manage

CONFIRMATION = "DRILL"


class Command(OperatorCommand):
    help = "Trigger the dead man's switch for real, and look whether the gate refuses. Reset it afterwards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="why now; kept with the event")
        parser.add_argument("--confirm", default="", metavar=CONFIRMATION, help="typed: entries stop until the reset")

    def act(self, **options: Any) -> None:
        confirm(CONFIRMATION, options["confirm"], "stop all entries and rehearse the dead man's switch")
        findings = drill(self.by(options["reason"]))
        for finding in findings:
            self.stdout.write(f"{'FAILED' if finding.problem else 'ok':8}{finding.what} {finding.problem}".rstrip())
        reset = manage('reset_switch --reason "..." --confirm RESET', settings.VAR)
        self.stdout.write(f"Nothing enters now. To end the drill: {reset}, then resume the bots.")
        if any(finding.problem for finding in findings):
            raise CommandError("the drill has failed: it does not count, whatever ends it")
