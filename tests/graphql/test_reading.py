"""Reading: pages, filters, rights, previews, eligibility, and what each party sees of the same record."""

from decimal import Decimal
from typing import Any

import pytest
from tests.graphql.server import (
    AGENT,
    BANGKOK,
    BUYER,
    CARRIER,
    OTHER_BUYER,
    OTHER_SELLER,
    SELLER,
    Bring,
    Open,
    Server,
    line,
    staff,
)

from aftersales.graphql.orders import Money
from aftersales.store.database import Statement

BY_ID = "query($id: ID!) { request(by: {id: $id}) { id number buyer { id name } availableActions { handle } } }"


async def test_each_party_sees_what_is_theirs(server: Server, opened: Open) -> None:
    request = await opened()
    seen = {
        name: (await server.ask(BY_ID, actor, id=request["id"]))["request"] is not None
        for name, actor in {
            "buyer": BUYER, "seller": SELLER, "agent": AGENT, "carrier": CARRIER, "viewer": staff("view"),
            "clerk without view": staff("review"), "other seller": OTHER_SELLER, "other buyer": OTHER_BUYER,
        }.items()
    }  # fmt: skip

    assert seen == {
        "buyer": True, "seller": True, "agent": True, "carrier": True, "viewer": True,
        "clerk without view": False, "other seller": False, "other buyer": False,
    }  # fmt: skip


async def test_actions_are_those_of_the_caller(server: Server, opened: Open) -> None:
    request = await opened()

    offered = {
        name: [a["handle"] for a in (await server.ask(BY_ID, actor, id=request["id"]))["request"]["availableActions"]]
        for name, actor in {"buyer": BUYER, "owner": SELLER, "viewer": staff("view"), "agent": AGENT}.items()
    }

    assert offered == {
        "buyer": ["edit", "cancel"],
        "owner": ["approve", "reject"],
        "viewer": [],
        "agent": ["approve", "edit", "cancel", "reject", "platform_approve", "refund_without_return", "close"],
    }


async def test_the_buyers_name_is_for_those_who_write_the_label(server: Server, opened: Open) -> None:
    request = await opened()

    names = [
        (await server.ask(BY_ID, actor, id=request["id"]))["request"]["buyer"]["name"]
        for actor in (staff("view"), staff("view", "ship"), SELLER, BUYER)
    ]

    assert names == [None, "Ani", "Ani", "Ani"]


async def test_a_request_is_found_by_the_number_people_say(server: Server, opened: Open) -> None:
    request = await opened()

    found = await server.ask(
        "query($n: String!) { request(by: {number: $n}) { id } }", BUYER, n=request["number"].lower()
    )
    foreign = await server.ask(
        "query($n: String!) { request(by: {number: $n}) { id } }", OTHER_BUYER, n=request["number"]
    )

    assert found["request"]["id"] == request["id"]
    assert foreign["request"] is None


async def test_nodes_come_in_the_order_asked_and_foreign_ones_are_not_there(server: Server, opened: Open) -> None:
    request = await opened()
    document = """query($id: ID!) { request(by: {id: $id}) {
        id order { id } shop { id } nextDeadline { id } history(first: 1) { nodes { id } } } }"""
    found = (await server.ask(document, SELLER, id=request["id"]))["request"]
    ids = [
        found["history"]["nodes"][0]["id"], found["nextDeadline"]["id"], found["shop"]["id"], "rq_nothing",
        found["order"]["id"],
        found["id"], "nonsense", BANGKOK.id,
    ]  # fmt: skip

    nodes = await server.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", SELLER, ids=ids)
    foreign = await server.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", OTHER_SELLER, ids=ids)

    assert [node and node["__typename"] for node in nodes["nodes"]] == [
        "RequestEvent", "Deadline", "Shop", None, "Order", "Request", None, None,
    ]  # fmt: skip
    assert foreign["nodes"] == [None] * 7 + [{"id": BANGKOK.id}]


