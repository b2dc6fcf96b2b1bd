"""The stories of goods that go out, offers, disputes and appeals, one for each operation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.contract.town import Town

from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, SHOP

Story = Callable[[Town], Awaitable[None]]
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    """Of the operation that has the function's name."""
    STORIES["".join(word.capitalize() for word in tell.__name__.split("_"))] = tell
    return tell


HALF = {"amount": "50000", "currency": "IDR"}


@story
async def offer_make(town: Town) -> None:
    offered = await town.decide(
        "OfferMake", SELLER, await town.return_refund(), kind="PARTIAL_REFUND", amount=HALF, note="Keep it for half?"
    )

    assert offered["status"] == "AWAITING_BUYER_RESPONSE"
    assert offered["nextDeadline"]["handle"] == "offer.response"
    assert [(offer["status"], offer["amount"]) for offer in offered["offers"]] == [("OPEN", HALF)]


@story
async def offer_accept(town: Town) -> None:
    offered = await town.decide("OfferMake", SELLER, await town.return_refund(), kind="PARTIAL_REFUND", amount=HALF)

    accepted = await town.decide("OfferAccept", BUYER, offered)
    await town.home.pass_time(minutes=1)

    assert accepted["status"] == "REFUNDING"
    assert (await town.shown(accepted))["money"]["paid"]["amount"] == "50000"


@story
async def offer_decline(town: Town) -> None:
    request = await town.return_refund()
    offered = await town.decide("OfferMake", SELLER, request, kind="PARTIAL_REFUND", amount=HALF)
    await town.home.pass_time(hours=10)

    declined = await town.decide("OfferDecline", BUYER, offered)

    assert declined["status"] == "PENDING_REVIEW"
    assert declined["nextDeadline"]["dueAt"] > request["nextDeadline"]["dueAt"]
    assert declined["offers"][0]["status"] == "DECLINED"


@story
async def dispute_open(town: Town) -> None:
    disputed = await town.disputed()

    assert disputed["stage"]["handle"] == "rejected"
    [dispute] = disputed["disputes"]
    assert (dispute["round"], dispute["status"], dispute["claim"]) == (1, "EVIDENCE", "It never came.")
    assert [clock["owedBy"] for clock in dispute["deadlines"]] == ["SELLER", "BUYER"]


@story
async def dispute_submit_evidence(town: Town) -> None:
    photo, disputed = await town.photo(BUYER), await town.disputed()

    shown = await town.decide("DisputeSubmitEvidence", BUYER, disputed, evidenceIds=[photo])
    judged = await town.decide("DisputeSubmitEvidence", SELLER, shown, note="Nothing more.")

    assert judged["disputes"][0]["status"] == "UNDER_REVIEW"
    assert [clock["handle"] for clock in judged["disputes"][0]["deadlines"]] == ["dispute.decision"]
    files = {
        actor.party.title: len((await town.shown(judged, actor))["disputes"][0]["evidence"]["nodes"])
        for actor in (BUYER, SELLER, AGENT)
    }
    assert files == {"BUYER": 1, "SELLER": 0, "PLATFORM": 1}


@story
async def dispute_request_evidence(town: Town) -> None:
    asked = await town.decide(
        "DisputeRequestEvidence", AGENT, await town.judged(), party="SELLER", note="The packing list, please."
    )

    assert asked["disputes"][0]["status"] == "EVIDENCE"
    assert [clock["owedBy"] for clock in asked["disputes"][0]["deadlines"]] == ["SELLER"]


@story
async def dispute_decide(town: Town) -> None:
    decided = await town.decide("DisputeDecide", AGENT, await town.judged(), decision="BUYER", note="Nobody signed.")

    assert decided["status"] == "REFUNDING"
    assert (await town.shown(decided))["approvedBy"] == "ARBITRATION"
    lost = await town.decide("DisputeDecide", AGENT, await town.judged(), decision="SELLER", note="He signed.")
    assert (lost["status"], (await town.shown(lost))["closeReason"]) == ("CLOSED", "ARBITRATION_SELLER")


