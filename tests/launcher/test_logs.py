"""What the logs do not repeat, and that what they tell is one line each."""

import json
import subprocess
import sys

from tradingplatform.environment import ROOT

WARN = """
import logging, warnings
from celery.exceptions import SecurityWarning
from tradingplatform.logs import configure_logs
configure_logs()
warnings.warn(SecurityWarning("You're running the worker with superuser privileges: this is\\nabsolutely not"))
warnings.warn("StreamingHttpResponse must consume synchronous iterators in order to serve them")
logging.getLogger("celery.worker.request").info("Discarding revoked task: tick_bot")
warnings.warn("something new")
"""


def test_noise_is_left_out_and_a_warning_is_one_line():
    ended = subprocess.run([sys.executable, "-c", WARN], cwd=ROOT, capture_output=True, text=True, check=True)

    [line] = ended.stderr.splitlines()
    told = json.loads(line)
    assert (told["logger"], told["level"]) == ("py.warnings", "warning")
    assert "something new" in told["event"]