async def test_pages_hang_together(server: Server, opened: Open) -> None:
    made = [(await opened(number=str(number)))["id"] for number in range(1001, 1008)]
    document = """query($after: Cursor) { requests(sort: CREATED_DESC, first: 3, after: $after) {
        nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }"""

    pages, after = [], None
    while True:
        page = (await server.ask(document, SELLER, after=after))["requests"]
        pages.append([node["id"] for node in page["nodes"]])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [id for page in pages for id in page] == made[::-1]
    assert page["totalCount"] == 7


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ("first: 0", "first"),
        ("first: 101", "first"),
        ('after: "x"', "after"),
        ('filter: {text: "a b c d e f g h i j k"}', "filter.text"),
    ],
)
async def test_what_a_list_cannot_give_is_a_clear_error(server: Server, arguments: str, path: str) -> None:
    result = await server.run(f"{{ requests({arguments}) {{ nodes {{ id }} }} }}", SELLER)

    assert result.errors is not None
    assert result.errors[0].extensions is not None
    assert result.errors[0].extensions["code"] == "INVALID_INPUT"
    assert result.errors[0].extensions["argument"] == path


async def test_counts_say_who_is_waited_for_and_what_is_late(server: Server, opened: Open) -> None:
    await opened(number="1001")
    rejected = await opened(number="1002")
    await server.do(
        "requestReject", SELLER, requestId=rejected["id"], expectedVersion=1, reason="unclear_or_no_evidence"
    )
    server.clock.passes(days=2)

    counts = (await server.ask("{ requestCounts { status waitingFor count overdue } }", SELLER))["requestCounts"]

    assert sorted(counts, key=lambda row: str(row["status"])) == [
        {"status": "PENDING_REVIEW", "waitingFor": "SELLER", "count": 1, "overdue": 1},
        {"status": "REJECTED", "waitingFor": "BUYER", "count": 1, "overdue": 1},
    ]


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"kinds": ["refund_only"]}, [0]),
    ({"kinds": ["return_refund"]}, [1, 2]),
    ({"statuses": ["IN_PROGRESS"]}, [2]),
    ({"stages": ["pending_review"]}, [0, 1]),
    ({"reasons": ["wrong_size"]}, [1, 2]),
    ({"waitingFor": "BUYER"}, [2]),
    ({"waitingFor": "SELLER", "kinds": ["return_refund"]}, [1]),
    ({"orderNumber": "1002"}, [1]),
    ({"text": "headset 1001"}, [0]),
    ({"text": "nowhere"}, []),
    ({"urgency": ["CALM"]}, [0, 1, 2]),
    ({"urgency": ["OVERDUE"]}, []),
    ({"dueBefore": "2025-03-06T00:00:00Z"}, [0, 1]),
    ({"disputed": True}, []),
    ({"shopIds": ["sh_bangkok"]}, []),
    ({"createdAfter": "2025-03-03T03:00:00Z"}, [0, 1, 2]),
    ({"createdBefore": "2025-03-03T03:00:00Z"}, []),
    ({"tags": ["speedy_refund"]}, []),
    ({"appealStatuses": ["AVAILABLE"]}, []),
]


async def test_every_filter_narrows(server: Server, opened: Open) -> None:
    made = [await opened(number="1001"), await opened("returnRefund", "1002"), await opened("returnRefund", "1003")]
    await server.do("returnRefundApprove", SELLER, requestId=made[2]["id"], expectedVersion=1)
    ids = [request["id"] for request in made]
    document = "query($filter: RequestFilter) { requests(filter: $filter, first: 50) { nodes { id } } }"

    found = {
        str(filter): sorted(
            ids.index(node["id"]) for node in (await server.ask(document, SELLER, filter=filter))["requests"]["nodes"]
        )
        for filter, _ in FILTERS
    }

    assert found == {str(filter): expected for filter, expected in FILTERS}