@story
async def dispute_withdraw(town: Town) -> None:
    withdrawn = await town.decide("DisputeWithdraw", BUYER, await town.disputed())

    assert withdrawn["stage"]["handle"] == "rejected"
    assert withdrawn["nextDeadline"]["handle"] == "rejection.followup"
    assert withdrawn["disputes"][0]["status"] == "WITHDRAWN"


@story
async def appeals(town: Town) -> None:
    appeal = await town.appealable()

    page = await town.ask("Appeals", SELLER, statuses=["AVAILABLE"])

    assert [row["id"] for row in page["nodes"]] == [appeal["id"]]
    assert page["totalCount"] == 1
    assert page["nodes"][0]["ground"]["handle"] == "platform_approved_refund"
    assert [action["mutation"] for action in page["nodes"][0]["availableActions"]] == ["appealFile"]
    assert page["nodes"][0]["nextDeadline"]["handle"] == "appeal.window"
    assert [event["type"] for event in page["nodes"][0]["history"]["nodes"]] == ["DeadlineStarted", "AppealAvailable"]
    assert (await town.ask("Appeals", BUYER))["nodes"] == []


@story
async def appeal_file(town: Town) -> None:
    appeal = await town.appealed()

    assert appeal["status"] == "SUBMITTED"
    assert appeal["nextDeadline"]["owedBy"] == "PLATFORM"


@story
async def appeal_take_up(town: Town) -> None:
    assert (await town.appeal("AppealTakeUp", AGENT, await town.appealed()))["status"] == "UNDER_REVIEW"


@story
async def appeal_request_evidence(town: Town) -> None:
    asked = await town.appeal("AppealRequestEvidence", AGENT, await town.appealed(), note="Who signed?")

    assert asked["status"] == "EVIDENCE_REQUESTED"
    assert asked["nextDeadline"]["handle"] == "appeal.evidence"


@story
async def appeal_add_evidence(town: Town) -> None:
    asked = await town.appeal("AppealRequestEvidence", AGENT, await town.appealed(), note="Who signed?")

    given = await town.appeal("AppealAddEvidence", SELLER, asked, evidenceIds=[await town.photo(SELLER)])

    assert given["status"] == "UNDER_REVIEW"
    assert given["nextDeadline"]["handle"] == "appeal.decision"


@story
async def appeal_approve(town: Town) -> None:
    taken = await town.appeal("AppealTakeUp", AGENT, await town.appealed())

    approved = await town.appeal("AppealApprove", AGENT, taken, amount=HALF, note="Both are to blame.")

    assert (approved["status"], approved["compensation"]) == ("APPROVED", HALF)
    assert (await town.shown(approved["request"]))["money"]["paid"]["amount"] == "100000"


@story
async def appeal_deny(town: Town) -> None:
    taken = await town.appeal("AppealTakeUp", AGENT, await town.appealed())

    denied = await town.appeal("AppealDeny", AGENT, taken, note="Nobody signed.")

    assert (denied["status"], denied["decisionNote"]) == ("DENIED", "Nobody signed.")


@story
async def appeal_withdraw(town: Town) -> None:
    withdrawn = await town.appeal("AppealWithdraw", SELLER, await town.appealed())

    assert withdrawn["status"] == "WITHDRAWN"
    assert withdrawn["availableActions"] == []


@story
async def request_compensation_paid(town: Town) -> None:
    refunded = await town.decide("RequestRefundWithoutReturn", AGENT, await town.approved_return())
    await town.home.pass_time(minutes=1)

    await town.decide("RequestCompensationPaid", AGENT, await town.shown(refunded))

    told = [event["type"] for event in (await town.shown(refunded))["history"]["nodes"]]
    assert told[0] == "CompensationPaid"
    assert "CompensationPaid" not in [
        event["type"] for event in (await town.shown(refunded, BUYER))["history"]["nodes"]
    ]


async def scanned(town: Town, request: dict[str, str], event: str) -> None:
    where = {"requestId": request["id"], "leg": "RETURN", "trackingNumber": "J7"}
    told = await town.do("CarrierReport", CARRIER, scans=[{"event": event, "carrier": "JNE", **where}])
    assert [one["outcome"] for one in told["results"]] == ["DONE"]


