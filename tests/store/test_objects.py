"""Content is there whole or not at all, in a folder as in any other store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.transport.world import listening

from aftersales.store.objects import MEGABYTE, Objects, UnsupportedStorage, beside, open_objects

pytestmark = pytest.mark.engine("sqlite")  # no record is kept here

PNG = "image/png"
SHOWN = 'inline; filename="a.png"'


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(f"file://{tmp_path / 'kept'}")


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def breaking(chunk: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield chunk
    raise EOFError


async def read(objects: Objects, name: str, start: int, end: int) -> bytes:
    part = await objects.get(name, start, end)
    return b"".join([chunk async for chunk in part.chunks])


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_what_is_put_is_got_whole_or_in_part(objects: Objects, tmp_path: Path) -> None:
    await objects.put("a1/ed_a1", pieces(b"abc", b"def"), PNG, SHOWN)

    assert await read(objects, "a1/ed_a1", 0, 6) == b"abcdef"
    assert await read(objects, "a1/ed_a1", 2, 4) == b"cd"
    assert files(tmp_path / "kept") == ["a1/ed_a1"]


@pytest.mark.parametrize("chunk", [b"x", b"x" * 400_000], ids=["small", "more than a part"])
async def test_what_breaks_off_leaves_nothing(objects: Objects, tmp_path: Path, chunk: bytes) -> None:
    with pytest.raises(EOFError):
        await objects.put("a1/ed_a1", breaking(chunk, 5), PNG, SHOWN)

    assert files(tmp_path / "kept") == []


async def test_nothing_is_seen_of_a_file_until_it_is_whole(objects: Objects) -> None:
    seen: list[bool] = []

    async def looking() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 1_000_000
            try:
                await objects.get("a1/ed_a1", 0, 1)
                seen.append(True)
            except FileNotFoundError:
                seen.append(False)

    await objects.put("a1/ed_a1", looking(), PNG, SHOWN)

    assert seen == [False] * 4
    assert len(await read(objects, "a1/ed_a1", 0, 4_000_000)) == 4_000_000


async def test_two_who_write_the_same_at_once_leave_one_whole_file(objects: Objects, tmp_path: Path) -> None:
    await asyncio.gather(*(objects.put("a1/ed_a1", pieces(*[b"same" * 50_000] * 9), PNG, SHOWN) for _ in range(4)))

    assert files(tmp_path / "kept") == ["a1/ed_a1"]
    assert await read(objects, "a1/ed_a1", 0, 1_800_000) == b"same" * 450_000


@pytest.mark.parametrize("name", ["../outside", "/../outside", "a/../../outside"])
async def test_no_name_leads_out_of_the_folder(objects: Objects, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="path"):
        await objects.put(name, pieces(b"x"), PNG, SHOWN)

    assert files(tmp_path) == []


async def test_a_folder_signs_nothing_and_a_bucket_does(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")

    elsewhere = await open_objects("s3://bucket/with/prefix").signed("a1/ed_a1")

    assert await objects.signed("a1/ed_a1") is None
    assert elsewhere is not None
    assert "/bucket/with/prefix/a1/ed_a1?" in elsewhere
    assert "X-Amz-Expires=60" in elsewhere


@pytest.mark.parametrize(
    "url", ["", "evidence", "s3://", "ftp://files.example/", "memory:///", "https://files.example"]
)
def test_other_storage_is_refused_with_what_to_say(url: str) -> None:
    with pytest.raises(UnsupportedStorage, match=r"file://FOLDER or s3://BUCKET/PREFIX"):
        open_objects(url)


class Bucket:
    """As much of S3 as an upload in parts needs."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.kept: dict[str, tuple[bytes, str | None, str | None]] = {}
        self.said: tuple[str | None, str | None] = (None, None)
        self.given_up = asyncio.Event()
        self.app = Starlette(routes=[Route("/{name:path}", self.answer, methods=["POST", "PUT", "DELETE"])])

    async def answer(self, http: Request) -> Response:
        name, asked = http.path_params["name"], http.query_params
        match http.method:
            case "POST" if "uploads" in asked:
                self.said = http.headers.get("content-type"), http.headers.get("content-disposition")
                return Response("<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
            case "PUT":
                self.parts[int(asked["partNumber"])] = await http.body()
                return Response(headers={"etag": f'"{asked["partNumber"]}"'})
            case "POST":
                self.kept[name] = (b"".join(self.parts[n] for n in sorted(self.parts)), *self.said)
                return Response("<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")
            case "DELETE":
                self.given_up.set()
        return Response(status_code=204)


@pytest.fixture
async def bucket(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    bucket = Bucket()
    async with listening(bucket.app) as url:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            monkeypatch.setenv(name, "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        yield bucket


async def test_a_bucket_takes_a_file_in_parts_with_what_it_shall_say_of_it(bucket: Bucket) -> None:
    content = bytes(range(256)) * 40_000

    await open_objects("s3://shop/kept").put("a1/ed_a1", pieces(content[:7_000_000], content[7_000_000:]), PNG, SHOWN)

    assert bucket.kept == {"shop/kept/a1/ed_a1": (content, PNG, SHOWN)}
    assert [len(bucket.parts[n]) for n in sorted(bucket.parts)] == [5 * MEGABYTE, len(content) - 5 * MEGABYTE]


async def test_what_breaks_off_is_given_up_in_a_bucket_too(bucket: Bucket) -> None:
    with pytest.raises(EOFError):
        await open_objects("s3://shop/kept").put("a1/ed_a1", breaking(b"x" * 3_000_000, 4), PNG, SHOWN)

    async with asyncio.timeout(10):
        await bucket.given_up.wait()
    assert bucket.kept == {}


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UnsupportedStorage, match="cannot be opened"):
        open_objects(f"file://{tmp_path / 'file' / 'folder'}")


def test_the_usual_folder_lies_beside_the_database() -> None:
    assert beside("sqlite:///var/lib/shop.sqlite3") == "file:///var/lib/shop.evidence"
    assert beside("sqlite://shop.db") == "file://shop.evidence"
