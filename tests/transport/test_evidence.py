"""Files come in whole and as declared, or nothing of them stays; they go out to whoever holds an address."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import pytest_asyncio
from tests import processes
from tests.postgres import Postgres
from tests.transport.world import listening, until

from aftersales.asgi import create_app, transport_settings
from aftersales.running import Running, build
from aftersales.settings import DEVELOPMENT_SECRET, Settings
from aftersales.testing import FakeClock, places
from aftersales.transport.evidence import Arrivals, EvidenceOverHTTP
from aftersales.transport.tokens import mint

OWN = "a secret of our own, of 32 bytes or more"
BOARD = "https://board.example"
MEGABYTE = 1024 * 1024
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40

STAGE = """mutation ($input: EvidenceStageInput!) { evidenceStage(input: $input) {
    evidence { id } upload { url method headers { name value } expiresAt } problems { code path } replayed } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on Evidence { status url } } }"

# One server takes them all, but where a test says otherwise.
pytestmark = pytest.mark.asyncio(loop_scope="module")

# The record is not asked about what is tried here.
UNASKED = pytest.mark.engine("sqlite")

_keys, _buyers = count(), count(1)


@dataclass
class Place:
    """A served server, its folder of files, and a buyer who asks it."""

    url: str
    running: Running
    clock: FakeClock
    client: httpx.AsyncClient
    door: EvidenceOverHTTP
    folder: Path
    buyer: str = "1"

    async def ask(self, query: str, **variables: Any) -> Any:
        answer = await self.client.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, headers=as_buyer(self.buyer)
        )
        told = answer.json()
        assert "errors" not in told, told
        return told["data"]

    async def stage(self, content: bytes = JPEG, **changes: Any) -> Any:
        staged = (await self.ask(STAGE, input=as_declared(content) | changes))["evidenceStage"]
        assert staged["problems"] == []
        return staged

    async def address(self, content: bytes = JPEG, **changes: Any) -> str:
        return str((await self.stage(content, **changes))["upload"]["url"])

    async def shown(self, id: str) -> Any:
        return (await self.ask(NODE, id=id))["node"]

    async def kept(self, content: bytes = JPEG, **changes: Any) -> str:
        """The address to look at a file that was uploaded."""
        staged = await self.stage(content, **changes)
        assert (await self.client.put(staged["upload"]["url"], content=content)).status_code == 201
        return str((await self.shown(staged["evidence"]["id"]))["url"])

    @property
    def files(self) -> list[Path]:
        return files(self.folder)

    @property
    def arrivals(self) -> Arrivals:
        return self.door.arrivals


def as_buyer(sub: str = "1") -> dict[str, str]:
    token = mint(OWN, {"sub": sub, "party": "buyer"}, timedelta(hours=1), now=datetime.now(UTC))
    return {"authorization": f"Bearer {token}"}


def as_declared(content: bytes) -> dict[str, Any]:
    return {
        "idempotencyKey": f"k{next(_keys)}", "kind": "PHOTO", "mediaType": "image/jpeg", "bytes": len(content),
        "sha256": sha256(content).hexdigest(),
    }  # fmt: skip


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@asynccontextmanager
async def serving(settings: Settings, clock: FakeClock | None = None) -> AsyncIterator[Place]:
    clock = clock or FakeClock()
    running = await build(settings, clock=clock)
    app = create_app(running)
    [door] = [route.endpoint for route in app.routes if isinstance(getattr(route, "endpoint", None), EvidenceOverHTTP)]  # type: ignore[attr-defined]
    assert settings.evidence
    folder = Path(settings.evidence.removeprefix("file://"))
    async with listening(app, transport_settings(settings)) as url, httpx.AsyncClient(timeout=20) as client:
        yield Place(url, running, clock, client, door, folder)


async def settings_in(folder: Path) -> Settings:
    database, evidence = await places.place(folder / "app.sqlite3"), f"file://{folder / 'app.evidence'}"
    return Settings(database=database, evidence=evidence, secret=OWN, origins=frozenset({BOARD}))