@story
async def return_claim_package(town: Town) -> None:
    request = await town.approved_return()
    await scanned(town, request, "HANDED_OVER")
    await scanned(town, request, "FAILED")

    fetched = await town.decide("ReturnClaimPackage", SELLER, await town.shown(request))

    assert fetched["stage"]["handle"] == "pending_inspection"
    assert fetched["shipments"][0]["status"] == "DELIVERED"


@story
async def return_grant_speedy(town: Town) -> None:
    promised = await town.decide("ReturnGrantSpeedy", AGENT, await town.approved_return())
    await scanned(town, promised, "HANDED_OVER")
    await town.home.pass_time(minutes=1)

    assert [tag["handle"] for tag in promised["tags"]] == ["speedy_refund"]
    assert (await town.shown(promised))["status"] == "COMPLETED"


@story
async def return_confirm_package(town: Town) -> None:
    promised = await town.decide("ReturnGrantSpeedy", AGENT, await town.approved_return())
    await scanned(town, promised, "HANDED_OVER")
    await town.home.pass_time(minutes=1)
    await scanned(town, promised, "DELIVERED")

    confirmed = await town.decide("ReturnConfirmPackage", SELLER, await town.shown(promised))

    assert confirmed["appeal"]["status"] == "NOT_AVAILABLE"
    assert (await town.shown(promised, BUYER))["appeal"] is None


@story
async def request_collected(town: Town) -> None:
    canceled = await town.canceled_order_that_was_refunded()

    collected = await town.decide("RequestCollected", AGENT, canceled)

    assert [tag["handle"] for tag in collected["tags"]] == ["auto_approved", "order_collected"]
    assert (await town.shown(collected))["appeal"]["ground"]["handle"] == "canceled_but_collected"


@story
async def return_send_back(town: Town) -> None:
    lost = await town.lost_dispute_about_a_parcel(send_back=True)
    assert (lost["status"], lost["nextDeadline"]["handle"]) == ("CLOSED", "back_to_buyer.ship")

    sent = await town.decide("ReturnSendBack", SELLER, lost, carrier="GHN", tracking="V1")

    assert [(parcel["leg"], parcel["status"]) for parcel in sent["shipments"]] == [
        ("RETURN", "DELIVERED"),
        ("BACK_TO_BUYER", "IN_TRANSIT"),
    ]
    assert sent["nextDeadline"] is None


@story
async def reshipment_open(town: Town) -> None:
    opened = await town.reshipment()

    assert (opened["stage"]["handle"], opened["nextDeadline"]["owedBy"]) == ("pending_review", "SELLER")


@story
async def reshipment_approve(town: Town) -> None:
    approved = await town.to_be_sent()

    assert (approved["stage"]["handle"], approved["nextDeadline"]["handle"]) == ("awaiting_seller_ship", "ship_out")


@story
async def exchange_open(town: Town) -> None:
    opened = await town.exchange()

    [wanted] = opened["details"]["wanted"]
    assert (wanted["skuId"], wanted["reserved"]) == ("sku_1b", False)


@story
async def exchange_approve(town: Town) -> None:
    approved = await town.decide("ExchangeApprove", SELLER, await town.exchange())
    await town.home.pass_time(minutes=1)

    assert approved["stage"]["handle"] == "awaiting_buyer_ship"
    assert (await town.shown(approved))["details"]["wanted"][0]["reserved"] is True
    assert list(town.home.shelf.held.values()) == [(("sku_1b", 1),)]


@story
async def outbound_arrange(town: Town) -> None:
    arranged = await town.decide("OutboundArrange", SELLER, await town.to_be_sent(), carrier="JNE")

    assert [(parcel["leg"], parcel["status"]) for parcel in arranged["shipments"]] == [("OUTBOUND", "BOOKED")]