async def test_a_preview_shows_what_would_follow_and_writes_nothing(server: Server, opened: Open, bring: Bring) -> None:
    order = await bring("2001")
    document = """query($i: RequestOpenPreviewInput!) { requestOpenPreview(input: $i) {
        money { maximum { amount } } stages { handle } deadlines { handle owedBy dueAt } problems { code } } }"""
    claim = {"kind": "return_refund", "orderId": order.id, "lines": [line(order, 0, 2)], "reason": "wrong_size"}

    preview = (await server.ask(document, BUYER, i=claim))["requestOpenPreview"]
    refused = (await server.ask(document, BUYER, i=claim | {"reason": "damaged"}))["requestOpenPreview"]

    assert preview == {
        "money": {"maximum": {"amount": "200000"}},
        "stages": [{"handle": "pending_review"}],
        "deadlines": [{"handle": "review.first", "owedBy": "SELLER", "dueAt": "2025-03-05T03:00:00Z"}],
        "problems": [],
    }
    assert [problem["code"] for problem in refused["problems"]] == ["EVIDENCE_REQUIRED"]
    assert (await server.ask("{ requests { totalCount } }", BUYER))["requests"]["totalCount"] == 0


async def test_the_preview_of_an_act_is_what_the_act_does(server: Server, opened: Open) -> None:
    request = await opened("returnRefund")
    document = """query($i: RequestActPreviewInput!) { requestActPreview(input: $i) {
        stages { handle } deadlines { handle dueAt } problems { code } } }"""

    preview = (await server.ask(document, SELLER, i={"requestId": request["id"], "action": "approve"}))[
        "requestActPreview"
    ]
    forbidden = (await server.ask(document, BUYER, i={"requestId": request["id"], "action": "approve"}))[
        "requestActPreview"
    ]
    done = await server.do(
        "returnRefundApprove", SELLER, "request { stage { handle } nextDeadline { handle dueAt } }",
        requestId=request["id"], expectedVersion=1,
    )  # fmt: skip

    assert [stage["handle"] for stage in preview["stages"]] == ["pending_review", "awaiting_buyer_ship"]
    assert preview["deadlines"] == [done["request"]["nextDeadline"]]
    assert [problem["code"] for problem in forbidden["problems"]] == ["FORBIDDEN"]


async def test_eligibility_answers_for_each_line_and_kind_with_every_rule(server: Server, bring: Bring) -> None:
    order = await bring()
    document = """query($id: ID!) { eligibility(orderId: $id) {
        kind { handle } orderLineId eligible needsReview until maximum { amount } reasons { handle }
        rules { guard passed code } } }"""

    now = (await server.ask(document, BUYER, id=order.id))["eligibility"]
    server.clock.passes(days=6)
    later = (await server.ask(document, BUYER, id=order.id))["eligibility"]

    kinds = ("exchange", "refund_only", "reshipment", "return_refund")
    assert [(row["kind"]["handle"], row["eligible"]) for row in now] == [(kind, True) for kind in kinds for _ in "12"]
    assert now[0]["until"] == "2025-03-08T03:00:00Z"
    assert "wont_arrive_on_time" not in [reason["handle"] for reason in now[0]["reasons"]]
    assert {row["eligible"] for row in later} == {False}
    assert {"guard": "G_WINDOW", "passed": False, "code": "WINDOW_CLOSED"} in later[0]["rules"]


async def test_a_buyer_never_reads_a_sellers_note(server: Server, opened: Open) -> None:
    request = await opened()
    await server.do(
        "requestReject",
        SELLER,
        requestId=request["id"],
        expectedVersion=1,
        reason="unclear_or_no_evidence",
        note="A regular.",
    )
    document = "query($id: ID!) { request(by: {id: $id}) { history { nodes { type note } } } }"

    notes = [
        [
            node["note"]
            for node in (await server.ask(document, actor, id=request["id"]))["request"]["history"]["nodes"]
            if node["note"]
        ]
        for actor in (SELLER, AGENT, BUYER)
    ]

    assert notes == [["A regular."], ["A regular."], []]


