"""Settings of the test run: the real ones, on a throw-away VAR and a file database per test process."""

import os
import tempfile
from pathlib import Path

_scratch = Path(tempfile.mkdtemp(prefix="platform-tests-"))
os.environ.update(VAR=str(_scratch), SECRET_KEY="for-tests-only-" + "x" * 40, EXCHANGE="simulated", SPEED="60")
os.environ.update(LIVE_TRADING="no", FIELD_KEYS="", METRICS_TOKEN="", WEBHOOKS="")
for name in ("TELEGRAM_TOKEN", "TELEGRAM_OPERATORS", "TELEGRAM_VIEWERS", "TELEGRAM_ALERTS"):
    os.environ[name] = ""
os.environ.update(AI_BASE_URL="", AI_API_KEY="", AI_MODEL="", AI_DEADLINE_S="5", AI_DAILY_CALLS="500")
for name in ("DATABASE_URL", "REDIS_URL", "SIM_URL"):
    os.environ.setdefault(name, "")

from tradingplatform.settings import *  # noqa: E402, F403
from tradingplatform.settings import DATABASES  # noqa: E402

(_scratch / "static").mkdir()
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": _scratch / "test.sqlite3"}
STRICT_EVENTS = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
