"""Every operation of `schema/operations` is valid, says what it is for, and does it: each has its story here."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from graphql import DocumentNode, build_schema, validate
from tests.contract import cases
from tests.contract.town import OPERATIONS, SCHEMA, Town, operation_of, root_field

from aftersales.engine.vocabulary import Actor, OrderState, Party
from aftersales.hookspecs import PaymentOutcome
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, SHOP, house

PUBLISHED = build_schema((SCHEMA / "aftersales.graphql").read_text(encoding="utf-8"))
PARTNER = Actor(Party.PARTNER, "ap_1", frozenset({"sh_2"}), frozenset({"orders.import", "view"}))

Story = Callable[[Town], Awaitable[None]]
STORIES: dict[str, Story] = dict(cases.STORIES)


def story(tell: Story) -> Story:
    """Of the operation that has the function's name."""
    STORIES["".join(word.capitalize() for word in tell.__name__.split("_"))] = tell
    return tell


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_valid_and_alone_in_the_file_of_its_name(name: str) -> None:
    operation = operation_of(name)

    assert validate(PUBLISHED, DocumentNode(definitions=(operation,))) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_first_what_it_is_for(name: str) -> None:
    first = OPERATIONS[name].splitlines()[0]

    assert first.startswith("# ")
    assert first.endswith(".")


def test_every_root_field_occurs_in_an_operation() -> None:
    roots = (PUBLISHED.query_type, PUBLISHED.mutation_type, PUBLISHED.subscription_type)
    there = {field for root in roots if root for field in root.fields}

    assert there - {root_field(name) for name in OPERATIONS} == set()


def test_every_operation_has_its_story() -> None:
    assert sorted(OPERATIONS) == sorted(STORIES)


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_does_what_it_says(name: str) -> None:
    async with house() as home:
        await STORIES[name](Town(home))


@story
async def board(town: Town) -> None:
    later, sooner = await town.return_refund("SELF_ARRANGED"), await town.refund_only()
    await town.decide("ReturnRefundApprove", SELLER, later)

    page = await town.ask("Board", SELLER, filter={"shopIds": [SHOP.id]})

    assert [row["id"] for row in page["nodes"]] == [sooner["id"], later["id"]]
    assert page["nodes"][0]["nextDeadline"]["handle"] == "review.first"
    assert page["nodes"][0]["lines"][0]["orderLine"]["productName"] == "Headset"
    assert [len(row["history"]["nodes"]) for row in page["nodes"]] == [2, 3]
    assert page["pageInfo"]["hasNextPage"] is False


@story
async def request_detail(town: Town) -> None:
    request = await town.refund_only()

    by_id = await town.ask("RequestDetail", SELLER, by={"id": request["id"]})
    by_number = await town.ask("RequestDetail", SELLER, by={"number": request["number"].lower()})

    assert by_id == by_number
    assert [action["mutation"] for action in by_id["availableActions"]] == ["refundOnlyApprove", "requestReject"]
    assert by_id["deadlines"][0]["onExpiry"] == "The request is approved."
    assert [event["type"] for event in by_id["history"]["nodes"]] == ["DeadlineStarted", "RequestCreated"]


@story
async def counts(town: Town) -> None:
    await town.refund_only()
    await town.rejected()

    assert await town.ask("Counts", SELLER) == [
        {"status": "PENDING_REVIEW", "waitingFor": "SELLER", "count": 1, "overdue": 0},
        {"status": "REJECTED", "waitingFor": "BUYER", "count": 1, "overdue": 0},
    ]


@story
async def me(town: Town) -> None:
    await town.home.order()

    viewer = await town.ask("Me", SELLER)

    assert viewer["party"] == "SELLER"
    assert [shop["name"] for shop in viewer["shops"]] == [SHOP.name]


@story
async def order_detail(town: Town) -> None:
    claim = await town.claim()
    opened = await town.do("RefundOnlyOpen", BUYER, **claim, reason="not_received")

    order = await town.ask("OrderDetail", BUYER, id=claim["orderId"])

    assert order["total"]["amount"] == "100000"
    assert order["requests"]["totalCount"] == 1
    assert order["requests"]["nodes"][0]["number"] == opened["request"]["number"]


