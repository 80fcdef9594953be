"""Management commands as an operator types them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def run(*words):
    """What the command prints."""
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def refusal(*words):
    """What it says when it refuses."""
    with pytest.raises(CommandError) as caught:
        run(*words)
    return str(caught.value)
