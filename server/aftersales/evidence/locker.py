"""Takes the content of a file in, whole and as it was declared or not at all, and gives it out again."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import Enum

from ..store.files import Files, StoredEvidence
from ..store.objects import Objects, Part
from .addresses import Addresses, Use, whole_second
from .media import FIRST, disposition, looks_like


class Wrong(Enum):
    """What can be wrong with content. The names are the codes that a door answers with."""

    TOO_LARGE = "The file is larger than was declared: {bytes} bytes."
    TOO_SHORT = "The file is shorter than was declared: {bytes} bytes."
    OTHER_TYPE = "The file does not look like {media_type}. Stage it as what it is."
    OTHER_HASH = "The SHA-256 of the file is not the one that was declared."
    OTHER_CONTENT = "Another content was uploaded to this address before, and stays. Stage a new file."


class Spoilt(Exception):
    """The content is not what was declared; nothing of it was kept."""

    def __init__(self, wrong: Wrong, stored: StoredEvidence) -> None:
        self.wrong = wrong
        super().__init__(wrong.value.format(bytes=stored.bytes, media_type=stored.media_type))


class Locker:
    def __init__(self, files: Files, objects: Objects, addresses: Addresses, clock: Callable[[], datetime]) -> None:
        self.files = files
        self.objects = objects
        self.addresses = addresses
        self.clock = clock

    def upload_until(self) -> datetime:
        return whole_second(self.clock() + self.addresses.upload_for)

    def upload_address(self, stored: StoredEvidence) -> str | None:
        """Path and query, while there is something to upload and time for it."""
        until = stored.upload_until
        if stored.here or until is None or until <= self.clock():
            return None
        return self.addresses.made(Use.UPLOAD, stored.evidence.id, until)

    def download_address(self, stored: StoredEvidence, now: datetime) -> str:
        return self.addresses.made(Use.DOWNLOAD, stored.evidence.id, whole_second(now + self.addresses.download_for))

    async def find(self, id: str) -> StoredEvidence | None:
        """The record of a file that we keep, or shall."""
        stored = (await self.files.evidence([id])).get(id)
        return stored if stored and stored.stored_as and not stored.erased else None

    async def take(self, stored: StoredEvidence, chunks: AsyncIterator[bytes]) -> bool:
        """Keep the content.

        Returns:
            Whether it is new; False: the same was here before.

        Raises:
            Spoilt: it is not what was declared. What `chunks` raises goes through; neither leaves anything behind.
        """
        try:
            if stored.here:
                async for _ in declared(stored, chunks):
                    pass
                return False
            # Of two at once both write the same bytes to the same name, each whole before it has the name.
            name, kind = stored.stored_as or "", stored.media_type
            await self.objects.put(name, declared(stored, chunks), kind, disposition(stored.evidence.id, kind))
        except Spoilt:
            latest = await self.find(stored.evidence.id)
            if latest and latest.here:
                raise Spoilt(Wrong.OTHER_CONTENT, stored) from None
            raise
        news = await self.files.uploaded(stored.evidence.id, self.clock())
        if not news and (latest := await self.find(stored.evidence.id)) and latest.erased:
            # erased while it came
            await self.clear()
        return news

    async def clear(self) -> None:
        """Delete what lies here of erased buyers. Whatever it is cut off from, the next time does."""
        while doomed := await self.files.doomed():
            for id, name in doomed:
                await self.objects.delete(name)
                await self.files.gone(id)

    async def open(self, stored: StoredEvidence, start: int, end: int) -> Part:
        """The bytes from `start` to before `end`.

        Raises:
            FileNotFoundError: somebody took the file away.
        """
        return await self.objects.get(stored.stored_as or "", start, end)


async def declared(stored: StoredEvidence, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, as long as they are what was declared.

    Raises:
        Spoilt: at the end at the latest, before whoever writes them has made them final.
    """
    digest, count, first, sniffed = hashlib.sha256(), 0, b"", False
    async for chunk in chunks:
        count += len(chunk)
        if count > stored.bytes:
            raise Spoilt(Wrong.TOO_LARGE, stored)
        if not sniffed:
            first += chunk[:FIRST]
            if sniffed := len(first) >= FIRST:
                _sniff(stored, first)
        # a chunk is some 64 kB: hashed in a tenth of a millisecond, sooner than a thread is woken
        digest.update(chunk)
        yield chunk
    if count < stored.bytes:
        raise Spoilt(Wrong.TOO_SHORT, stored)
    if not sniffed:
        _sniff(stored, first)
    if digest.hexdigest() != stored.sha256:
        raise Spoilt(Wrong.OTHER_HASH, stored)


def _sniff(stored: StoredEvidence, first: bytes) -> None:
    if not looks_like(stored.media_type, first[:FIRST]):
        raise Spoilt(Wrong.OTHER_TYPE, stored)
