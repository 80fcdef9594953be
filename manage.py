#!/usr/bin/env python
"""Django's command line: ``python manage.py help`` lists what an operator can do."""

import os
import sys


def main() -> None:
    """Runs a command. An environment that does not fit ends it in a line for each mistake, with exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from tradingplatform.environment import BadEnvironment

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if not isinstance(error.__context__, BadEnvironment):
            raise
        sys.exit(str(error))


if __name__ == "__main__":
    main()
