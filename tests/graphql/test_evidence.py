"""Files are registered by address and checksum, once for each key, and only those a reviewer can look at."""

from typing import Any

import pytest
from tests.graphql.server import AGENT, BUYER, CARRIER, JAKARTA, OTHER_BUYER, SELLER, Bring, Server, line, staff
from tests.market import objections

from aftersales.engine.vocabulary import Actor, Party

PARTNER = Actor(Party.PARTNER, "app", frozenset({JAKARTA.id}), frozenset({"view"}))
PAYLOAD = """
    evidence { id kind status by mediaType bytes sha256 url createdAt submittedAt }
    problems { code path message ... on KeyReused { firstUsedAt } ... on NotAllowed { permission } }
    replayed
"""
MEGABYTES = 1024 * 1024


def a_photo(**changes: Any) -> dict[str, Any]:
    usual = {
        "idempotencyKey": "k1", "kind": "PHOTO", "url": "https://files.example/broken.jpg?size=full",
        "mediaType": "image/jpeg", "bytes": 123_456, "sha256": "ab" * 32,
    }  # fmt: skip
    return usual | changes


async def link(server: Server, actor: Actor = BUYER, **changes: Any) -> Any:
    return await server.do("evidenceLink", actor, PAYLOAD, **a_photo(**changes))


async def test_a_linked_file_is_staged_and_answered_as_it_was_told(server: Server) -> None:
    payload = await link(server, mediaType="IMAGE/JPEG", sha256="AB" * 32)

    assert (payload["problems"], payload["replayed"]) == ([], False)
    assert payload["evidence"] == {
        "id": payload["evidence"]["id"], "kind": "PHOTO", "status": "STAGED", "by": "BUYER", "mediaType": "image/jpeg",
        "bytes": 123_456, "sha256": "ab" * 32, "url": "https://files.example/broken.jpg?size=full",
        "createdAt": "2025-03-03T03:00:00Z", "submittedAt": None,
    }  # fmt: skip


async def test_the_same_key_again_gives_the_same_record(server: Server) -> None:
    first = await link(server)
    server.clock.passes(days=30)

    again = await link(server)

    assert (again["evidence"], again["replayed"]) == (first["evidence"], True)


async def test_a_key_used_for_another_file_is_refused_and_says_since_when(server: Server) -> None:
    await link(server)
    server.clock.passes(hours=1)

    other = await link(server, sha256="cd" * 32)

    assert objections(other) == [("KEY_REUSED", "idempotencyKey")]
    assert (other["evidence"], other["problems"][0]["firstUsedAt"]) == (None, "2025-03-03T03:00:00Z")


async def test_the_same_key_of_somebody_else_is_another_key(server: Server) -> None:
    one, other = await link(server, BUYER), await link(server, OTHER_BUYER)

    assert one["evidence"]["id"] != other["evidence"]["id"]
    assert not other["replayed"]


@pytest.mark.parametrize("actor", [BUYER, SELLER, staff("view"), PARTNER, AGENT])
async def test_whoever_takes_part_may_show_something(server: Server, actor: Actor) -> None:
    payload = await link(server, actor)

    assert payload["evidence"]["by"] == actor.party.title


async def test_a_carrier_shows_nothing(server: Server) -> None:
    payload = await link(server, CARRIER)

    assert objections(payload) == [("FORBIDDEN", "")]


async def test_a_stranger_is_told_to_sign_in(server: Server) -> None:
    document = "mutation ($input: EvidenceLinkInput!) { evidenceLink(input: $input) { replayed } }"

    result = await server.run(document, None, input=a_photo())

    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://files.example/a.jpg"),
        ("url", "https://me:secret@files.example/a.jpg"),
        ("url", "https:///a.jpg"),
        ("url", "https://files.example/a b.jpg"),
        ("url", "https://files.example/" + "a" * 2000),
        ("url", "https://files.example:99999/a.jpg"),
        ("url", "javascript:alert(1)"),
        ("mediaType", "image/svg+xml"),
        ("mediaType", "video/mp4"),
        ("mediaType", "image/jpeg; charset=x"),
        ("bytes", 0),
        ("bytes", 20 * MEGABYTES + 1),
        ("sha256", "ab" * 31),
        ("sha256", "xy" * 32),
        ("note", "n" * 501),
        ("idempotencyKey", ""),
    ],
)
async def test_what_nobody_could_look_at_is_refused_by_its_field(server: Server, field: str, value: Any) -> None:
    payload = await link(server, BUYER, **{field: value})

    assert objections(payload) == [("INVALID_INPUT", field)]


async def test_everything_wrong_with_a_file_is_told_at_once(server: Server) -> None:
    payload = await link(server, url="ftp://a", mediaType="text/html", bytes=-1, sha256="", note="\x07")

    assert objections(payload) == [
        ("INVALID_INPUT", "note"), ("INVALID_INPUT", "url"), ("INVALID_INPUT", "mediaType"), ("INVALID_INPUT", "bytes"),
        ("INVALID_INPUT", "sha256"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [
        ("PHOTO", "image/heic"), ("VIDEO", "video/mp4"), ("DOCUMENT", "application/pdf"),
        ("CHAT_SCREENSHOT", "image/png"), ("AWB", "application/pdf"),
    ],
)  # fmt: skip
async def test_each_kind_takes_its_media_types_up_to_20_megabytes(server: Server, kind: str, media_type: str) -> None:
    payload = await link(server, SELLER, kind=kind, mediaType=media_type, bytes=20 * MEGABYTES)

    assert payload["problems"] == []


async def test_a_linked_photo_supports_a_claim_and_is_shown_with_it(server: Server, bring: Bring) -> None:
    order, photo = await bring(), (await link(server))["evidence"]

    payload = await server.do(
        "refundOnlyOpen", BUYER, "request { evidence { nodes { id status submittedAt } } } problems { code path }",
        orderId=order.id, lines=[line(order)], reason="damaged", evidenceIds=[photo["id"]],
    )  # fmt: skip

    assert payload["problems"] == []
    assert payload["request"]["evidence"]["nodes"] == [
        {"id": photo["id"], "status": "SUBMITTED", "submittedAt": "2025-03-03T03:00:00Z"}
    ]
