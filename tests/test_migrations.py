"""Every migration of ours goes back to nothing and forward again, on a database of its own; none is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("execution", "risk", "bots", "notifications")  # from the top floor down: foreign keys run down


def manage(var, *words):
    environment = {**os.environ, "VAR": str(var), "SECRET_KEY": "x" * 50, "DATABASE_URL": "", "REDIS_URL": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "tradingplatform.settings"
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def var(tmp_path):
    return tmp_path


def test_forward_back_and_forward(var):
    manage(var, "migrate", "-v0")
    for app in OURS:
        manage(var, "migrate", app, "zero", "-v0")
    shown = manage(var, "showmigrations", *OURS)
    assert "[X]" not in shown
    manage(var, "migrate", "-v0")
    assert "[ ]" not in manage(var, "showmigrations", *OURS)


def test_no_migration_is_missing(var):
    assert "No changes detected" in manage(var, "makemigrations", "--check", "--dry-run")