@pytest_asyncio.fixture(loop_scope="module")
async def settings(_own_databases: None, tmp_path: Path) -> Settings:
    return await settings_in(tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(engine: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with serving(await settings_in(tmp_path_factory.mktemp("shared"))) as place:
        yield place


@pytest.fixture
def place(shared: Place) -> Place:
    """As if just begun: it has no files, and does not know the buyer. Whoever moves its clock begins another."""
    for path in shared.files:
        path.unlink()
    return replace(shared, buyer=f"b{next(_buyers)}")


@pytest_asyncio.fixture(loop_scope="module")
async def own(settings: Settings) -> AsyncIterator[Place]:
    async with serving(settings) as place:
        yield place


async def in_pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """Sent chunked, so that nothing announces its length."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]


async def test_a_file_is_uploaded_without_a_token_and_shown_as_it_was(place: Place) -> None:
    staged = await place.stage()
    upload = staged["upload"]
    headers = {header["name"]: header["value"] for header in upload["headers"]}

    answer = await place.client.request(upload["method"], upload["url"], content=JPEG, headers=headers)
    shown = await place.shown(staged["evidence"]["id"])
    got = await place.client.get(shown["url"])

    assert (answer.status_code, answer.json()["sha256"]) == (201, sha256(JPEG).hexdigest())
    assert upload["expiresAt"] == "2025-03-05T03:15:00Z"
    assert shown["status"] == "STAGED"
    assert (got.status_code, got.content) == (200, JPEG)
    assert {name: got.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    assert got.headers["content-disposition"] == f'inline; filename="{staged["evidence"]["id"]}.jpg"'
    assert [path.name for path in place.files] == [staged["evidence"]["id"]]


SAFE_HEADERS = {
    "content-type": "image/jpeg", "content-length": str(len(JPEG)), "cache-control": "private",
    "x-content-type-options": "nosniff", "content-security-policy": "sandbox; default-src 'none'",
    "referrer-policy": "no-referrer", "accept-ranges": "bytes",
}  # fmt: skip


async def test_an_address_takes_one_content_and_the_same_again_changes_nothing(place: Place) -> None:
    address = await place.address()
    other = JPEG[:-1] + b"!"

    statuses = [(await place.client.put(address, content=content)).status_code for content in (JPEG, JPEG)]
    refused = await place.client.put(address, content=other)

    assert statuses == [201, 200]
    assert code(refused) == (409, "OTHER_CONTENT")
    assert [path.read_bytes() for path in place.files] == [JPEG]


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (JPEG[:-1] + b"!", {}, (400, "OTHER_HASH")),
        (b"<html>" + JPEG[6:], {}, (400, "OTHER_TYPE")),
        (JPEG, {"content-type": "text/html"}, (400, "OTHER_TYPE")),
        (JPEG, {"content-encoding": "gzip"}, (415, "ENCODED")),
        (JPEG[:-1], {}, (400, "TOO_SHORT")),
        (b"", {}, (400, "TOO_SHORT")),
        (JPEG + b"!", {}, (413, "TOO_LARGE")),
        (JPEG * 200, {}, (413, "TOO_LARGE")),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
async def test_what_is_not_as_declared_is_refused_and_leaves_nothing(
    place: Place, content: bytes, headers: dict[str, str], expected: tuple[int, str], chunked: bool
) -> None:
    staged = await place.stage()
    address = staged["upload"]["url"]

    body = in_pieces(content) if chunked else content
    refused = await place.client.put(address, content=body, headers=headers)

    assert code(refused) == expected
    assert place.files == []
    assert (await place.shown(staged["evidence"]["id"]))["url"] is None
    assert (await place.client.put(address, content=JPEG)).status_code == 201


@UNASKED
@pytest.mark.parametrize(
    ("old", "new"),
    [("until=1", "until=2"), ("signature=", "signature=0"), ("signature=", "sig="), ("/ed_", "/ed_0"), ("?", "?x=1#")],
)
async def test_an_address_that_was_tampered_with_opens_nothing(place: Place, old: str, new: str) -> None:
    upload, download = await place.address(), await place.kept()

    for method, address in (("PUT", upload), ("GET", download)):
        refused = await place.client.request(method, address.replace(old, new), content=JPEG)
        assert code(refused) == (403, "ADDRESS_INVALID")
    assert len(place.files) == 1


async def test_an_address_that_uploads_does_not_download_nor_the_other_way_round(place: Place) -> None:
    upload, download = await place.address(), await place.kept()

    assert (await place.client.get(upload)).status_code == 403
    assert (await place.client.put(download, content=JPEG)).status_code == 403
    assert code(await place.client.post(upload, content=JPEG)) == (405, "METHOD_NOT_ALLOWED")


@UNASKED
@pytest.mark.parametrize(
    "path",
    ["/evidence/..%2f..%2fapp.sqlite3", "/evidence/%2e%2e/app.sqlite3", "/evidence/../app.sqlite3", "/evidence/%00",
     "/evidence/ed_1%0a", "/evidence/", "/evidence//etc/passwd"],
)  # fmt: skip
async def test_no_path_leads_to_another_file(place: Place, path: str) -> None:
    query = urlsplit(await place.address()).query

    for method in ("GET", "PUT"):
        status, _ = await raw(place, f"{method} {path}?{query} HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n")
        assert status in (403, 404), path


async def raw(place: Place, request: str, *more: bytes) -> tuple[int, bytes]:
    host, port = urlsplit(place.url).netloc.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request.encode() + b"".join(more))
        line = await asyncio.wait_for(reader.readline(), 10)
        rest = await asyncio.wait_for(reader.read(10_000), 10)
    finally:
        writer.close()
        await writer.wait_closed()
    return int(line.split()[1]), rest


async def test_an_address_expires_and_the_same_key_gives_a_new_one(own: Place) -> None:
    staged = await own.stage(idempotencyKey="again")
    own.clock.advance(minutes=15)

    expired = await own.client.put(staged["upload"]["url"], content=JPEG)
    again = await own.stage(idempotencyKey="again")
    answer = await own.client.put(again["upload"]["url"], content=JPEG)

    assert code(expired) == (410, "ADDRESS_EXPIRED")
    assert (again["replayed"], again["evidence"]) == (True, staged["evidence"])
    assert again["upload"]["expiresAt"] == "2025-03-05T03:30:00Z"
    assert answer.status_code == 201
    assert (await own.stage(idempotencyKey="again"))["upload"] is None


async def test_an_address_to_look_at_a_file_expires_too(own: Place) -> None:
    address = await own.kept()
    own.clock.advance(minutes=9, seconds=59)
    assert (await own.client.get(address)).status_code == 200

    own.clock.advance(seconds=1)

    assert code(await own.client.get(address)) == (410, "ADDRESS_EXPIRED")


async def test_an_address_outlives_a_restart(settings: Settings) -> None:
    clock = FakeClock()
    async with serving(settings, clock) as before:
        staged = await before.stage()
        shown = urlsplit(await before.kept(JPEG + b"2"))

    async with serving(settings, clock) as after:
        upload = urlsplit(staged["upload"]["url"])
        answer = await after.client.put(f"{after.url}{upload.path}?{upload.query}", content=JPEG)
        got = await after.client.get(f"{after.url}{shown.path}?{shown.query}")

    assert answer.status_code == 201
    assert got.content == JPEG + b"2"


async def test_where_an_issuer_has_the_keys_the_known_secret_signs_nothing(settings: Settings) -> None:
    behind = replace(settings, secret=DEVELOPMENT_SECRET, jwks_url="https://issuer.example/jwks.json")

    running, plain = await build(behind), await build(replace(settings, secret=DEVELOPMENT_SECRET))

    assert running.house.locker.addresses.key != plain.house.locker.addresses.key
    await running.close()
    await plain.close()


@pytest.mark.parametrize("limits", [{"body_seconds": 0.2}, {"upload_seconds": 0.2}], ids=["a piece", "the whole"])
async def test_a_file_that_comes_too_slowly_is_given_up(settings: Settings, limits: Any) -> None:
    async with serving(replace(settings, **limits)) as place:
        url = urlsplit(await place.address())
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nhost: here\r\ncontent-length: {len(JPEG)}\r\n\r\n"

        status, rest = await raw(place, head, JPEG[:1000])

        assert status == 408
        assert b"BODY_TOO_SLOW" in rest
        assert place.files == []
        assert place.arrivals.places.taken == 0


async def test_whoever_hangs_up_halfway_leaves_nothing(place: Place) -> None:
    content = JPEG + bytes(3 * MEGABYTE)
    url = urlsplit(await place.address(content))
    host, port = url.netloc.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"PUT {url.path}?{url.query} HTTP/1.1\r\nhost: here\r\ncontent-length: {len(content)}\r\n\r\n".encode()
    )
    writer.write(content[: 2 * MEGABYTE])
    await writer.drain()
    await until(lambda: len(place.files) == 1)
    assert "#" in place.files[0].name, "only under a name that nobody looks for"

    writer.transport.abort()
    await until(lambda: place.arrivals.places.taken == 0)

    await until(lambda: place.files == [])
    assert (place.arrivals.bytes, +place.arrivals.of) == (0, {})
    assert (await place.client.put(url.geturl(), content=content)).status_code == 201


async def test_of_two_who_upload_the_same_at_once_one_wins_and_both_are_told_so(place: Place) -> None:
    content = JPEG + os.urandom(3 * MEGABYTE)
    address = await place.address(content)

    answers = await asyncio.gather(*(place.client.put(address, content=in_pieces(content, 50_000)) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert [path.read_bytes() for path in place.files] == [content]


async def test_of_two_who_upload_different_files_at_once_only_the_declared_one_stays(place: Place) -> None:
    content = JPEG + os.urandom(MEGABYTE)
    address = await place.address(content)

    right, wrong = await asyncio.gather(
        place.client.put(address, content=in_pieces(content, 50_000)),
        place.client.put(address, content=in_pieces(content[:-1] + b"!", 50_000)),
    )

    assert right.status_code == 201
    assert code(wrong) in [(400, "OTHER_HASH"), (409, "OTHER_CONTENT")]
    assert [path.read_bytes() for path in place.files] == [content]


@pytest.mark.quiet
@pytest.mark.parametrize(("size", "status"), [(25, 413), (20, 201)])
async def test_memory_does_not_grow_with_the_file(place: Place, size: int, status: int) -> None:
    piece = bytes(64 * 1024)
    first = JPEG[:4] + piece[4:]
    digest = sha256(first)
    for _ in range(20 * 16 - 1):
        digest.update(piece)
    address = await place.address(bytes=20 * MEGABYTE, sha256=digest.hexdigest())
    process = psutil.Process()
    await place.kept()  # whatever is loaded at the first use
    before, most = process.memory_info().rss, 0

    async def body() -> AsyncGenerator[bytes, None]:
        nonlocal most
        yield first
        for _ in range(size * 16 - 1):
            most = max(most, process.memory_info().rss)
            yield piece

    answer = await place.client.put(address, content=body())

    assert answer.status_code == status
    assert most - before < 10 * MEGABYTE


async def test_one_upload_more_than_there_are_places_is_told_to_come_again(settings: Settings) -> None:
    async with serving(replace(settings, uploads=1)) as place:
        first, second = await place.address(), await place.address(JPEG + b"2")
        going, go_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncGenerator[bytes, None]:
            yield JPEG[:1000]
            going.set()
            await go_on.wait()
            yield JPEG[1000:]

        upload = asyncio.create_task(place.client.put(first, content=slowly()))
        await going.wait()
        await until(lambda: place.arrivals.places.taken == 1)
        refused = await place.client.put(second, content=JPEG + b"2")
        go_on.set()

        assert code(refused) == (503, "BUSY")
        assert refused.headers["retry-after"] == "1"
        assert (await upload).status_code == 201
        assert (await place.client.put(second, content=JPEG + b"2")).status_code == 201


@pytest.mark.parametrize(("files", "limits"), [(6, {}), (2, {"upload_bytes": 15_000})], ids=["one person's", "bytes"])
async def test_uploads_are_bounded_by_person_and_by_bytes(settings: Settings, files: int, limits: Any) -> None:
    async with serving(replace(settings, **limits)) as place:
        addresses = [await place.address(JPEG + bytes([n])) for n in range(files)]
        go_on = asyncio.Event()

        async def slowly(n: int) -> AsyncGenerator[bytes, None]:
            yield JPEG
            await go_on.wait()
            yield bytes([n])

        async with asyncio.TaskGroup() as group:
            going = [group.create_task(place.client.put(addresses[n], content=slowly(n))) for n in range(files - 1)]
            await until(lambda: place.arrivals.places.taken == files - 1)
            refused = await place.client.put(addresses[-1], content=JPEG + bytes([files - 1]))
            go_on.set()

        assert code(refused) == (503, "BUSY")
        assert [task.result().status_code for task in going] == [201] * (files - 1)


@UNASKED
@pytest.mark.parametrize(
    ("range", "status", "content_range", "part"),
    [
        ("bytes=0-3", 206, "bytes 0-3/10244", JPEG[:4]),
        ("bytes=10240-", 206, "bytes 10240-10243/10244", JPEG[-4:]),
        ("bytes=-4", 206, "bytes 10240-10243/10244", JPEG[-4:]),
        ("bytes=10243-99999", 206, "bytes 10243-10243/10244", JPEG[-1:]),
        ("bytes=0-10243", 200, None, JPEG),
        ("bytes=0-1,3-4", 200, None, JPEG),
        ("bytes=-", 200, None, JPEG),
        ("lines=1-2", 200, None, JPEG),
        ("bytes=10244-", 416, "bytes */10244", None),
        ("bytes=5-4", 416, "bytes */10244", None),
        ("bytes=-0", 416, "bytes */10244", None),
    ],
)
async def test_a_part_of_a_file_can_be_asked_for(
    place: Place, range: str, status: int, content_range: str | None, part: bytes | None
) -> None:
    address = await place.kept()

    got = await place.client.get(address, headers={"range": range})

    assert (got.status_code, got.headers.get("content-range")) == (status, content_range)
    assert part is None or got.content == part


async def test_a_part_is_asked_for_of_the_file_one_knows(place: Place) -> None:
    address = await place.kept()
    etag = (await place.client.head(address)).headers["etag"]

    same = await place.client.get(address, headers={"range": "bytes=0-3", "if-range": etag})
    other = await place.client.get(address, headers={"range": "bytes=0-3", "if-range": '"another"'})

    assert (same.status_code, other.status_code) == (206, 200)
    assert (await place.client.head(address)).content == b""


async def test_what_is_no_picture_is_to_be_saved(place: Place) -> None:
    content = b"%PDF-1.7\n<script>alert(1)</script>"

    got = await place.client.get(await place.kept(content, kind="DOCUMENT", mediaType="application/pdf"))

    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"].startswith("attachment; ")


async def test_a_file_that_somebody_took_away_is_not_found(place: Place) -> None:
    address = await place.kept()
    place.files[0].unlink()

    assert code(await place.client.get(address)) == (404, "NOT_FOUND")


@UNASKED
@pytest.mark.parametrize(("origin", "allowed"), [(BOARD, BOARD), ("https://evil.example", None)])
async def test_only_known_pages_may_upload_from_a_browser(place: Place, origin: str, allowed: str | None) -> None:
    address = await place.address()
    asks = {
        "origin": origin, "access-control-request-method": "PUT", "access-control-request-headers": "content-type",
    }  # fmt: skip

    before = await place.client.options(address, headers=asks)
    answer = await place.client.put(address, content=JPEG, headers={"origin": origin, "content-type": "image/jpeg"})

    assert before.headers.get("access-control-allow-origin") == allowed
    assert ("PUT" in before.headers.get("access-control-allow-methods", "")) or allowed is None
    assert answer.headers.get("access-control-allow-origin") == allowed


async def test_a_bucket_that_signs_shows_its_files_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    async with serving(replace(settings, evidence="s3://bucket/kept")) as place:
        id = (await place.stage())["evidence"]["id"]
        await place.running.desk.ledger.uploaded(id, place.clock())

        sent_on = await place.client.get((await place.shown(id))["url"])

    assert sent_on.status_code == 302
    assert f"/bucket/kept/{id[3:5]}/{id}?X-Amz" in sent_on.headers["location"]
    assert sent_on.headers["cache-control"] == "private"


async def test_addresses_begin_where_the_caller_has_found_us_or_where_we_are_told(settings: Settings) -> None:
    async with serving(settings) as place:
        assert (await place.address()).startswith(f"{place.url}/evidence/ed_")
    async with serving(replace(settings, public_url="https://api.example/")) as place:
        assert (await place.address()).startswith("https://api.example/evidence/ed_")


async def test_a_server_killed_halfway_through_an_upload_takes_it_anew_once_it_is_back(
    settings: Settings, tmp_path: Path
) -> None:
    content, folder = JPEG + bytes(3 * MEGABYTE), tmp_path / "app.evidence"
    given = {
        "AFTERSALES_SECRET": OWN, "AFTERSALES_DATABASE": settings.database, "AFTERSALES_EVIDENCE": f"file://{folder}",
    }  # fmt: skip

    with processes.serving(settings=given) as before:
        staged = told(before, STAGE, input=as_declared(content))["evidenceStage"]
        url = urlsplit(staged["upload"]["url"])
        _, writer = await asyncio.open_connection(url.hostname, url.port)
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nhost: here\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode() + content[: 2 * MEGABYTE])
        await writer.drain()
        await until(lambda: len(files(folder)) == 1)
        before.process.kill()
        before.process.wait()
    writer.transport.abort()

    with processes.serving(settings=given) as after:
        half = told(after, NODE, id=staged["evidence"]["id"])["node"]
        address = f"{after.url.removesuffix('/graphql')}{url.path}?{url.query}"
        async with httpx.AsyncClient() as client:
            answer = await client.put(address, content=content)
            whole = told(after, NODE, id=staged["evidence"]["id"])["node"]
            got = await client.get(whole["url"])

    assert half == {"status": "STAGED", "url": None}
    assert (answer.status_code, got.content == content) == (201, True)


def told(server: processes.Server, query: str, **variables: Any) -> Any:
    answer = httpx.post(server.url, json={"query": query, "variables": variables}, headers=as_buyer())
    return answer.json()["data"]
