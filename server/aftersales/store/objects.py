"""Where the content of files lies: a folder, or a store that speaks S3. Nothing else knows the storage library."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from .urls import is_postgres, path_of

MEGABYTE = 1024 * 1024
# S3 takes no smaller part but the last.
PART_BYTES = 5 * MEGABYTE
LOCAL_PART_BYTES = MEGABYTE
PARTS_AT_ONCE = 2
GIVEN_BYTES = 64 * 1024
# The store's own address is used at once: we redirect to it.
REDIRECT_FOR = timedelta(minutes=1)


class UnsupportedStorage(Exception):
    """The URL names no storage that can be used; the server does not start."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a file, chunk by chunk."""

    chunks: AsyncIterator[bytes]
    size: int


class Objects:
    """
    Args:
        folder: where a local store lies; None for any other.
    """

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self.store = store
        self.folder = folder

    async def put(self, name: str, chunks: AsyncIterator[bytes], media_type: str, disposition: str) -> None:
        """Write an object: whole and durable once this returns; nothing is to be seen of it before, or if it fails.

        Raises:
            Whatever `chunks` raises.
        """
        local = self.folder is not None
        await obstore.put_async(
            self.store,
            name,
            chunks,
            # a folder keeps bytes and no more; a bucket answers a redirected caller itself
            attributes=None if local else {"Content-Type": media_type, "Content-Disposition": disposition},
            chunk_size=LOCAL_PART_BYTES if local else PART_BYTES,
            max_concurrency=PARTS_AT_ONCE,
        )
        if self.folder is not None:
            await asyncio.to_thread(_to_disk, self.folder, self.folder / name)

    async def get(self, name: str, start: int, end: int) -> Part:
        """
        Raises:
            FileNotFoundError.
        """
        found = await obstore.get_async(self.store, name, options={"range": (start, end)})
        return Part(_bytes(found.stream(min_chunk_size=GIVEN_BYTES)), found.meta["size"])

    async def delete(self, name: str) -> None:
        """What is not there is deleted already."""
        with suppress(FileNotFoundError):
            await obstore.delete_async(self.store, name)

    async def signed(self, name: str) -> str | None:
        """An address at the store itself, for stores that can sign; else None."""
        if isinstance(self.store, S3Store):
            return await obstore.sign_async(self.store, "GET", name, REDIRECT_FOR)
        return None


def beside(database: str) -> str:
    """The folder beside a database: it goes where the database goes; or here, where that is a server elsewhere."""
    if is_postgres(database):
        return "file://aftersales.evidence"
    path = path_of(database)
    return f"file://{path.with_name(f'{path.stem}.evidence')}"


def open_objects(url: str) -> Objects:
    """The store that a URL means: `file://FOLDER`, with three slashes from the root, or `s3://BUCKET/PREFIX`.

    A folder is made. What S3 needs beside, it takes from the usual AWS_ variables.

    Raises:
        UnsupportedStorage: for anything else, and for what cannot be opened.
    """
    try:
        if url.startswith("file://"):
            folder = Path(url.removeprefix("file://")).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            return Objects(LocalStore(prefix=folder), folder)
        if url.startswith("s3://") and urlsplit(url).netloc:
            return Objects(from_url(url))
    except Exception as error:  # the library's own exceptions share no type but this
        raise UnsupportedStorage(f"{url} cannot be opened: {error}.") from error
    raise UnsupportedStorage(f"{url!r} is no storage we know; use file://FOLDER or s3://BUCKET/PREFIX.")


async def _bytes(stream: Any) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)


def _to_disk(folder: Path, file: Path) -> None:
    """The file, and the names on the way to it: what was acknowledged outlives a power cut."""
    for path in (file, file.parent, folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
