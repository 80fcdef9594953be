"""A PostgreSQL server of one's own in a temporary folder, where its programs are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.rig import free_port, until


class NoPostgres(Exception):
    """Its programs are not installed."""


@contextmanager
def postgres() -> Iterator[str]:
    """A server with an empty database, as a DATABASE_URL; gone at the end. Raises NoPostgres."""
    programs = _programs()
    folder, port = Path(tempfile.mkdtemp(prefix="pg-")), free_port()
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user, user)
    command = ("-D", str(folder / "data"))
    subprocess.run(
        [programs / "initdb", *command, "-U", "postgres", "--auth=trust"], check=True, capture_output=True, user=user
    )
    options = ["-p", str(port), "-k", str(folder), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([programs / "postgres", *command, *options], stdout=log, stderr=log, user=user)
    try:
        until(lambda: _answers(port), "PostgreSQL to answer")
        with psycopg.connect(_address(port), autocommit=True) as connection:
            connection.execute("CREATE DATABASE platform")
        yield f"postgres://postgres@127.0.0.1:{port}/platform"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _address(port: int) -> str:
    return f"host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=2"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_address(port)).close()
    except psycopg.OperationalError:
        return False
    return True


def _programs() -> Path:
    """The newest version's programs: on PATH, or where Debian keeps them."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists():
            return folder
    raise NoPostgres("PostgreSQL is not installed (Debian: apt install postgresql)")
