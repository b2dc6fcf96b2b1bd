"""Trusted documents: asked for by their id, and where it is set, the only way in."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.processes import run
from tests.transport.test_websocket import hear, opened, tell
from tests.transport.world import SCHEMA, Door, serving

from aftersales.graphql.operations import Operations
from aftersales.graphql.trusted import BadManifest, Trusted, faults, read_manifest

HELLO = "query Hello($n: String!) { hello(name: $n) }"
TWO = "query A { me } query B { hello }"
ID = sha256(HELLO.encode()).hexdigest()
DOCUMENTS = {f"sha256:{ID}": HELLO, "relay-1": TWO}
OPERATIONS = Path(__file__).parents[2] / "schema" / "operations"

OPEN = Trusted(DOCUMENTS, only=False)
CLOSED = Trusted(DOCUMENTS, only=True)


async def post(door: Door, **given: Any) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        told: dict[str, Any] = (await client.post(door.url, json=given)).json()
        return told


def code(told: dict[str, Any]) -> str:
    (error,) = told["errors"]
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    "asked",
    [
        {"documentId": f"sha256:{ID}"},
        {"documentId": ID},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": ID}}},
        {"documentId": ID, "query": HELLO},
        {"query": HELLO},
    ],
)
async def test_a_trusted_document_is_run_by_its_id_or_by_its_very_text(asked: dict[str, Any]) -> None:
    async with serving(trusted=CLOSED) as door:
        told = await post(door, variables={"n": "Ani"}, **asked)

    assert told["data"] == {"hello": "Hello Ani"}


async def test_a_document_of_several_operations_needs_a_name_as_ever() -> None:
    async with serving(trusted=CLOSED) as door:
        named = await post(door, documentId="relay-1", operationName="B")
        unnamed = await post(door, documentId="relay-1")

    assert (named["data"], code(unnamed)) == ({"hello": "Hello you"}, "UNKNOWN_OPERATION")


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"query": "{ hello }"}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": HELLO + " "}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": "{ __schema { types { name } } }"}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": "{ hello }", "documentId": sha256(b"{ hello }").hexdigest()}, "DOCUMENT_NOT_TRUSTED"),
        ({"query": "{ hello }", "documentId": ID}, "DOCUMENT_ID_WRONG"),
        ({"documentId": "0" * 64}, "DOCUMENT_UNKNOWN"),
        ({"documentId": ""}, "PARAMETERS_INVALID"),
        ({"documentId": "x" * 257}, "PARAMETERS_INVALID"),
        ({"documentId": 7}, "PARAMETERS_INVALID"),
        ({}, "PARAMETERS_INVALID"),
    ],
)
async def test_where_only_these_are_run_no_other_is(asked: dict[str, Any], refused: str) -> None:
    async with serving(trusted=CLOSED) as door:
        told = await post(door, **asked)

    assert code(told) == refused


async def test_where_others_are_run_too_an_unknown_id_is_still_refused() -> None:
    async with serving(trusted=OPEN) as door:
        other = await post(door, query="{ hello }")
        unknown = await post(door, documentId="0" * 64)

    assert (other["data"], code(unknown)) == ({"hello": "Hello you"}, "DOCUMENT_UNKNOWN")


async def test_it_holds_on_a_socket_and_in_an_address_too() -> None:
    async with serving(trusted=CLOSED) as door, opened(door) as socket:
        await tell(socket, {"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}})
        refused = await hear(socket)
        await tell(socket, {"id": "2", "type": "subscribe", "payload": {"documentId": ID, "variables": {"n": "Ani"}}})
        told = await hear(socket)
        async with httpx.AsyncClient() as client:
            got = await client.get(door.url, params={"documentId": ID, "variables": '{"n": "Ani"}'})

    assert refused["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    assert told["payload"]["data"] == got.json()["data"] == {"hello": "Hello Ani"}


# ---------------------------------------------------------------- manifests


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_manifest_may_be_in_the_form_of_apollo(tmp_path: Path) -> None:
    apollo = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": ID, "name": "Hello", "type": "query", "body": HELLO}],
    }

    assert read_manifest(written(tmp_path, apollo)) == {ID: HELLO}


@pytest.mark.parametrize(
    "content", ["", "[]", "{]", '{"a": 1}', '{"operations": [1]}', '{"operations": [{"id": "a"}]}']
)
def test_what_is_no_manifest_is_told(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadManifest, match="is no manifest of documents"):
        read_manifest(written(tmp_path, content))


def test_an_id_that_is_not_that_of_its_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match=f"sha256:{ID} is not the SHA-256 of its document"):
        read_manifest(written(tmp_path, {f"sha256:{ID}": "{ hello }", "fine": "{ hello }"}))


def test_each_document_that_could_not_be_run_is_told() -> None:
    texts = {
        "1": "{ hell }", "2": "{", "3": "query A { me } query B { mee }", "4": HELLO, "5": "fragment f on Query { me }",
    }  # fmt: skip

    told = list(faults(texts, Operations(SCHEMA).documents))

    assert [fault.split(":")[0] for fault in told] == ["1", "2", "3", "5"]
    assert "mee" in told[2]


def test_the_command_writes_what_the_server_reads(tmp_path: Path) -> None:
    made = run("documents", str(OPERATIONS))
    bad = tmp_path / "bad.graphql"
    bad.write_text("{ nonsense }")
    refused = run("documents", str(bad), str(OPERATIONS / "Me.graphql"))

    texts = read_manifest(written(tmp_path, made.stdout))
    assert set(texts.values()) == {path.read_text() for path in OPERATIONS.rglob("*.graphql")}
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{bad}: Cannot query field 'nonsense'" in refused.stderr


def test_a_server_does_not_start_on_documents_that_it_could_not_run(tmp_path: Path) -> None:
    settings = {"AFTERSALES_DOCUMENTS": str(written(tmp_path, {"x": "{ nonsense }"}))}

    told = run("serve", "--port", "0", folder=tmp_path, settings=settings)

    assert told.returncode == 1
    assert "x: Cannot query field 'nonsense'" in told.stderr