@story
async def eligibility(town: Town) -> None:
    claim = await town.claim(state=OrderState.IN_TRANSIT)

    found = {
        answer["kind"]["handle"]: answer for answer in await town.ask("Eligibility", BUYER, orderId=claim["orderId"])
    }
    money_only = found.pop("refund_only")

    assert found.keys() == {"return_refund", "reshipment", "exchange"}
    assert all("INELIGIBLE" in [rule["code"] for rule in answer["rules"]] for answer in found.values())
    assert [reason["handle"] for reason in money_only["reasons"]] == ["wont_arrive_on_time"]


@story
async def policies(town: Town) -> None:
    found = await town.ask("Policies", SELLER, market="TH", kind="refund_only")

    assert {policy["value"] for policy in found if policy["key"] == "review.first"} == {"1", "2"}


@story
async def plugins(town: Town) -> None:
    found = {plugin["name"]: plugin for plugin in await town.ask("Plugins", SELLER)}

    assert found["exchange"]["mutations"] == ["exchangeOpen", "exchangeApprove"]
    assert found["return_refund"]["diagrams"][0].startswith("stateDiagram-v2")


@story
async def node(town: Town) -> None:
    request = await town.refund_only()

    found = await town.ask("Node", BUYER, id=request["id"])

    assert found["__typename"] == "Request"
    assert found["number"] == request["number"]


@story
async def nodes(town: Town) -> None:
    request = await town.refund_only()

    found = await town.ask("Nodes", BUYER, ids=["rq_nobody", request["id"], SHOP.id])

    assert [record and record["id"] for record in found] == [None, request["id"], None]


@story
async def open_preview(town: Town) -> None:
    claim = await town.claim()

    preview = await town.ask("OpenPreview", BUYER, input={"kind": "refund_only", **claim, "reason": "not_received"})

    assert preview["problems"] == []
    assert preview["money"]["maximum"]["amount"] == "100000"
    assert [clock["handle"] for clock in preview["deadlines"]] == ["review.first"]
    assert await town.ask("Counts", SELLER) == []


@story
async def act_preview(town: Town) -> None:
    request = await town.refund_only()

    preview = await town.ask("ActPreview", SELLER, input={"requestId": request["id"], "action": "approve"})

    assert preview["problems"] == []
    assert [stage["handle"] for stage in preview["stages"]] == ["pending_review", "refunding"]
    assert (await town.shown(request))["version"] == request["version"]


@story
async def refund_only_open(town: Town) -> None:
    opened = await town.do("RefundOnlyOpen", BUYER, **await town.claim(), reason="not_received")

    assert opened["request"]["status"] == "PENDING_REVIEW"
    assert opened["request"]["nextDeadline"]["owedBy"] == "SELLER"


@story
async def refund_only_approve(town: Town) -> None:
    half = {"amount": "50000", "currency": "IDR"}

    granted = await town.decide("RefundOnlyApprove", SELLER, await town.refund_only(), amount=half)
    await town.home.pass_time(minutes=1)

    assert granted["money"]["approved"] == half
    assert (await town.shown(granted))["status"] == "COMPLETED"


@story
async def return_refund_open(town: Town) -> None:
    opened = await town.do("ReturnRefundOpen", BUYER, **await town.claim(), reason="wrong_size", returnMethod="PICK_UP")

    assert opened["request"]["stage"]["handle"] == "pending_review"


@story
async def return_refund_approve(town: Town) -> None:
    approved = await town.decide("ReturnRefundApprove", SELLER, await town.return_refund())

    assert approved["stage"]["handle"] == "awaiting_buyer_ship"
    assert approved["nextDeadline"]["handle"] == "ship_back.drop_off"
    assert [parcel["status"] for parcel in approved["shipments"]] == ["EXPECTED"]


@story
async def return_refund_approve_keep_item(town: Town) -> None:
    granted = await town.decide("ReturnRefundApproveKeepItem", SELLER, await town.return_refund())

    assert granted["stage"]["handle"] == "refunding"
    assert granted["money"]["approved"]["amount"] == "100000"


@story
async def request_reject(town: Town) -> None:
    rejected = await town.decide(
        "RequestReject", SELLER, await town.refund_only(), reason="item_correct", evidenceIds=[await town.photo(SELLER)]
    )

    assert rejected["status"] == "REJECTED"
    assert rejected["nextDeadline"]["handle"] == "rejection.followup"
    assert len((await town.shown(rejected))["evidence"]["nodes"]) == 1


