"""A mutation answers with the record after it, or with everything that is wrong and the record as it is."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.graphql.server import AGENT, BUYER, OTHER_SELLER, SELLER, Bring, Open, Server, line, staff

from aftersales.engine.vocabulary import OrderState


async def test_a_claim_becomes_a_request(server: Server, bring: Bring) -> None:
    order = await bring()

    payload = await server.do(
        "refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order)], reason="not_received", note="Never came."
    )

    assert payload["problems"] == []
    assert payload["request"]["version"] == 1
    assert payload["request"]["stage"]["handle"] == "pending_review"
    assert payload["replayed"] is False


async def test_all_problems_come_at_once_and_nothing_is_written(server: Server, bring: Bring) -> None:
    order = await bring()

    payload = await server.do(
        "refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order, 0, 9), line(order, 7)], reason="bored",
    )  # fmt: skip

    assert payload["request"] is None
    assert [(p["code"], p["path"]) for p in payload["problems"]] == [
        ("INVALID_INPUT", ["lines", "0", "quantity"]),
        ("NOT_FOUND", ["lines", "1", "orderLineId"]),
        ("REASON_NOT_ALLOWED", ["reason"]),
    ]
    assert (await server.ask("{ requests { totalCount } }", BUYER))["requests"]["totalCount"] == 0


async def test_a_reason_that_asks_for_evidence_is_refused_without(server: Server, bring: Bring) -> None:
    order = await bring()

    payload = await server.do("refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order)], reason="damaged")

    assert [p["code"] for p in payload["problems"]] == ["EVIDENCE_REQUIRED"]
    assert "photo or video" in payload["problems"][0]["message"]


async def test_damaged_is_no_reason_while_the_order_is_on_its_way(server: Server, bring: Bring) -> None:
    """Worked case 17."""
    order = await bring(state=OrderState.IN_TRANSIT)

    payload = await server.do("refundOnlyOpen", BUYER, orderId=order.id, lines=[line(order)], reason="damaged")

    assert "REASON_NOT_ALLOWED" in [p["code"] for p in payload["problems"]]


async def test_the_window_closes_at_the_very_instant(server: Server, bring: Bring) -> None:
    """Worked case 1: non-Mall, six calendar days."""
    order = await bring(delivered=server.clock())
    claim: dict[str, Any] = {"orderId": order.id, "lines": [line(order)], "reason": "not_received"}
    fields = "problems { code message ... on NotEligible { rule eligibleUntil } } request { id }"

    server.clock.passes(days=6)
    late = await server.do("refundOnlyOpen", BUYER, fields, **claim)
    server.clock.now -= timedelta(microseconds=1)
    early = await server.do("refundOnlyOpen", BUYER, fields, **claim)

    assert late["problems"][0]["code"] == "WINDOW_CLOSED"
    assert late["problems"][0]["rule"] == "G_WINDOW"
    assert late["problems"][0]["eligibleUntil"] == "2025-03-09T03:00:00Z"
    assert early["problems"] == []


async def test_the_same_key_does_the_same_thing_once(server: Server, bring: Bring) -> None:
    order = await bring()
    claim: dict[str, Any] = {
        "orderId": order.id,
        "lines": [line(order)],
        "reason": "not_received",
        "idempotencyKey": "mine",
    }

    first = await server.do("refundOnlyOpen", BUYER, **claim)
    again = await server.do("refundOnlyOpen", BUYER, **claim)
    other = await server.do(
        "refundOnlyOpen", BUYER, "problems { code ... on KeyReused { firstUsedAt } }", **claim, note="!"
    )

    assert again["request"]["id"] == first["request"]["id"]
    assert again["replayed"] is True
    assert other["problems"] == [{"code": "KEY_REUSED", "firstUsedAt": "2025-03-03T03:00:00Z"}]
    assert (await server.ask("{ requests { totalCount } }", BUYER))["requests"]["totalCount"] == 1


async def test_the_same_key_at_the_same_time_does_the_thing_once(server: Server, bring: Bring) -> None:
    order = await bring()
    claim: dict[str, Any] = {
        "orderId": order.id,
        "lines": [line(order)],
        "reason": "not_received",
        "idempotencyKey": "mine",
    }

    answers = await asyncio.gather(*(server.do("refundOnlyOpen", BUYER, **claim) for _ in range(8)))

    assert len({answer["request"]["id"] for answer in answers}) == 1
    assert sorted(answer["replayed"] for answer in answers) == [False] + [True] * 7


STALE = """
    request { version stage { handle } }
    problems { code retryable ... on StaleVersion { expected current missed { type rule version by } } }