async def test_a_buyer_never_learns_of_compensation(server: Server, opened: Open) -> None:
    request = await opened()
    await server.do("requestRefundWithoutReturn", AGENT, requestId=request["id"], expectedVersion=1)
    document = """query($id: ID!) { request(by: {id: $id}) {
        money { parts { kind bornBy } } history(first: 50) { nodes { type } } } }"""

    seen = {
        name: (await server.ask(document, actor, id=request["id"]))["request"]
        for name, actor in {"seller": SELLER, "buyer": BUYER}.items()
    }

    assert {"kind": "COMPENSATION", "bornBy": "PLATFORM"} in seen["seller"]["money"]["parts"]
    assert "COMPENSATION" not in str(seen["buyer"])
    assert "CompensationCreated" in str(seen["seller"])
    assert "Compensation" not in str(seen["buyer"])


async def test_labels_follow_the_language_and_handles_stay(server: Server, opened: Open) -> None:
    request = await opened()
    document = """query($id: ID!) { request(by: {id: $id}) {
        kind { handle label } stage { handle label } nextDeadline { onExpiry } } }"""

    english = (await server.ask(document, BUYER, "en", id=request["id"]))["request"]
    indonesian = (await server.ask(document, BUYER, "id", id=request["id"]))["request"]
    unknown = (await server.ask(document, BUYER, "tlh", id=request["id"]))["request"]

    assert english["stage"] == {"handle": "pending_review", "label": "Waiting for review"}
    assert indonesian["stage"]["handle"] == "pending_review"
    assert indonesian["stage"]["label"] != english["stage"]["label"]
    assert indonesian["nextDeadline"]["onExpiry"] != english["nextDeadline"]["onExpiry"]
    assert unknown == english


async def test_a_kind_whose_plugin_is_gone_stays_readable(server: Server, opened: Open) -> None:
    request = await opened()
    statement = "UPDATE requests SET kind = 'acme_repair', stage = 'mending', stage_label = 'Being mended' WHERE id = ?"
    await server.running.database.write(Statement(statement, (request["id"],)))
    document = """query($id: ID!) { request(by: {id: $id}) {
        kind { handle label plugin } stage { handle label status } reason { handle } availableActions { handle }
        history { nodes { type } } deadlines { handle onExpiry } } }"""

    found = (await server.ask(document, SELLER, id=request["id"]))["request"]

    assert found["kind"] == {"handle": "acme_repair", "label": "acme_repair", "plugin": ""}
    assert found["stage"] == {"handle": "mending", "label": "Being mended", "status": "PENDING_REVIEW"}
    assert found["availableActions"] == []


async def test_the_policies_say_where_they_come_from(server: Server) -> None:
    policies = (await server.ask('{ policies(market: "TH") { key value unit conditions source version } }', SELLER))[
        "policies"
    ]

    review = [
        policy for policy in policies if policy["key"] == "review.first" and policy["conditions"].get("market") == "TH"
    ]
    assert review[0]["value"] == "1"
    assert review[0]["unit"] == "WORK_DAY"
    assert all(policy["source"] for policy in policies)


async def test_plugins_show_their_kinds_mutations_and_pictures(server: Server) -> None:
    plugins = (await server.ask("{ plugins { name version kinds { handle } mutations diagrams } }", SELLER))["plugins"]

    ours = {plugin["name"]: plugin for plugin in plugins}
    assert ours["reshipment"]["mutations"] == ["reshipmentOpen", "reshipmentApprove"]
    assert ours["return_refund"]["diagrams"][0].startswith("stateDiagram-v2")


@pytest.mark.parametrize(
    ("amount", "locale", "written"),
    [
        (("12500", "IDR"), "id", "Rp12.500"),
        (("12500", "IDR"), "en", "IDR12,500"),
        (("1234.5", "THB"), "th", "฿1,234.50"),
        (("12500", "VND"), "vi", "12.500\xa0₫"),
        (("3.1", "GBP"), "en-GB", "£3.10"),
        (("3.1", "USD"), "../../etc", "$3.10"),
    ],
)
def test_money_is_written_as_people_do_with_the_decimals_it_has(
    amount: tuple[str, str], locale: str, written: str
) -> None:
    money = Money(amount=Decimal(amount[0]), currency=amount[1])

    assert money.formatted(locale) == written