@story
async def request_cancel(town: Town) -> None:
    assert (await town.decide("RequestCancel", BUYER, await town.refund_only()))["status"] == "CANCELED"


@story
async def request_edit(town: Town) -> None:
    claim = await town.claim()
    opened = (await town.do("RefundOnlyOpen", BUYER, **claim, reason="not_received"))["request"]

    edited = await town.decide("RequestEdit", BUYER, opened, lines=claim["lines"], reason="missed_delivery_date")

    assert edited["previous"]["number"] == opened["number"]
    assert (await town.shown(edited))["reason"]["handle"] == "missed_delivery_date"
    assert (await town.shown(opened))["closeReason"] == "EDITED"


@story
async def request_resubmit(town: Town) -> None:
    rejected = await town.rejected()
    lines = [
        {"orderLineId": line["orderLine"]["id"], "quantity": line["quantity"]}
        for line in (await town.shown(rejected))["lines"]
    ]

    again = await town.decide("RequestResubmit", BUYER, rejected, lines=lines, reason="not_received", note="Truly not.")

    assert again["attempt"] == 2
    assert again["status"] == "PENDING_REVIEW"


@story
async def request_platform_approve(town: Town) -> None:
    approved = await town.decide("RequestPlatformApprove", AGENT, await town.refund_only(), note="Plain enough.")

    assert approved["status"] == "REFUNDING"
    assert (await town.shown(approved))["approvedBy"] == "PLATFORM"


@story
async def request_refund_without_return(town: Town) -> None:
    refunded = await town.decide("RequestRefundWithoutReturn", AGENT, await town.approved_return())

    assert refunded["stage"]["handle"] == "refunding"
    parts = (await town.shown(refunded))["money"]["parts"]
    assert [(part["kind"], part["bornBy"]) for part in parts] == [("GOODS", "SELLER"), ("COMPENSATION", "PLATFORM")]


@story
async def request_retry_refund(town: Town) -> None:
    town.home.bank.answers.append(PaymentOutcome.FAILED)
    await town.decide("RefundOnlyApprove", SELLER, request := await town.refund_only())
    await town.home.running.tender.tend()

    await town.decide("RequestRetryRefund", AGENT, await town.shown(request))
    await town.home.running.tender.tend()

    assert (await town.shown(request))["money"]["paid"]["amount"] == "100000"


@story
async def request_close(town: Town) -> None:
    closed = await town.decide("RequestClose", AGENT, await town.refund_only(), note="Made by mistake.")

    assert (closed["status"], closed["closeReason"]) == ("CLOSED", "OPERATOR")


@story
async def return_choose_method(town: Town) -> None:
    chosen = await town.decide("ReturnChooseMethod", BUYER, await town.approved_return(), method="PICK_UP")

    assert chosen["returnMethod"] == "PICK_UP"
    assert chosen["nextDeadline"]["handle"] == "ship_back.pickup_date"


@story
async def return_schedule_pickup(town: Town) -> None:
    tomorrow = (town.home.clock() + timedelta(days=1)).isoformat()

    booked = await town.decide("ReturnSchedulePickup", BUYER, await town.approved_return("PICK_UP"), pickupAt=tomorrow)

    assert booked["shipments"][0]["status"] == "BOOKED"
    assert booked["nextDeadline"]["owedBy"] == "CARRIER"


@story
async def return_upload_tracking(town: Town) -> None:
    approved = await town.approved_return("SELF_ARRANGED")

    sent = await town.decide("ReturnUploadTracking", BUYER, approved, carrier="JNE", tracking="JP1")

    assert sent["stage"]["handle"] == "return_in_transit"
    assert sent["shipments"][0]["trackingNumber"] == "JP1"


@story
async def return_mark_received(town: Town) -> None:
    assert (await town.parcel_that_came_back())["stage"]["handle"] == "pending_inspection"


@story
async def return_accept_package(town: Town) -> None:
    accepted = await town.decide("ReturnAcceptPackage", SELLER, await town.parcel_that_came_back())

    assert accepted["stage"]["handle"] == "refunding"