@story
async def outbound_send(town: Town) -> None:
    sent = await town.decide("OutboundSend", SELLER, await town.to_be_sent(), carrier="JNE", tracking="JP2")
    came = await town.do(
        "CarrierReport", CARRIER, scans=[{"event": "DELIVERED", "carrier": "JNE", "trackingNumber": "JP2"}]
    )

    assert sent["stage"]["handle"] == "outbound_in_transit"
    assert came["results"][0]["request"]["stage"]["handle"] == "completed"


@story
async def outbound_refund_instead(town: Town) -> None:
    refunded = await town.decide(
        "OutboundRefundInstead", SELLER, await town.to_be_sent(), reason="out_of_stock", amount=HALF
    )

    assert refunded["money"]["approved"] == HALF


@story
async def seller_refund_create(town: Town) -> None:
    claim = await town.claim()
    given = {"orderId": claim["orderId"], "reason": "agreed_with_buyer", "note": "For the scratch."}
    line = {"orderLineId": claim["lines"][0]["orderLineId"]}

    done = await town.do("SellerRefundCreate", SELLER, **given, lines=[{**line, "amount": HALF}])
    await town.home.pass_time(minutes=1)
    rest = await town.do("SellerRefundCreate", SELLER, **given, lines=[line])

    assert (done["refund"]["status"], done["refund"]["amount"]) == ("PENDING", HALF)
    assert rest["refund"]["amount"] == HALF
    to_seller, to_buyer = [
        (await town.ask("OrderDetail", who, id=claim["orderId"]))["refunds"] for who in (SELLER, BUYER)
    ]
    assert [(refund["status"], refund["note"]) for refund in to_seller] == [
        ("PENDING", "For the scratch."),
        ("PAID", "For the scratch."),
    ]
    assert [refund["note"] for refund in to_buyer] == [None, None]


@story
async def shop_rule_save(town: Town) -> None:
    await town.home.order()

    saved = await town.do(
        "ShopRuleSave",
        SELLER,
        shopId=SHOP.id,
        name="Small things",
        conditions={"maximum": HALF, "reasons": ["damaged"]},
    )

    assert (saved["rule"]["version"], saved["rule"]["active"]) == (1, True)
    assert saved["rule"]["conditions"]["maximum"] == HALF


@story
async def shop_rule_remove(town: Town) -> None:
    await town.home.order()
    rule = (await town.do("ShopRuleSave", SELLER, shopId=SHOP.id, name="All", conditions={}))["rule"]

    removed = await town.do("ShopRuleRemove", SELLER, shopId=SHOP.id, ruleId=rule["id"], expectedVersion=1)

    assert removed["rule"] is None
    assert await town.ask("ShopRules", SELLER, shopId=SHOP.id) == []


@story
async def shop_rules(town: Town) -> None:
    await town.home.order()
    await town.do("ShopRuleSave", SELLER, shopId=SHOP.id, name="All", conditions={})

    [rule] = await town.ask("ShopRules", SELLER, shopId=SHOP.id)

    assert rule["name"] == "All"
    assert (await town.refund_only())["status"] == "REFUNDING"


@story
async def shop_rule_preview(town: Town) -> None:
    await town.refund_only()

    tried = await town.ask("ShopRulePreview", SELLER, shopId=SHOP.id, conditions={"maximum": HALF})

    assert (tried["considered"], tried["granted"], tried["amounts"]) == (1, 0, [])
    assert tried["trials"][0]["failing"] == ["maximum"]


@story
async def refund_only_enforce(town: Town) -> None:
    request = await town.refund_only()
    await town.home.running.desk.ledger.import_shops([replace(SHOP, open=False)])

    enforced = await town.decide("RefundOnlyEnforce", AGENT, request)

    assert [tag["handle"] for tag in enforced["tags"]] == ["enforced", "platform_approved_refund"]


@story
async def refund_only_revoke_enforcement(town: Town) -> None:
    claim = await town.claim(shop=replace(SHOP, open=False))
    request = (await town.do("RefundOnlyOpen", BUYER, **claim, reason="not_received"))["request"]
    await town.home.pass_time(minutes=1)

    revoked = await town.decide("RefundOnlyRevokeEnforcement", AGENT, await town.shown(request), note="A mistake.")

    assert revoked["appeal"]["ground"]["handle"] == "enforcement_revoked"