"""


async def test_two_act_at_once_and_the_slower_hears_what_it_missed(server: Server, opened: Open) -> None:
    """Worked case 16."""
    request = await opened()
    decision: dict[str, Any] = {"requestId": request["id"], "expectedVersion": 1}

    answers = await asyncio.gather(
        server.do("refundOnlyApprove", SELLER, STALE, **decision),
        server.do("requestReject", AGENT, STALE, **decision, reason="unclear_or_no_evidence"),
    )

    won, lost = sorted(answers, key=lambda answer: len(answer["problems"]))
    assert won["problems"] == []
    assert won["request"]["version"] == 2
    problem = lost["problems"][0]
    assert (problem["code"], problem["expected"], problem["current"]) == ("VERSION_CONFLICT", 1, 2)
    assert problem["retryable"] is True
    assert {event["version"] for event in problem["missed"]} == {2}
    assert lost["request"] == won["request"]


async def test_what_cannot_be_done_here_says_what_can(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do(
        "returnAcceptPackage", SELLER,
        "problems { code ... on IllegalTransition { stage { handle label } allowed { handle mutation } } }",
        requestId=request["id"], expectedVersion=1,
    )  # fmt: skip

    assert payload["problems"] == [
        {
            "code": "INVALID_STATE",
            "stage": {"handle": "pending_review", "label": "Waiting for review"},
            "allowed": [
                {"handle": "approve", "mutation": "refundOnlyApprove"},
                {"handle": "reject", "mutation": "requestReject"},
            ],
        }
    ]


async def test_an_approval_at_the_deadline_comes_too_late(server: Server, opened: Open) -> None:
    """Worked case 14."""
    request = await opened()
    server.clock.passes(days=2)

    payload = await server.do(
        "refundOnlyApprove", SELLER, "problems { code ... on DeadlinePassed { deadline { handle dueAt urgency } } }",
        requestId=request["id"], expectedVersion=1,
    )  # fmt: skip

    assert payload["problems"] == [
        {
            "code": "DEADLINE_PASSED",
            "deadline": {"handle": "review.first", "dueAt": "2025-03-05T03:00:00Z", "urgency": "OVERDUE"},
        }
    ]


async def test_more_than_may_be_granted_is_refused_with_the_most(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do(
        "refundOnlyApprove", SELLER, "problems { code path ... on AmountExceeded { maximum { amount currency } } }",
        requestId=request["id"], expectedVersion=1, amount={"amount": "100001", "currency": "IDR"},
    )  # fmt: skip

    assert payload["problems"] == [
        {"code": "AMOUNT_EXCEEDED", "path": ["amount"], "maximum": {"amount": "100000", "currency": "IDR"}}
    ]


async def test_staff_need_the_grant_and_are_told_which(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do(
        "refundOnlyApprove", staff("view"), "problems { code ... on NotAllowed { permission } } request { version }",
        requestId=request["id"], expectedVersion=1,
    )  # fmt: skip

    assert payload["problems"] == [{"code": "FORBIDDEN", "permission": "review"}]
    assert payload["request"]["version"] == 1


async def test_a_request_of_another_shop_does_not_exist(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do("refundOnlyApprove", OTHER_SELLER, requestId=request["id"], expectedVersion=1)

    assert [p["code"] for p in payload["problems"]] == ["NOT_FOUND"]
    assert payload["request"] is None


async def test_an_edit_answers_with_the_request_that_takes_its_place(server: Server, opened: Open) -> None:
    old = await opened()
    order = (
        await server.ask("query($id: ID!) { request(by: {id: $id}) { order { lines { id } } } }", BUYER, id=old["id"])
    )["request"]["order"]

    payload = await server.do(
        "requestEdit", BUYER,
        "problems { code } request { id version previous { id stage { handle } closeReason next { id } } }",
        requestId=old["id"], expectedVersion=1, lines=[{"orderLineId": order["lines"][1]["id"], "quantity": 1}],
        reason="missed_delivery_date",
    )  # fmt: skip

    new = payload["request"]
    assert payload["problems"] == []
    assert new["version"] == 1
    assert new["previous"] == {
        "id": old["id"], "stage": {"handle": "closed"}, "closeReason": "EDITED", "next": {"id": new["id"]},
    }  # fmt: skip


async def test_control_characters_and_endless_texts_are_told_apart(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do(
        "requestCancel", BUYER, requestId=request["id"], expectedVersion=1, note="a\x07" + "b" * 10, idempotencyKey=""
    )

    assert [(p["code"], p["path"]) for p in payload["problems"]] == [
        ("INVALID_INPUT", ["note"]),
        ("INVALID_INPUT", ["idempotencyKey"]),
    ]
    assert payload["request"]["version"] == 1


async def test_a_note_is_short_with_every_act(server: Server, opened: Open) -> None:
    """Also with one whose row in the table does not think of notes."""
    request = await opened()

    payload = await server.do("refundOnlyApprove", SELLER, requestId=request["id"], expectedVersion=1, note="x" * 501)

    assert [(p["code"], p["path"]) for p in payload["problems"]] == [("INVALID_INPUT", ["note"])]
    assert payload["request"]["version"] == 1


async def test_a_tracking_number_is_one_that_a_scan_can_name(server: Server, opened: Open) -> None:
    request = await opened()

    payload = await server.do(
        "outboundArrange", SELLER, requestId=request["id"], expectedVersion=1, carrier="x" * 101, tracking="x" * 101
    )

    assert [(p["code"], p["path"]) for p in payload["problems"]] == [
        ("INVALID_INPUT", ["carrier"]),
        ("INVALID_INPUT", ["tracking"]),
    ]


async def test_problems_speak_the_callers_language(server: Server, opened: Open) -> None:
    request = await opened()
    document = "mutation($i: RefundOnlyApproveInput!) { refundOnlyApprove(input: $i) { problems { message } } }"
    given = {"idempotencyKey": "k", "requestId": request["id"], "expectedVersion": 7}

    english = await server.ask(document, SELLER, "en-GB", i=given)
    indonesian = await server.ask(document, SELLER, "id-ID,en;q=0.5", i=given)

    assert english["refundOnlyApprove"]["problems"][0]["message"].startswith("The request changed")
    assert (
        indonesian["refundOnlyApprove"]["problems"][0]["message"]
        != english["refundOnlyApprove"]["problems"][0]["message"]
    )


async def test_a_stranger_is_asked_who_they_are(server: Server) -> None:
    for document in ("{ me { id } }", "{ requests { totalCount } }", "{ plugins { name } }", "{ policies { key } }"):
        result = await server.run(document, None)

        assert result.errors is not None
        assert result.errors[0].extensions == {"code": "UNAUTHENTICATED"}
