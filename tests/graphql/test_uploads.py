"""Files that we keep: staged, uploaded, submitted, superseded; and what an act may name of them (G_EVIDENCE)."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
from tests.contract.town import Town
from tests.graphql.server import AGENT, BUYER, CARRIER, OTHER_BUYER, SELLER, Bring, Open, Server, line
from tests.market import objections

from aftersales.engine.vocabulary import Actor
from aftersales.evidence.rules import MOST_UNUSED
from aftersales.store.files import StoredEvidence
from aftersales.testing.house import BUYER as HOME_BUYER
from aftersales.testing.house import SELLER as HOME_SELLER
from aftersales.testing.house import house

PNG = b"\x89PNG\r\n\x1a\n" + b"a photo" * 20
PAYLOAD = """
    evidence { id kind status by mediaType bytes sha256 url createdAt submittedAt supersedes supersededBy }
    upload { url method headers { name value } expiresAt }
    problems { __typename code path message ... on KeyReused { firstUsedAt } ... on NotEligible { rule } }
    replayed
"""
SUBMITTED = "evidence { id status submittedAt url supersededBy } problems { __typename code path message } replayed"
FILE = "query ($id: ID!) { node(id: $id) { ... on Evidence { status url supersedes supersededBy } } }"
OPENED = "request { id version evidence { nodes { id status url } } } problems { code path message }"
MEGABYTES = 1024 * 1024


def a_photo(content: bytes = PNG, **changes: Any) -> dict[str, Any]:
    usual = {
        "kind": "PHOTO", "mediaType": "image/png", "bytes": len(content), "sha256": sha256(content).hexdigest(),
    }  # fmt: skip
    return usual | changes


async def stage(server: Server, actor: Actor = BUYER, **changes: Any) -> Any:
    return await server.do("evidenceStage", actor, PAYLOAD, **a_photo(**changes))


async def staged(server: Server, actor: Actor = BUYER, **changes: Any) -> str:
    payload = await stage(server, actor, **changes)
    assert payload["problems"] == []
    return str(payload["evidence"]["id"])


async def upload(server: Server, id: str, content: bytes = PNG) -> None:
    locker = server.running.house.locker
    stored = await locker.find(id)
    assert stored is not None

    async def body() -> AsyncIterator[bytes]:
        yield content

    await locker.take(stored, body())


async def uploaded(server: Server, actor: Actor = BUYER, **changes: Any) -> str:
    id = await staged(server, actor, **changes)
    await upload(server, id)
    return id


async def submit(server: Server, *ids: str, actor: Actor = BUYER, **changes: Any) -> Any:
    return await server.do("evidenceSubmit", actor, SUBMITTED, evidenceIds=list(ids), **changes)


async def claim(server: Server, bring: Bring, *ids: str, number: str = "1001") -> Any:
    """A claim whose reason asks for a photo."""
    order = await bring(number)
    return await server.do(
        "refundOnlyOpen", BUYER, OPENED, orderId=order.id, lines=[line(order)], reason="damaged", evidenceIds=list(ids)
    )


async def found(server: Server, id: str, actor: Actor = BUYER) -> Any:
    return (await server.ask(FILE, actor, id=id))["node"]


async def stored(server: Server, id: str) -> StoredEvidence:
    return (await server.running.desk.ledger.evidence([id]))[id]


async def test_a_staged_file_has_an_address_to_upload_to_and_nothing_to_look_at(server: Server) -> None:
    payload = await stage(server, mediaType="IMAGE/PNG", note="The crack.")

    assert (payload["problems"], payload["replayed"]) == ([], False)
    evidence, address = payload["evidence"], payload["upload"]
    assert evidence == {
        "id": evidence["id"], "kind": "PHOTO", "status": "STAGED", "by": "BUYER", "mediaType": "image/png",
        "bytes": len(PNG), "sha256": sha256(PNG).hexdigest(), "url": None, "createdAt": "2025-03-03T03:00:00Z",
        "submittedAt": None, "supersedes": None, "supersededBy": None,
    }  # fmt: skip
    assert address["url"].startswith(f"http://127.0.0.1:8000/evidence/{evidence['id']}?until=")
    assert (address["method"], address["expiresAt"]) == ("PUT", "2025-03-03T03:15:00Z")
    assert address["headers"] == [{"name": "Content-Type", "value": "image/png"}]


async def test_the_same_key_gives_the_same_address_then_a_new_one_then_none(server: Server) -> None:
    first = await stage(server, idempotencyKey="k")
    soon = await stage(server, idempotencyKey="k")
    server.clock.passes(minutes=15)
    later = await stage(server, idempotencyKey="k")
    await upload(server, first["evidence"]["id"])
    done = await stage(server, idempotencyKey="k")

    assert (soon["upload"], soon["replayed"]) == (first["upload"], True)
    assert later["upload"]["expiresAt"] == "2025-03-03T03:30:00Z"
    assert later["upload"]["url"] != first["upload"]["url"]
    assert (done["upload"], done["replayed"], done["evidence"]["id"]) == (None, True, first["evidence"]["id"])
    assert done["evidence"]["url"] is not None


async def test_a_key_used_for_another_file_is_refused(server: Server) -> None:
    await stage(server, idempotencyKey="k")

    other = await stage(server, idempotencyKey="k", bytes=5)

    assert objections(other) == [("KEY_REUSED", "idempotencyKey")]
    assert (other["evidence"], other["upload"]) == (None, None)


async def test_two_who_stage_at_once_under_one_key_have_one_file(server: Server) -> None:
    answers = await asyncio.gather(*(stage(server, idempotencyKey="k") for _ in range(5)))

    assert len({answer["evidence"]["id"] for answer in answers}) == 1
    assert len({answer["upload"]["url"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mediaType", "image/svg+xml"), ("mediaType", "video/mp4"), ("bytes", 0), ("bytes", 20 * MEGABYTES + 1),
        ("sha256", "ab" * 31), ("note", "n" * 501), ("idempotencyKey", ""),
    ],
)  # fmt: skip
async def test_what_cannot_be_uploaded_is_refused_by_its_field(server: Server, field: str, value: Any) -> None:
    assert objections(await stage(server, **{field: value})) == [("INVALID_INPUT", field)]


async def test_a_carrier_uploads_nothing(server: Server) -> None:
    assert objections(await stage(server, CARRIER)) == [("FORBIDDEN", "")]


async def test_only_who_may_see_a_file_is_given_an_address(server: Server, bring: Bring) -> None:
    id = await uploaded(server)

    before = [await found(server, id, actor) for actor in (BUYER, OTHER_BUYER, SELLER)]
    await claim(server, bring, id)
    after = [await found(server, id, actor) for actor in (SELLER, AGENT, OTHER_BUYER)]

    assert [bool(file and file["url"]) for file in before] == [True, False, False]
    assert [bool(file and file["url"]) for file in after] == [True, True, False]


async def test_an_uploaded_photo_satisfies_the_reason_and_is_locked_by_the_act(server: Server, bring: Bring) -> None:
    """C1, G_EVIDENCE."""
    id = await uploaded(server)

    opened = await claim(server, bring, id)

    assert opened["problems"] == []
    [shown] = opened["request"]["evidence"]["nodes"]
    assert (shown["id"], shown["status"]) == (id, "SUBMITTED")
    assert shown["url"].startswith(f"http://127.0.0.1:8000/evidence/{id}?until=")


async def test_a_photo_that_did_not_come_satisfies_nothing(server: Server, bring: Bring) -> None:
    """C1, G_EVIDENCE."""
    here, not_here = await uploaded(server), await staged(server)

    refused = await claim(server, bring, here, not_here)

    assert objections(refused) == [("EVIDENCE_REQUIRED", "evidenceIds.1")]
    assert refused["problems"][0]["message"] == "Upload the file first: its content is not here yet."
    assert (await stored(server, here)).status == "STAGED", "nothing changed"


async def test_a_document_does_not_stand_for_a_photo_though_it_was_uploaded(server: Server, bring: Bring) -> None:
    """C1, G_EVIDENCE."""
    refused = await claim(server, bring, await uploaded(server, kind="DOCUMENT"))

    assert objections(refused) == [("EVIDENCE_REQUIRED", "evidenceIds")]


async def test_a_seller_rejects_with_what_was_uploaded_and_not_with_what_was_not(server: Server, opened: Open) -> None:
    """C4, G_REJECT."""
    request, photo = await opened(), await staged(server, SELLER)
    no = {
        "requestId": request["id"], "expectedVersion": request["version"], "reason": "item_correct",
        "evidenceIds": [photo],
    }  # fmt: skip

    early = await server.do("requestReject", SELLER, **no)
    await upload(server, photo)
    done = await server.do("requestReject", SELLER, **no)

    assert objections(early) == [("EVIDENCE_REQUIRED", "evidenceIds.0")]
    assert early["request"]["version"] == request["version"]
    assert (done["problems"], done["request"]["status"]) == ([], "REJECTED")


async def test_submitting_locks_and_the_same_key_again_answers_the_same(server: Server) -> None:
    one, two = await uploaded(server), await uploaded(server, kind="DOCUMENT")

    first = await submit(server, two, one, idempotencyKey="k")
    server.clock.passes(hours=1)
    again = await submit(server, two, one, idempotencyKey="k")
    other = await submit(server, one, idempotencyKey="k")

    assert [(file["id"], file["status"], file["submittedAt"]) for file in first["evidence"]] == [
        (two, "SUBMITTED", "2025-03-03T03:00:00Z"), (one, "SUBMITTED", "2025-03-03T03:00:00Z"),
    ]  # fmt: skip
    assert (first["problems"], first["replayed"]) == ([], False)
    assert [file["submittedAt"] for file in again["evidence"]] == ["2025-03-03T03:00:00Z"] * 2
    assert again["replayed"] is True
    assert objections(other) == [("KEY_REUSED", "idempotencyKey")]


async def test_a_submitted_file_can_still_be_named_once(server: Server, bring: Bring) -> None:
    id = await uploaded(server)
    await submit(server, id)

    first, second = await claim(server, bring, id), await claim(server, bring, id, number="1002")

    assert first["problems"] == []
    assert objections(second) == [("NOT_FOUND", "evidenceIds.0")]


async def test_what_cannot_be_submitted_is_told_at_once_and_nothing_is(server: Server) -> None:
    here, not_here, anothers = await uploaded(server), await staged(server), await uploaded(server, OTHER_BUYER)

    refused = await submit(server, here, not_here, anothers, "ed_nobody")

    assert objections(refused) == [
        ("EVIDENCE_REQUIRED", "evidenceIds.1"), ("NOT_FOUND", "evidenceIds.2"), ("NOT_FOUND", "evidenceIds.3"),
    ]  # fmt: skip
    assert (refused["evidence"], (await stored(server, here)).status) == ([], "STAGED")
    assert objections(await submit(server)) == [("INVALID_INPUT", "evidenceIds")]
    assert objections(await submit(server, *[here] * 101)) == [("INVALID_INPUT", "evidenceIds")] * 2


async def test_a_linked_file_is_submitted_too(server: Server) -> None:
    linked = await server.do(
        "evidenceLink", BUYER, "evidence { id url }", url="https://files.example/1.png", **a_photo()
    )

    done = await submit(server, linked["evidence"]["id"])

    assert [(file["status"], file["url"]) for file in done["evidence"]] == [
        ("SUBMITTED", "https://files.example/1.png")
    ]


async def test_a_new_file_takes_the_place_once_it_is_submitted_and_the_old_one_stays(
    server: Server, bring: Bring
) -> None:
    old = await uploaded(server)
    await claim(server, bring, old)
    new = await uploaded(server, supersedes=old)
    draft = await found(server, old)

    await submit(server, new)

    assert draft["supersededBy"] is None
    shown = [await found(server, id) for id in (old, new)]
    assert [(file["supersedes"], file["supersededBy"]) for file in shown] == [(None, new), (old, None)]
    assert all(file["url"] for file in shown), "never deleted"
    named = await server.ask(
        "query ($id: ID!) { order(id: $id) { requests { nodes { evidence { nodes { id supersededBy } } } } } }",
        SELLER, id=(await bring()).id,
    )  # fmt: skip
    [request] = named["order"]["requests"]["nodes"]
    assert request["evidence"]["nodes"] == [{"id": old, "supersededBy": new}]


async def test_a_superseded_file_is_not_named_any_more(server: Server, bring: Bring) -> None:
    old = await uploaded(server)
    new = await uploaded(server, supersedes=old)
    await submit(server, new)

    refused, done = await claim(server, bring, old), await claim(server, bring, new)

    assert objections(refused) == [("INELIGIBLE", "evidenceIds.0")]
    assert refused["problems"][0]["message"] == f"Another file has taken its place: use {new}."
    assert done["problems"] == []


@pytest.mark.parametrize("by", ["somebody else's", "none at all", "another kind", "superseded before"])
async def test_only_ones_own_like_for_like_and_once_may_be_superseded(server: Server, by: str) -> None:
    mine = await uploaded(server)
    await submit(server, latest := await uploaded(server, supersedes=mine))
    cases: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
        "somebody else's": ({"supersedes": await uploaded(server, SELLER)}, ("NOT_FOUND", "supersedes")),
        "none at all": ({"supersedes": "ed_nobody"}, ("NOT_FOUND", "supersedes")),
        "another kind": ({"supersedes": latest, "kind": "DOCUMENT"}, ("INVALID_INPUT", "kind")),
        "superseded before": ({"supersedes": mine}, ("INELIGIBLE", "supersedes")),
    }
    input, expected = cases[by]

    refused = await stage(server, **input)

    assert objections(refused) == [expected]
    assert refused["evidence"] is None


async def test_of_two_files_for_the_same_place_the_first_that_is_submitted_has_it(server: Server, bring: Bring) -> None:
    old = await uploaded(server)
    one, other = await uploaded(server, supersedes=old), await uploaded(server, supersedes=old)
    assert objections(await submit(server, one, other)) == [("INELIGIBLE", "evidenceIds.1")]

    answers = await asyncio.gather(submit(server, one), submit(server, other))

    assert sorted(objections(answer) for answer in answers) == [[], [("INELIGIBLE", "evidenceIds.0")]]
    lost = other if answers[0]["problems"] == [] else one
    assert objections(await claim(server, bring, lost)) == [("INELIGIBLE", "evidenceIds.0")]


async def test_nobody_fills_the_disk_with_files_that_no_request_names(server: Server, bring: Bring) -> None:
    first = await uploaded(server)
    for _ in range(MOST_UNUSED - 1):
        await staged(server)

    refused = await stage(server)
    another = await stage(server, OTHER_BUYER)
    await claim(server, bring, first)
    room = await stage(server)

    assert objections(refused) == [("LIMIT_REACHED", "")]
    assert (refused["problems"][0]["__typename"], refused["problems"][0]["rule"]) == ("NotEligible", "G_EVIDENCE")
    assert (another["problems"], room["problems"]) == ([], [])
    assert objections(await stage(server)) == [("LIMIT_REACHED", "")]


async def test_files_that_never_came_do_not_count_once_their_time_is_over(server: Server) -> None:
    for number in range(MOST_UNUSED):
        await staged(server, idempotencyKey=f"file-{number}")
    server.clock.passes(minutes=15)

    payloads = [await stage(server) for _ in range(MOST_UNUSED)]
    renewed = await stage(server, idempotencyKey="file-0")

    assert [payload["problems"] for payload in payloads] == [[]] * MOST_UNUSED
    assert objections(renewed) == [("LIMIT_REACHED", "")], "a new address is a new claim to room"


async def test_uploaded_files_that_are_never_used_do_not_lock_anybody_out_for_ever(server: Server) -> None:
    for _ in range(MOST_UNUSED):
        await uploaded(server)
    assert objections(await stage(server)) == [("LIMIT_REACHED", "")]
    server.clock.passes(days=30, minutes=15)

    assert (await stage(server))["problems"] == []


async def test_what_is_said_to_people_is_said_in_their_language(server: Server, bring: Bring) -> None:
    order, id = await bring(), await staged(server)
    document = """mutation ($input: RefundOnlyOpenInput!) { refundOnlyOpen(input: $input) { problems { message } } }"""

    told = await server.ask(
        document, BUYER, "id",
        input={"idempotencyKey": "k", "orderId": order.id, "lines": [line(order)], "reason": "damaged",
               "evidenceIds": [id]},
    )  # fmt: skip

    assert told["refundOnlyOpen"]["problems"] == [{"message": "Unggah berkasnya dahulu: isinya belum ada di sini."}]


async def test_what_a_seller_shows_in_an_appeal_a_buyer_does_not_find_by_its_id() -> None:
    async with house() as home:
        town = Town(home)
        shown = [await town.uploaded(HOME_SELLER, "AWB"), await town.uploaded(HOME_SELLER)]
        await town.appeal(
            "AppealFile", HOME_SELLER, await town.appealable(), reason="delivered_to_address",
            statement="He signed for it.", evidenceIds=shown,
        )  # fmt: skip

        by = {actor.party.title: await town.ask("Nodes", actor, ids=shown) for actor in (HOME_BUYER, HOME_SELLER)}

    assert by["BUYER"] == [None, None]
    assert [bool(file) for file in by["SELLER"]] == [True, True]
