"""Files of evidence over HTTP: one PUT to the address that staging gave, then GET by the address of a record."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from aftersales.evidence.addresses import Use
from aftersales.evidence.locker import Locker, Spoilt, Wrong
from aftersales.evidence.media import disposition
from aftersales.graphql.masking import internal
from aftersales.store.database import OutcomeUnknown, StoreBusy, StoreClosed
from aftersales.store.files import StoredEvidence

from .accept import Media
from .answer import encoded_errors, send_end, send_whole
from .body import Left, spill
from .gate import Places
from .limits import TransportSettings
from .refusal import CLOSE, Turned, busy

# Of one person, so that nobody takes all the places.
UPLOADS_OF_ONE = 5
QUERY_BYTES = 200
STATUSES = {Wrong.TOO_LARGE: 413, Wrong.OTHER_CONTENT: 409}
PRIVATE = (b"cache-control", b"private")
# Whatever the file is, it runs nothing, loads nothing and tells nobody its address.
# Of a file that is larger than was declared: what a camera makes, not what a disk holds.
SPILL_BYTES = 64 * 1024 * 1024
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
)

_RANGE = re.compile(rb"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


class EvidenceOverHTTP:
    """An ASGI application for the one path `/evidence/{id}`. The address is the right: no token is asked for."""

    def __init__(self, locker: Locker, settings: TransportSettings) -> None:
        self.locker = locker
        self.settings = settings
        self.arrivals = Arrivals(settings)
        self.departures = Places(settings.downloads, "downloads")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(receive, self.settings)
        try:
            match scope["method"]:
                case "PUT":
                    status, told = await self._take(scope, body)
                    await send_whole(send, status, Media.JSON, told)
                case "GET" | "HEAD":
                    await self._give(scope, send)
                case _:
                    allow = (b"allow", b"GET, HEAD, PUT")
                    raise Turned(405, "METHOD_NOT_ALLOWED", "Use PUT or GET.", headers=(allow, CLOSE))
        except Left:
            return
        except Turned as no:
            await self._turn_away(no, body, send)
        except (OutcomeUnknown, StoreBusy, StoreClosed):
            await self._turn_away(turned_back("files"), body, send)
        except Exception as error:
            await send_whole(send, 500, Media.JSON, encoded_errors([internal(error)]))

    async def _turn_away(self, no: Turned, body: "Body", send: Send) -> None:
        unread = CLOSE in no.headers and not body.whole and no.status != 408
        await send_whole(send, no.status, Media.JSON, encoded_errors([no.error]), no.headers, last=not unread)
        if unread:
            await spill(body.receive, SPILL_BYTES)
            await send_end(send)

    async def _take(self, scope: Scope, body: "Body") -> tuple[int, bytes]:
        stored = await self._opened(Use.UPLOAD, scope)
        only_as_declared(dict(scope["headers"]), stored)
        with self.arrivals.one(stored):
            try:
                new = await self.locker.take(stored, body.chunks())
            except Spoilt as spoilt:
                status = STATUSES.get(spoilt.wrong, 400)
                raise Turned(status, spoilt.wrong.name, str(spoilt), headers=(CLOSE,)) from None
        told = {"id": stored.evidence.id, "bytes": stored.bytes, "sha256": stored.sha256}
        return (201 if new else 200), orjson.dumps(told)

    async def _give(self, scope: Scope, send: Send) -> None:
        stored = await self._opened(Use.DOWNLOAD, scope)
        if not stored.here:
            raise no_such_file()
        if elsewhere := await self.locker.objects.signed(stored.stored_as or ""):
            headers = ((b"location", elsewhere.encode()), (b"content-length", b"0"), PRIVATE)
            await send({"type": "http.response.start", "status": 302, "headers": headers})
            return await send_end(send)
        headers_of: Mapping[bytes, bytes] = dict(scope["headers"])
        start, end = wanted(headers_of, stored)
        with self.departures:
            await self._send(stored, start, end, scope["method"] == "HEAD", send)

    async def _send(self, stored: StoredEvidence, start: int, end: int, bare: bool, send: Send) -> None:
        try:
            part = await self.locker.open(stored, start, end)
        except FileNotFoundError as gone:
            raise no_such_file() from gone
        whole = (start, end) == (0, stored.bytes)
        ranged = () if whole else ((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, stored.bytes)),)
        named = disposition(stored.evidence.id, stored.media_type).encode()
        headers = (
            (b"content-type", stored.media_type.encode()), (b"content-length", b"%d" % (end - start)),
            (b"content-disposition", named), (b"accept-ranges", b"bytes"), (b"etag", etag(stored)),
            PRIVATE, *SAFE, *ranged,
        )  # fmt: skip
        await send({"type": "http.response.start", "status": 200 if whole else 206, "headers": headers})
        try:
            async for chunk in part.chunks:
                if bare:
                    break
                async with asyncio.timeout(self.settings.send_seconds):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            return  # who does not take it is cut: the server ends a connection whose answer is not whole
        except Exception as error:
            internal(error)  # too late for another answer than a cut one
            return
        await send_end(send)

    async def _opened(self, use: Use, scope: Scope) -> StoredEvidence:
        """The file that the address opens.

        Raises:
            Turned: 403, 404 or 410.
        """
        id, query = scope["path_params"]["id"], scope["query_string"]
        given = dict(parse_qsl(query.decode("latin-1"))) if len(query) <= QUERY_BYTES else {}
        until = self.locker.addresses.until(use, id, given.get("until", ""), given.get("signature", ""))
        if until is None:
            raise Turned(403, "ADDRESS_INVALID", "This address is none of ours. Take it as it was given.",
                         headers=(CLOSE,))  # fmt: skip
        if until <= self.locker.clock():
            raise Turned(410, "ADDRESS_EXPIRED", EXPIRED[use], headers=(CLOSE,))
        if (stored := await self.locker.find(id)) is None:
            raise no_such_file()
        return stored


EXPIRED = {
    Use.UPLOAD: "The address has expired. Stage the file again with the same key for a new one.",
    Use.DOWNLOAD: "The address has expired. Read the record again for a new one.",
}


class Body:
    """The body of a PUT, piece by piece, and not for ever."""

    def __init__(self, receive: Receive, settings: TransportSettings) -> None:
        self.receive = receive
        self.settings = settings
        self.whole = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """
        Raises:
            Turned: 408.
            Left: the caller did.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + self.settings.upload_seconds
        while not self.whole:
            try:
                # around the waiting alone: whoever takes the chunks may take their time
                async with asyncio.timeout_at(min(end, clock() + self.settings.body_seconds)):
                    message = await self.receive()
            except TimeoutError:
                raise Turned(408, "BODY_TOO_SLOW", "The file did not come in time.", headers=(CLOSE,)) from None
            if message["type"] == "http.disconnect":
                raise Left
            self.whole = not message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk


