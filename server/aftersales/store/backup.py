"""A copy of a SQLite file, made while a server writes to it."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path


class BackupFailed(Exception):
    """There is no copy, and says why."""


def back_up(source: Path, target: Path) -> None:
    """Copy all that is committed when it begins; writers go on meanwhile.

    The copy is a log of its own: cursors of streams that were told by the original are not taken for its own, as the
    original goes on after it (ADR 0023).

    Raises:
        BackupFailed: there is no such file, the target is there already, or the copy is not sound.
    """
    if not source.exists():
        raise BackupFailed(f"There is no file {source}.")
    try:
        target.touch(exist_ok=False)
    except FileExistsError as error:
        raise BackupFailed(f"{target} is there already. Name another, or take it away.") from error
    making = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    try:
        _copy(source, making)
        _on_the_disk(making)
        making.replace(target)
        _on_the_disk(target.parent)
    except BaseException as error:
        for left in (making, target):
            left.unlink(missing_ok=True)
        if isinstance(error, sqlite3.Error):
            raise BackupFailed(f"{source} could not be copied: {error}.") from error
        raise


def _copy(source: Path, making: Path) -> None:
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("VACUUM INTO ?", (str(making),))
    with closing(sqlite3.connect(making, isolation_level=None)) as copy:
        copy.execute(f"PRAGMA user_version = {1 + secrets.randbelow(2**31 - 1)}")
        [found] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise BackupFailed(f"The copy of {source} is not sound: {found}.")


def _on_the_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
