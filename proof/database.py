"""The platform's database for one process: migrated once, and put back to that state in a millisecond.

Not by savepoints: what runs on commit must run, and ``atomic(durable=True)`` must be durable.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from types import TracebackType

import structlog
from django.core.management import call_command
from django.db import connection

_FAST = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA busy_timeout=5000;"


def set_up_django() -> None:
    """For a program of its own: the settings of tests, in a folder that is thrown away."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def scratch_folder(prefix: str = "proof-") -> Path:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if memory.is_dir() else None))


class Database:
    """Django's default connection on a file of its own while it is entered, in ``folder`` or one that is thrown away.

    SQLite only. Without ``synchronous`` what is committed survives a killed process, though not a killed machine.
    """

    def __init__(self, folder: Path | None = None, synchronous: bool = False) -> None:
        self._given, self._synchronous = folder, synchronous

    def __enter__(self) -> Database:
        self.folder = self._given or scratch_folder()
        self.folder.mkdir(parents=True, exist_ok=True)
        connection.close()
        self._name, self._options = connection.settings_dict["NAME"], connection.settings_dict.get("OPTIONS", {})
        connection.settings_dict["NAME"] = os.fspath(self.folder / "platform.sqlite3")
        if not self._synchronous:
            connection.settings_dict["OPTIONS"] = {**self._options, "init_command": _FAST}
        call_command("migrate", verbosity=0)
        self._template = sqlite3.connect(":memory:", check_same_thread=False)
        self.keep()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        connection.close()
        connection.settings_dict["NAME"], connection.settings_dict["OPTIONS"] = self._name, self._options
        self._template.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self) -> None:
        """From now on this is what the database is put back to."""
        self._raw().backup(self._template)

    def reset(self) -> None:
        """As it was kept last: after the migrations, to begin with."""
        while connection.in_atomic_block:  # an abandoned transaction ends like any other
            connection.set_autocommit(True)
        self._template.backup(self._raw())

    def _raw(self) -> sqlite3.Connection:
        connection.ensure_connection()
        raw: sqlite3.Connection = connection.connection
        return raw