class Arrivals:
    """Who uploads now: so many at once, so many bytes together, so many of one person."""

    def __init__(self, settings: TransportSettings) -> None:
        self.places = Places(settings.uploads, "uploads")
        self.most_bytes = settings.upload_bytes
        self.bytes = 0
        self.of: Counter[str] = Counter()

    @contextmanager
    def one(self, stored: StoredEvidence) -> Iterator[None]:
        """
        Raises:
            Turned: 503 BUSY.
        """
        who, size = stored.evidence.uploaded_by, stored.bytes
        if self.of[who] >= UPLOADS_OF_ONE or (self.bytes and self.bytes + size > self.most_bytes):
            raise turned_back("uploads")
        with self.places:
            self.of[who] += 1
            self.bytes += size
            try:
                yield
            finally:
                self.bytes -= size
                self.of[who] -= 1
                self.of += Counter()  # drops who has none left


def turned_back(what: str) -> Turned:
    no = busy(what)
    no.headers = (*no.headers, CLOSE)
    return no


def only_as_declared(headers: Mapping[bytes, bytes], stored: StoredEvidence) -> None:
    """What can be known before anything is read.

    Raises:
        Turned: 400, 413 or 415.
    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and (announced := int(length[:19])) != stored.bytes:
        wrong = Wrong.TOO_LARGE if announced > stored.bytes else Wrong.TOO_SHORT
        raise Turned(STATUSES.get(wrong, 400), wrong.name, str(Spoilt(wrong, stored)), headers=(CLOSE,))
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Turned(415, "ENCODED", "Send the file as it is, not compressed.", headers=(CLOSE,))
    media_type = headers.get(b"content-type", stored.media_type.encode()).lower()
    if media_type != stored.media_type.encode():
        raise Turned(400, Wrong.OTHER_TYPE.name, f"Send it with Content-Type: {stored.media_type}.", headers=(CLOSE,))


def wanted(headers: Mapping[bytes, bytes], stored: StoredEvidence) -> tuple[int, int]:
    """From where to before where: all of it, unless one range is asked for that we understand.

    Raises:
        Turned: 416.
    """
    asked, size = _RANGE.fullmatch(headers.get(b"range", b"")), stored.bytes
    if asked is None or headers.get(b"if-range", etag(stored)) != etag(stored) or asked[0] == b"bytes=-":
        return 0, size
    first, last = asked[1], asked[2]
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if not start < end:
        span = (b"content-range", b"bytes */%d" % size)
        raise Turned(416, "RANGE_NOT_SATISFIABLE", f"The file has {size} bytes.", headers=(span,))
    return start, end


def etag(stored: StoredEvidence) -> bytes:
    return b'"%s"' % stored.sha256.encode()


def no_such_file() -> Turned:
    return Turned(404, "NOT_FOUND", "There is no such file.", headers=(CLOSE,))
