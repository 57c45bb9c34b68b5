"""A Postgres server for tests, on machines where Postgres is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MISSING = "Postgres is not installed: install Debian's package postgresql to run the tests that need it"


def find_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl (the newest version), or None if Postgres is not installed."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((place for place in places if (place / "pg_ctl").exists() and (place / "initdb").exists()), None)


@contextmanager
def running() -> Iterator[str]:
    """Run a new server for as long as the block lasts.

    Yields:
        The URL of an empty database.
    """
    programs = find_programs()
    assert programs is not None, MISSING
    folder = Path(tempfile.mkdtemp(prefix="der-pg-", dir="/tmp"))
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": folder}
    if os.geteuid() == 0:  # Postgres refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        options |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = str(folder / "data")

    def run(program: str, *arguments: str) -> None:
        subprocess.run([str(programs / program), "-D", data, *arguments], check=True, **options)  # noqa: S603 - our own commands

    try:
        run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        settings = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run("pg_ctl", "-l", str(folder / "log"), "-w", "-o", settings, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