@story
async def return_reject_package(town: Town) -> None:
    parcel, photo = await town.parcel_that_came_back(), await town.photo(SELLER)

    rejected = await town.decide("ReturnRejectPackage", SELLER, parcel, reason="pkg_damaged_used", evidenceIds=[photo])

    assert rejected["stage"]["handle"] == "package_rejected"


@story
async def orders_import(town: Town) -> None:
    shop = {"id": "2", "name": "Warung", "market": "ID", "kind": "NON_MALL"}
    line = {"skuId": "s1", "productName": "Lamp", "quantity": 2, "unitPaid": "50000"}
    good = {
        "number": "A1", "shopId": "2", "buyer": {"id": "1", "name": "Ayu"}, "currency": "IDR", "state": "DELIVERED",
        "placedAt": "2025-02-28T10:00:00+07:00", "deliveredAt": "2025-03-04T10:00:00+07:00", "lines": [line],
    }  # fmt: skip
    bad = {**good, "number": "A2", "total": "1"}

    brought = await town.do("OrdersImport", PARTNER, shops=[shop], orders=[good, bad])

    assert [row["outcome"] for row in brought["results"]] == ["CREATED", "REFUSED"]
    assert [problem["path"] for problem in brought["results"][1]["problems"]] == [["orders", "1", "total"]]
    order = await town.ask("OrderDetail", BUYER, id=brought["results"][0]["order"]["id"])
    assert order["total"]["amount"] == "100000"


@story
async def privacy_erase(town: Town) -> None:
    request = await town.refund_only()
    await town.decide("RequestClose", AGENT, request, note="Settled on the phone")

    gone = await town.do("PrivacyErase", AGENT, buyerId=BUYER.id)

    assert (gone["erasure"]["orders"], gone["erasure"]["requests"]) == (1, 1)
    seen = await town.ask("RequestDetail", SELLER, by={"id": request["id"]})
    assert seen["history"]["nodes"][0]["type"] == "PersonalDataErased"
    assert await town.ask("RequestDetail", BUYER, by={"id": request["id"]}) is None


@story
async def carrier_report(town: Town) -> None:
    request = await town.approved_return()
    taken = {
        "event": "HANDED_OVER",
        "carrier": "JNE",
        "requestId": request["id"],
        "leg": "RETURN",
        "trackingNumber": "J7",
    }

    told = await town.do("CarrierReport", CARRIER, scans=[taken])
    back = await town.do(
        "CarrierReport", CARRIER, scans=[{"event": "DELIVERED", "carrier": "JNE", "trackingNumber": "J7"}]
    )

    assert told["results"][0]["request"]["stage"]["handle"] == "return_in_transit"
    assert back["results"][0]["request"]["stage"]["handle"] == "pending_inspection"


@story
async def evidence_link(town: Town) -> None:
    id = await town.photo(BUYER)

    assert (await town.ask("Node", BUYER, id=id))["mediaType"] == "image/jpeg"
    assert await town.ask("Node", SELLER, id=id) is None


@story
async def evidence_stage(town: Town) -> None:
    staged = await town.staged(BUYER)

    assert (staged["evidence"]["status"], staged["evidence"]["url"]) == ("STAGED", None)
    assert staged["evidence"]["id"].startswith("ed_")
    assert staged["upload"]["method"] == "PUT"
    assert staged["upload"]["headers"] == [{"name": "Content-Type", "value": "image/png"}]
    assert f"/evidence/{staged['evidence']['id']}?" in staged["upload"]["url"]


@story
async def evidence_submit(town: Town) -> None:
    id = await town.uploaded(BUYER)

    done = await town.do("EvidenceSubmit", BUYER, evidenceIds=[id])

    assert [(file["id"], file["status"]) for file in done["evidence"]] == [(id, "SUBMITTED")]
    assert f"/evidence/{id}?" in done["evidence"][0]["url"]


@story
async def request_stream(town: Town) -> None:
    async with town.listening() as hear:
        ready = await hear()
        request = await town.refund_only()
        created, started = await hear(), await hear()
    async with town.listening(after=created["cursor"]) as hear:
        resumed = [(await hear())["__typename"] for _ in range(2)]

    assert ready["__typename"] == "StreamReady"
    assert (created["event"]["type"], created["request"]["id"]) == ("RequestCreated", request["id"])
    assert started["deadline"]["dueAt"] == request["nextDeadline"]["dueAt"]
    assert resumed == ["StreamReady", "DeadlineChanged"]
