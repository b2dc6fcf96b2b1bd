"""Where the database of a test lies: a SQLite file, unless somebody who tests on another sets `place`."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from ..store.migrate import migrate

Place = Callable[[Path], Awaitable[str]]

_empty: list[bytes] = []


async def on_sqlite(path: Path) -> str:
    """The URL of a file, migrated and empty if it was not there. Migrating takes longer than most tests, so it is done
    once for each process, and copied."""
    if not _empty:
        with TemporaryDirectory() as folder:
            first = Path(folder) / "empty.sqlite3"
            await migrate(f"sqlite://{first}")
            _empty.append(await asyncio.to_thread(first.read_bytes))
    if not await asyncio.to_thread(path.exists):
        await asyncio.to_thread(path.write_bytes, _empty[0])
    return f"sqlite://{path}"


#: Gives the URL of a migrated database for a path: always the same for the same path.
place: Place = on_sqlite
