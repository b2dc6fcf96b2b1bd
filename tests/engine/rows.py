"""Sections 4 to 6 as data: every row that the engine has, what it does to clocks and says to the log."""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.engine.builders import (
    AGENT,
    DISPUTED,
    DROP_OFF,
    PICK_UP,
    SELF_ARRANGED,
    SELLER,
    WAYS,
    Said,
    act,
    decided,
    goods,
    lived,
    opened,
    replaced,
    rp,
    run_out,
    under,
    with_order,
)

from aftersales.engine.process import Transition
from aftersales.engine.request import Change, Request
from aftersales.engine.stages import expired_key, expiry
from aftersales.engine.vocabulary import SYSTEM, Actor, OfferKind, OrderState, Party, ReturnMethod

RO, RR, RS, EX = "refund_only", "return_refund", "reshipment", "exchange"


@dataclass(frozen=True)
class Row:
    """One row, at one stage of one kind, or of the dispute or the appeal beside it.

    Args:
        clocks: what ends and how, and with `+` what starts: "review.first:MET +rejection.followup".
        events: beyond those of every change of stage, of every end and of every clock.
        method: how the goods come back, as the buyer said when asking.
        start: the stage at which `after` begins, if not where the row is.
        after: acts that come before.
        by: who acts, if not the one who usually does.
        case: where the dispute or the appeal stands before and after, for a row of theirs: "EVIDENCE UNDER_REVIEW".
        follows: the rule of the request's table, or of the other's, that follows in the same change.
        terms: limits and flags that the request was born under, if not the market's own.
        canceled: the order was canceled since.
    """

    rule: str
    kind: str
    stage: str
    action: str
    to: str
    clocks: str = ""
    events: str = ""
    method: ReturnMethod | None = None
    start: str = ""
    after: tuple[Said, ...] = ()
    by: Actor | None = None
    given: dict[str, Any] = field(default_factory=dict)
    case: str = ""
    follows: str = ""
    terms: dict[str, int | bool] = field(default_factory=dict)
    canceled: bool = False

    def __str__(self) -> str:
        beside = [self.method.value] if self.method else []
        beside += [self.by.party.title] if self.by else []
        beside += [f"{getattr(value, 'title', value)}" for value in self.given.values()]
        before = [text if isinstance(text, str) else text[0] for text in self.after]
        return " ".join([self.rule, self.kind, self.stage, *self.case.split()[:1], self.action, *beside, *before])

    @property
    def turned(self) -> list[tuple[str, str]]:
        """Clocks and how they ended, or that they were paused or went on."""
        turns = [clock.split(":") for clock in self.clocks.split() if clock[0] != "+"]
        return sorted((key, how) for key, how in turns)

    @property
    def started(self) -> list[str]:
        return [clock[1:] for clock in self.clocks.split() if clock[0] == "+"]

    @property
    def machine(self) -> str:
        """`dispute` or `appeal` for a row of theirs, by its number."""
        return {"DI": "dispute", "AP": "appeal"}.get(self.rule[:2], "") if self.case else ""


def brought(row: Row) -> Request:
    """A request at which the row applies."""
    start = row.start or row.stage
    terms = {"offer.refund_only.partial": True} | row.terms
    request = lived(under(opened(row.kind, return_method=row.method), terms), *WAYS[row.kind][start], *row.after)
    return with_order(request, state=OrderState.CANCELED) if row.canceled else request


def performed(row: Row, request: Request | None = None) -> Change:
    request = request or brought(row)
    if key := expired_key(row.action):
        return run_out(request, key)
    if row.action in ("edit", "resubmit"):
        return replaced(request, row.action)[0]
    return act(request, row.action, row.by, **row.given)


PART: dict[str, Any] = {"kind": OfferKind.PARTIAL_REFUND, "amount": rp(40)}
AFTER_RECEIVING: dict[str, int | bool] = {"offer.partial_after_receiving": True}
BACK_TO_BUYER: dict[str, int | bool] = {"back_to_buyer": True}
SPEEDY = ("grant_speedy", "handed_over")
SENT_BACK = (*DISPUTED, decided(Party.SELLER, send_back=True))
# The platform grants it: once it is paid, the seller may appeal.
APPEALABLE = ("platform_approve", "refund_paid")
FILED = (*APPEALABLE, "appeal_file")
REVIEWED = (*FILED, "appeal_take_up")
ASKED = (*REVIEWED, "appeal_request_evidence")

# fmt: off
ROWS = (
    # Section 4.1: common to all.
    Row("C2",   RO, "pending_review", "edit", "closed",
        "review.first:CANCELED", "RequestReplaced"),
    Row("C3",   RO, "pending_review", "cancel", "canceled",
        "review.first:CANCELED", ""),
    Row("C3",   RR, "awaiting_buyer_ship", "cancel", "canceled",
        "ship_back.drop_off:CANCELED", ""),
    Row("C3",   RO, "rejected", "cancel", "canceled",
        "rejection.followup:CANCELED", ""),
    Row("C4",   RO, "pending_review", "reject", "rejected",
        "review.first:MET +rejection.followup", "RequestRejected"),
    Row("C4",   RO, "pending_review", "reject", "rejected",
        "review.first:CANCELED +rejection.followup", "RequestRejected", by=AGENT),
    Row("C8",   RO, "rejected", "resubmit", "closed",
        "rejection.followup:MET", "RequestReplaced"),
    Row("C10",  RO, "rejected", expiry("rejection.followup"), "closed",
        "rejection.followup:EXPIRED", ""),
    Row("C10",  RR, "package_rejected", expiry("rejection.followup"), "closed",
        "rejection.followup:EXPIRED", ""),
    Row("C15",  RO, "pending_review", "platform_approve", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated"),
    Row("C15",  RR, "pending_review", "platform_approve", "awaiting_buyer_ship",
        "review.first:CANCELED +ship_back.drop_off", "RequestApproved TagAdded ShipmentExpected"),
    Row("C15",  RS, "pending_review", "platform_approve", "awaiting_seller_ship",
        "review.first:CANCELED +ship_out", "RequestApproved"),
    Row("C15",  EX, "pending_review", "platform_approve", "awaiting_buyer_ship",
        "review.first:CANCELED +ship_back.drop_off", "RequestApproved TagAdded ShipmentExpected"),
    Row("C15",  RO, "pending_review", "platform_approve", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated", by=SYSTEM),
    Row("C16",  RO, "pending_review", "refund_without_return", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated CompensationCreated"),
    Row("C16",  RR, "awaiting_buyer_ship", "refund_without_return", "refunding",
        "ship_back.drop_off:CANCELED", "RequestApproved TagAdded RefundCreated CompensationCreated"),
    Row("C17",  RO, "pending_review", expiry("review.first"), "refunding",
        "review.first:EXPIRED", "RequestApproved TagAdded RefundCreated"),
    Row("C17",  RR, "pending_review", expiry("review.first"), "awaiting_buyer_ship",
        "review.first:EXPIRED +ship_back.drop_off", "RequestApproved TagAdded ShipmentExpected"),
    Row("C17",  RS, "pending_review", expiry("review.first"), "awaiting_seller_ship",
        "review.first:EXPIRED +ship_out", "RequestApproved TagAdded"),
    Row("C17",  EX, "pending_review", expiry("review.first"), "awaiting_buyer_ship",
        "review.first:EXPIRED +ship_back.drop_off", "RequestApproved TagAdded ShipmentExpected"),
    Row("C18",  RO, "refunding", "refund_paid", "completed",
        "", "RefundPaid"),
    Row("C19",  RO, "refunding", "refund_failed", "refunding",
        "", "RefundFailed"),
    Row("C19",  RO, "refunding", "refund_failed", "refunding",
        "", "RefundFailed TagAdded", given={"last": True}),
    Row("C19",  RO, "refunding", "refund_unknown", "refunding",
        "", "RefundUnknown"),
    Row("C19",  RO, "refunding", "retry_refund", "refunding",
        "", "RefundRetried", after=("refund_failed",)),
    Row("C20",  RO, "pending_review", "close", "closed",
        "review.first:CANCELED", ""),
    Row("C20",  RR, "awaiting_buyer_ship", "close", "closed",
        "ship_back.drop_off:CANCELED", ""),
    Row("C20",  RR, "return_in_transit", "close", "closed",
        "return.transit:CANCELED", ""),
    Row("C20",  RR, "pending_inspection", "close", "closed",
        "inspect.tracked:CANCELED", ""),
    Row("C20",  RS, "awaiting_seller_ship", "close", "closed",
        "ship_out:CANCELED", ""),
    Row("C20",  RS, "outbound_in_transit", "close", "closed",
        "outbound.transit:CANCELED", ""),
    Row("C20",  RO, "rejected", "close", "closed",
        "rejection.followup:CANCELED", ""),
    Row("C20",  RR, "package_rejected", "close", "closed",
        "rejection.followup:CANCELED", ""),
    Row("C20",  RO, "refunding", "close", "closed",
        "", "", after=("refund_failed last",)),
    # Offers (C5 to C7), on a request of each kind that has them.
    Row("C3",   RR, "awaiting_buyer_response", "cancel", "canceled",
        "offer.response:CANCELED review.first:CANCELED", ""),
    Row("C20",  RR, "awaiting_buyer_response", "close", "closed",
        "offer.response:CANCELED review.first:CANCELED", ""),
    Row("C5",   RO, "pending_review", "offer_make", "awaiting_buyer_response",
        "review.first:PAUSED +offer.response", "OfferMade"),
    Row("C5",   RR, "pending_review", "offer_make", "awaiting_buyer_response",
        "review.first:PAUSED +offer.response", "OfferMade", given=PART),
    Row("C5",   RS, "pending_review", "offer_make", "awaiting_buyer_response",
        "review.first:PAUSED +offer.response", "OfferMade", given=PART),
    Row("C5",   EX, "pending_review", "offer_make", "awaiting_buyer_response",
        "review.first:PAUSED +offer.response", "OfferMade", given=PART),
    Row("C5a",  RR, "pending_review", "offer_make", "refunding",
        "review.first:MET", "OfferMade OfferAutoAccepted RefundCreated"),
    Row("C5a",  RS, "pending_review", "offer_make", "refunding",
        "review.first:MET", "OfferMade OfferAutoAccepted RefundCreated"),
    Row("C5a",  EX, "pending_review", "offer_make", "refunding",
        "review.first:MET", "OfferMade OfferAutoAccepted RefundCreated"),
    Row("C6",   RR, "awaiting_buyer_response", "offer_decline", "pending_review",
        "offer.response:MET review.first:RESUMED", "OfferDeclined"),
    Row("C6",   RR, "awaiting_buyer_response", "offer_decline", "pending_inspection",
        "offer.response:MET inspect.tracked:RESUMED", "OfferDeclined",
        start="pending_inspection", after=("offer_make",), terms=AFTER_RECEIVING),
    Row("C6x",  RR, "awaiting_buyer_response", expiry("offer.response"), "pending_review",
        "offer.response:EXPIRED review.first:RESUMED", "OfferLapsed"),
    Row("C6x",  RR, "awaiting_buyer_response", expiry("offer.response"), "pending_inspection",
        "offer.response:EXPIRED inspect.tracked:RESUMED", "OfferLapsed",
        start="pending_inspection", after=("offer_make",), terms=AFTER_RECEIVING),
    Row("C7",   RO, "awaiting_buyer_response", "offer_accept", "refunding",
        "offer.response:MET review.first:CANCELED", "OfferAccepted RefundCreated"),
    Row("C7",   RR, "awaiting_buyer_response", "offer_accept", "refunding",
        "offer.response:MET inspect.tracked:CANCELED", "OfferAccepted RefundCreated",
        start="pending_inspection", after=("offer_make",), terms=AFTER_RECEIVING),
    Row("C7",   RR, "awaiting_buyer_response", "offer_accept", "awaiting_buyer_ship",
        "offer.response:MET review.first:CANCELED +ship_back.drop_off", 
        "OfferAccepted RequestConverted ShipmentExpected",
        start="pending_review", after=(goods(OfferKind.EXCHANGE),)),
    Row("C7",   EX, "awaiting_buyer_response", "offer_accept", "awaiting_buyer_ship",
        "offer.response:MET review.first:CANCELED +ship_back.drop_off", 
        "OfferAccepted RequestConverted ShipmentExpected",
        start="pending_review", after=(goods(OfferKind.RETURN_REFUND),)),
    # Disputes, as the request sees them (C9 to C14).
    Row("C9",   RO, "rejected", "dispute_open", "rejected",
        "rejection.followup:PAUSED +dispute.evidence +dispute.evidence", "DisputeOpened"),
    Row("C9",   RR, "package_rejected", "dispute_open", "package_rejected",
        "rejection.followup:PAUSED +dispute.evidence +dispute.evidence", "DisputeOpened"),
    Row("C20",  RO, "rejected", "close", "closed",
        "dispute.evidence:CANCELED dispute.evidence:CANCELED rejection.followup:CANCELED", "DisputeWithdrawn",
        after=("dispute_open",), follows="DI8"),
    # Compensation and what was collected (AP12, AP1).
    Row("AP12", RO, "refunding", "compensation_paid", "refunding",
        "", "CompensationPaid", start="pending_review", after=("refund_without_return",)),
    Row("AP12", RO, "completed", "compensation_paid", "completed",
        "", "CompensationPaid", start="pending_review", after=("refund_without_return", "refund_paid")),
    Row("AP12", RO, "closed", "compensation_paid", "closed",
        "", "CompensationPaid", start="pending_review",
        after=("refund_without_return", "refund_failed last", "close")),
    *(Row("AP1", kind, "completed", "collected", "completed",
        "+appeal.window", "OrderCollected TagAdded AppealAvailable", canceled=True,
        start="pending_review", after=(expiry("review.first"), *silence, "refund_paid"))
      for kind, silence in (
          (RO, ()), (RS, (expiry("ship_out"),)), (RR, ("handed_over", "delivered", expiry("inspect.tracked"))),
          (EX, ("handed_over", "delivered", expiry("inspect.tracked"), expiry("ship_out"))))),
    # Section 4.2: refund only.
    Row("RO1",  RO, "pending_review", "approve", "refunding",
        "review.first:MET", "RequestApproved RefundCreated"),
    Row("RO1",  RO, "pending_review", "approve", "refunding",
        "review.first:CANCELED", "RequestApproved RefundCreated", by=AGENT),
    Row("RO2",  RO, "pending_review", "match_rule", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated"),
    Row("RO3",  RO, "pending_review", "enforce", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded TagAdded RefundCreated"),
    Row("RO3",  RO, "completed", "revoke_enforcement", "completed",
        "+appeal.window", "EnforcementRevoked AppealAvailable",
        start="pending_review", after=("enforce", "refund_paid")),
    # Section 4.3: return and refund.
    Row("RR1",  RR, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.drop_off", "RequestApproved ShipmentExpected"),
    Row("RR1",  RR, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.pickup_date", "RequestApproved ShipmentExpected", method=PICK_UP),
    Row("RR1",  RR, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.self", "RequestApproved ShipmentExpected", method=SELF_ARRANGED),
    Row("RR2",  RR, "pending_review", "approve_keep_item", "refunding",
        "review.first:MET", "RequestApproved RefundCreated"),
    Row("RR3",  RR, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.drop_off:CANCELED +ship_back.self", "ReturnMethodChosen"),
    Row("RR3",  RR, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.drop_off:CANCELED +ship_back.pickup_date", "ReturnMethodChosen",
        given={"method": PICK_UP}),
    Row("RR3",  RR, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.pickup:CANCELED +ship_back.drop_off", "ReturnMethodChosen", given={"method": DROP_OFF},
        method=PICK_UP, after=("schedule_pickup",)),
    Row("RR4",  RR, "awaiting_buyer_ship", "schedule_pickup", "awaiting_buyer_ship",
        "ship_back.pickup_date:MET +ship_back.pickup", "PickupScheduled", method=PICK_UP),
    Row("RR4",  RR, "awaiting_buyer_ship", "schedule_pickup", "awaiting_buyer_ship",
        "", "PickupScheduled", method=PICK_UP, after=("schedule_pickup",)),
    Row("RR5",  RR, "awaiting_buyer_ship", "pickup_failed", "awaiting_buyer_ship",
        "", "PickupFailed", method=PICK_UP, after=("schedule_pickup",)),
    Row("RR6",  RR, "awaiting_buyer_ship", "pickup_failed", "awaiting_buyer_ship",
        "ship_back.pickup:CANCELED +ship_back.drop_off", "PickupFailed ReturnMethodChanged",
        method=PICK_UP, after=("schedule_pickup", "pickup_failed", "pickup_failed")),
    Row("RR6",  RR, "awaiting_buyer_ship", expiry("ship_back.pickup_date"), "awaiting_buyer_ship",
        "ship_back.pickup_date:EXPIRED +ship_back.drop_off", "ReturnMethodChanged", method=PICK_UP),
    Row("RR6",  RR, "awaiting_buyer_ship", expiry("ship_back.pickup"), "awaiting_buyer_ship",
        "ship_back.pickup:EXPIRED +ship_back.drop_off", "ReturnMethodChanged",
        method=PICK_UP, after=("schedule_pickup",)),
    Row("RR7",  RR, "awaiting_buyer_ship", "handed_over", "return_in_transit",
        "ship_back.drop_off:MET +return.transit", "ReturnShipped"),
    Row("RR7",  RR, "awaiting_buyer_ship", "handed_over", "return_in_transit",
        "ship_back.pickup:MET +return.transit", "ReturnShipped", method=PICK_UP, after=("schedule_pickup",)),
    Row("RR8",  RR, "pending_review", "grant_speedy", "pending_review",
        "", "TagAdded"),
    Row("RR8",  RR, "awaiting_buyer_ship", "grant_speedy", "awaiting_buyer_ship",
        "", "TagAdded"),
    Row("RR8",  RR, "awaiting_buyer_ship", "handed_over", "refunding",
        "ship_back.drop_off:MET +speedy.not_received", "ReturnShipped RefundCreated", after=("grant_speedy",)),
    Row("C18",  RR, "refunding", "refund_paid", "completed",
        "", "RefundPaid", start="awaiting_buyer_ship", after=SPEEDY),
    Row("RR9",  RR, "awaiting_buyer_ship", "upload_tracking", "return_in_transit",
        "ship_back.self:MET +inspect.self_arranged", "ReturnShipped", method=SELF_ARRANGED),
    Row("RR10", RR, "awaiting_buyer_ship", expiry("ship_back.drop_off"), "closed",
        "ship_back.drop_off:EXPIRED", ""),
    Row("RR10", RR, "awaiting_buyer_ship", expiry("ship_back.self"), "closed",
        "ship_back.self:EXPIRED", "", method=SELF_ARRANGED),
    Row("RR11", RR, "return_in_transit", "delivered", "pending_inspection",
        "return.transit:MET +inspect.tracked", "ReturnDelivered"),
    Row("RR11", RR, "return_in_transit", "delivered", "pending_inspection",
        "return.transit:MET failed_return.claim:MET +inspect.tracked", "ReturnDelivered", after=("failed",)),
    Row("RR12", RR, "return_in_transit", "mark_received", "pending_inspection",
        "", "ReturnDelivered", method=SELF_ARRANGED),
    Row("RR13", RR, "pending_inspection", "accept_package", "refunding",
        "inspect.tracked:MET", "PackageAccepted RefundCreated"),
    Row("RR13", RR, "pending_inspection", "accept_package", "refunding",
        "inspect.self_arranged:MET", "PackageAccepted RefundCreated", method=SELF_ARRANGED),
    Row("RR14", RR, "pending_inspection", "reject_package", "package_rejected",
        "inspect.tracked:MET +rejection.followup", "PackageRejected"),
    Row("RR15", RR, "pending_inspection", expiry("inspect.tracked"), "refunding",
        "inspect.tracked:EXPIRED", "RefundCreated"),
    Row("RR15", RR, "pending_inspection", expiry("inspect.self_arranged"), "refunding",
        "inspect.self_arranged:EXPIRED", "RefundCreated", method=SELF_ARRANGED),
    Row("RR16", RR, "return_in_transit", expiry("inspect.self_arranged"), "refunding",
        "inspect.self_arranged:EXPIRED", "RefundCreated", method=SELF_ARRANGED),
    Row("RR16", RR, "return_in_transit", expiry("return.transit"), "refunding",
        "return.transit:EXPIRED", "RefundCreated"),
    Row("RR17", RR, "return_in_transit", "lost", "refunding",
        "return.transit:CANCELED", "ReturnFailed RefundCreated"),
    Row("RR17", RR, "return_in_transit", "failed", "return_in_transit",
        "+failed_return.claim", "ReturnFailed"),
    Row("RR17", RR, "return_in_transit", expiry("failed_return.claim"), "return_in_transit",
        "failed_return.claim:EXPIRED", "", after=("failed",)),
    Row("RR17", RR, "return_in_transit", "claim_package", "pending_inspection",
        "failed_return.claim:MET return.transit:CANCELED +inspect.tracked", "ReturnDelivered", after=("failed",)),
    Row("RR18", RR, "pending_inspection", "offer_make", "awaiting_buyer_response",
        "inspect.tracked:PAUSED +offer.response", "OfferMade", terms=AFTER_RECEIVING),
    Row("RR18", RR, "pending_inspection", "offer_make", "awaiting_buyer_response",
        "inspect.self_arranged:PAUSED +offer.response", "OfferMade", terms=AFTER_RECEIVING, method=SELF_ARRANGED),
    Row("RR19", RR, "refunding", "delivered", "refunding",
        "speedy.not_received:MET +appeal.window", "ReturnDelivered AppealAvailable",
        start="awaiting_buyer_ship", after=SPEEDY),
    Row("RR19", RR, "completed", "delivered", "completed",
        "speedy.not_received:MET +appeal.window", "ReturnDelivered AppealAvailable",
        start="awaiting_buyer_ship", after=(*SPEEDY, "refund_paid")),
    Row("RR20", RR, "refunding", expiry("speedy.not_received"), "refunding",
        "speedy.not_received:EXPIRED +appeal.window", "AppealAvailable", start="awaiting_buyer_ship", after=SPEEDY),
    Row("RR20", RR, "completed", expiry("speedy.not_received"), "completed",
        "speedy.not_received:EXPIRED +appeal.window", "AppealAvailable",
        start="awaiting_buyer_ship", after=(*SPEEDY, "refund_paid")),
    Row("RR21", RR, "refunding", "confirm_package", "refunding",
        "appeal.window:MET", "PackageAccepted",
        start="awaiting_buyer_ship", after=(*SPEEDY, "delivered"), follows="AP4"),
    Row("RR21", RR, "completed", "confirm_package", "completed",
        "appeal.window:MET", "PackageAccepted",
        start="awaiting_buyer_ship", after=(*SPEEDY, "refund_paid", "delivered"), follows="AP4"),
    Row("C13",  RR, "closed", "send_back", "closed",
        "back_to_buyer.ship:MET", "OutboundShipped", start="package_rejected", after=SENT_BACK, terms=BACK_TO_BUYER),
    Row("C13",  RR, "closed", "delivered", "closed",
        "", "OutboundDelivered", start="package_rejected", after=(*SENT_BACK, "send_back"), terms=BACK_TO_BUYER),
    Row("C13",  RR, "closed", expiry("back_to_buyer.ship"), "closed",
        "back_to_buyer.ship:EXPIRED", "TagAdded", start="package_rejected", after=SENT_BACK, terms=BACK_TO_BUYER),
    # Section 4.4: reshipment.
    Row("RS1",  RS, "pending_review", "approve", "awaiting_seller_ship",
        "review.first:MET +ship_out", "RequestApproved"),
    Row("RS2",  RS, "awaiting_seller_ship", "arrange", "awaiting_seller_ship",
        "", "OutboundArranged"),
    Row("RS3",  RS, "awaiting_seller_ship", "handed_over", "outbound_in_transit",
        "ship_out:MET +outbound.transit", "OutboundShipped"),
    Row("RS3",  RS, "awaiting_seller_ship", "send", "outbound_in_transit",
        "ship_out:MET +outbound.transit", "OutboundShipped"),
    Row("RS4",  RS, "awaiting_seller_ship", "refund_instead", "refunding",
        "ship_out:MET", "RefundCreated"),
    Row("RS5",  RS, "awaiting_seller_ship", expiry("ship_out"), "refunding",
        "ship_out:EXPIRED", "RefundCreated"),
    Row("RS6",  RS, "outbound_in_transit", "delivered", "completed",
        "outbound.transit:MET", "OutboundDelivered"),
    Row("RS7",  RS, "outbound_in_transit", "lost", "refunding",
        "outbound.transit:CANCELED", "OutboundFailed RefundCreated"),
    Row("RS7",  RS, "outbound_in_transit", "failed", "refunding",
        "outbound.transit:CANCELED", "OutboundFailed RefundCreated"),
    Row("RS7",  RS, "outbound_in_transit", expiry("outbound.transit"), "refunding",
        "outbound.transit:EXPIRED", "OutboundFailed RefundCreated"),
    # Section 4.5: exchange; RR17 has no number of its own there.
    Row("EX1",  EX, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.drop_off", "RequestApproved ShipmentExpected"),
    Row("EX1",  EX, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.pickup_date", "RequestApproved ShipmentExpected", method=PICK_UP),
    Row("EX1",  EX, "pending_review", "approve", "awaiting_buyer_ship",
        "review.first:MET +ship_back.self", "RequestApproved ShipmentExpected", method=SELF_ARRANGED),
    Row("EX2",  EX, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.drop_off:CANCELED +ship_back.self", "ReturnMethodChosen"),
    Row("EX2",  EX, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.drop_off:CANCELED +ship_back.pickup_date", "ReturnMethodChosen",
        given={"method": PICK_UP}),
    Row("EX2",  EX, "awaiting_buyer_ship", "choose_method", "awaiting_buyer_ship",
        "ship_back.pickup:CANCELED +ship_back.drop_off", "ReturnMethodChosen", given={"method": DROP_OFF},
        method=PICK_UP, after=("schedule_pickup",)),
    Row("EX2",  EX, "awaiting_buyer_ship", "schedule_pickup", "awaiting_buyer_ship",
        "ship_back.pickup_date:MET +ship_back.pickup", "PickupScheduled", method=PICK_UP),
    Row("EX2",  EX, "awaiting_buyer_ship", "schedule_pickup", "awaiting_buyer_ship",
        "", "PickupScheduled", method=PICK_UP, after=("schedule_pickup",)),
    Row("EX2",  EX, "awaiting_buyer_ship", "pickup_failed", "awaiting_buyer_ship",
        "", "PickupFailed", method=PICK_UP, after=("schedule_pickup",)),
    Row("EX2",  EX, "awaiting_buyer_ship", "pickup_failed", "awaiting_buyer_ship",
        "ship_back.pickup:CANCELED +ship_back.drop_off", "PickupFailed ReturnMethodChanged",
        method=PICK_UP, after=("schedule_pickup", "pickup_failed", "pickup_failed")),
    Row("EX2",  EX, "awaiting_buyer_ship", expiry("ship_back.pickup_date"), "awaiting_buyer_ship",
        "ship_back.pickup_date:EXPIRED +ship_back.drop_off", "ReturnMethodChanged", method=PICK_UP),
    Row("EX2",  EX, "awaiting_buyer_ship", expiry("ship_back.pickup"), "awaiting_buyer_ship",
        "ship_back.pickup:EXPIRED +ship_back.drop_off", "ReturnMethodChanged",
        method=PICK_UP, after=("schedule_pickup",)),
    Row("EX2",  EX, "awaiting_buyer_ship", "handed_over", "return_in_transit",
        "ship_back.drop_off:MET +return.transit", "ReturnShipped"),
    Row("EX2",  EX, "awaiting_buyer_ship", "handed_over", "return_in_transit",
        "ship_back.pickup:MET +return.transit", "ReturnShipped", method=PICK_UP, after=("schedule_pickup",)),
    Row("EX2",  EX, "awaiting_buyer_ship", "upload_tracking", "return_in_transit",
        "ship_back.self:MET +inspect.self_arranged", "ReturnShipped", method=SELF_ARRANGED),
    Row("EX3",  EX, "awaiting_buyer_ship", expiry("ship_back.drop_off"), "closed",
        "ship_back.drop_off:EXPIRED", ""),
    Row("EX3",  EX, "awaiting_buyer_ship", expiry("ship_back.self"), "closed",
        "ship_back.self:EXPIRED", "", method=SELF_ARRANGED),
    Row("EX4",  EX, "return_in_transit", "delivered", "pending_inspection",
        "return.transit:MET +inspect.tracked", "ReturnDelivered"),
    Row("EX4",  EX, "return_in_transit", "delivered", "pending_inspection",
        "return.transit:MET failed_return.claim:MET +inspect.tracked", "ReturnDelivered", after=("failed",)),
    Row("EX4",  EX, "return_in_transit", "mark_received", "pending_inspection",
        "", "ReturnDelivered", method=SELF_ARRANGED),
    Row("EX5",  EX, "pending_inspection", "accept_package", "awaiting_seller_ship",
        "inspect.tracked:MET +ship_out", "PackageAccepted"),
    Row("EX5",  EX, "pending_inspection", "accept_package", "awaiting_seller_ship",
        "inspect.self_arranged:MET +ship_out", "PackageAccepted", method=SELF_ARRANGED),
    Row("EX6",  EX, "pending_inspection", "reject_package", "package_rejected",
        "inspect.tracked:MET +rejection.followup", "PackageRejected"),
    Row("EX7",  EX, "pending_inspection", expiry("inspect.tracked"), "awaiting_seller_ship",
        "inspect.tracked:EXPIRED +ship_out", ""),
    Row("EX7",  EX, "pending_inspection", expiry("inspect.self_arranged"), "awaiting_seller_ship",
        "inspect.self_arranged:EXPIRED +ship_out", "", method=SELF_ARRANGED),
    Row("EX7",  EX, "return_in_transit", expiry("inspect.self_arranged"), "closed",
        "inspect.self_arranged:EXPIRED", "", method=SELF_ARRANGED),
    Row("EX7",  EX, "return_in_transit", expiry("return.transit"), "refunding",
        "return.transit:EXPIRED", "RefundCreated"),
    Row("RR17", EX, "return_in_transit", "lost", "refunding",
        "return.transit:CANCELED", "ReturnFailed RefundCreated"),
    Row("RR17", EX, "return_in_transit", "failed", "return_in_transit",
        "+failed_return.claim", "ReturnFailed"),
    Row("RR17", EX, "return_in_transit", expiry("failed_return.claim"), "return_in_transit",
        "failed_return.claim:EXPIRED", "", after=("failed",)),
    Row("RR17", EX, "return_in_transit", "claim_package", "pending_inspection",
        "failed_return.claim:MET return.transit:CANCELED +inspect.tracked", "ReturnDelivered", after=("failed",)),
    Row("EX8",  EX, "awaiting_seller_ship", "arrange", "awaiting_seller_ship",
        "", "OutboundArranged"),
    Row("EX8",  EX, "awaiting_seller_ship", "handed_over", "outbound_in_transit",
        "ship_out:MET +outbound.transit", "OutboundShipped"),
    Row("EX8",  EX, "awaiting_seller_ship", "send", "outbound_in_transit",
        "ship_out:MET +outbound.transit", "OutboundShipped"),
    Row("EX9",  EX, "awaiting_seller_ship", "refund_instead", "refunding",
        "ship_out:MET", "RefundCreated"),
    Row("EX10", EX, "awaiting_seller_ship", expiry("ship_out"), "refunding",
        "ship_out:EXPIRED", "RefundCreated"),
    Row("EX11", EX, "outbound_in_transit", "delivered", "completed",
        "outbound.transit:MET", "OutboundDelivered"),
    Row("EX12", EX, "outbound_in_transit", "lost", "refunding",
        "outbound.transit:CANCELED", "OutboundFailed RefundCreated"),
    Row("EX12", EX, "outbound_in_transit", "failed", "refunding",
        "outbound.transit:CANCELED", "OutboundFailed RefundCreated"),
    Row("EX12", EX, "outbound_in_transit", expiry("outbound.transit"), "refunding",
        "outbound.transit:EXPIRED", "OutboundFailed RefundCreated"),
)

# What time, sides and platform do to a dispute or an appeal (sections 5 and 6.2), and to the request with it.
CASE_ROWS = (
    Row("DI2",  RO, "rejected", "dispute_submit_evidence", "rejected",
        "dispute.evidence:MET", "DisputeEvidenceAdded", after=("dispute_open",), case="EVIDENCE EVIDENCE"),
    Row("DI2",  RO, "rejected", "dispute_submit_evidence", "rejected",
        "dispute.evidence:MET", "DisputeEvidenceAdded", after=("dispute_open",), by=SELLER, case="EVIDENCE EVIDENCE"),
    Row("DI2",  RO, "rejected", "dispute_submit_evidence", "rejected",
        "", "DisputeEvidenceAdded", after=("dispute_open",), by=AGENT, case="EVIDENCE EVIDENCE"),
    Row("DI2",  RO, "rejected", "dispute_submit_evidence", "rejected",
        "dispute.evidence:MET +dispute.decision", "DisputeEvidenceAdded DisputeUnderReview",
        after=("dispute_open", "dispute_submit_evidence"), by=SELLER, case="EVIDENCE UNDER_REVIEW"),
    Row("DI2",  RO, "rejected", "dispute_submit_evidence", "rejected",
        "", "DisputeEvidenceAdded", after=DISPUTED, by=AGENT, case="UNDER_REVIEW UNDER_REVIEW"),
    Row("DI3",  RO, "rejected", expiry("dispute.evidence"), "rejected",
        "dispute.evidence:EXPIRED", "", after=("dispute_open",), case="EVIDENCE EVIDENCE"),
    Row("DI3",  RO, "rejected", expiry("dispute.evidence"), "rejected",
        "dispute.evidence:EXPIRED +dispute.decision", "DisputeUnderReview",
        after=("dispute_open", "dispute_submit_evidence"), case="EVIDENCE UNDER_REVIEW"),
    Row("DI4",  RO, "rejected", "dispute_request_evidence", "rejected",
        "dispute.decision:CANCELED +dispute.evidence", "DisputeEvidenceRequested",
        after=DISPUTED, case="UNDER_REVIEW EVIDENCE"),
    Row("DI5",  RO, "rejected", "dispute_decide", "refunding",
        "dispute.decision:MET rejection.followup:CANCELED", "DisputeDecided RefundCreated",
        after=DISPUTED, case="UNDER_REVIEW DECIDED_BUYER", follows="C11"),
    Row("DI5",  RR, "rejected", "dispute_decide", "awaiting_buyer_ship",
        "dispute.decision:MET rejection.followup:CANCELED +ship_back.drop_off", "DisputeDecided ShipmentExpected",
        after=DISPUTED, case="UNDER_REVIEW DECIDED_BUYER", follows="C11"),
    Row("DI5",  RS, "rejected", "dispute_decide", "awaiting_seller_ship",
        "dispute.decision:MET rejection.followup:CANCELED +ship_out", "DisputeDecided",
        after=DISPUTED, case="UNDER_REVIEW DECIDED_BUYER", follows="C11"),
    Row("DI5",  EX, "rejected", "dispute_decide", "awaiting_buyer_ship",
        "dispute.decision:MET rejection.followup:CANCELED +ship_back.drop_off", "DisputeDecided ShipmentExpected",
        after=DISPUTED, case="UNDER_REVIEW DECIDED_BUYER", follows="C11"),
    *(Row("DI5",  kind, "package_rejected", "dispute_decide", "refunding",
        "dispute.decision:MET rejection.followup:CANCELED", "DisputeDecided RefundCreated",
        after=DISPUTED, case="UNDER_REVIEW DECIDED_BUYER", follows="C12") for kind in (RR, EX)),
    *(Row("DI5",  kind, stage, "dispute_decide", "closed",
        "dispute.decision:MET rejection.followup:CANCELED", "DisputeDecided",
        after=DISPUTED, given={"decision": Party.SELLER}, case="UNDER_REVIEW DECIDED_SELLER", follows="C13")
      for kind, stage in ((RO, "rejected"), (RR, "rejected"), (RS, "rejected"), (EX, "rejected"),
                          (RR, "package_rejected"), (EX, "package_rejected"))),
    Row("DI5",  RR, "package_rejected", "dispute_decide", "closed",
        "dispute.decision:MET rejection.followup:CANCELED +back_to_buyer.ship", "DisputeDecided ShipmentExpected",
        after=DISPUTED, given={"decision": Party.SELLER, "send_back": True}, terms=BACK_TO_BUYER,
        case="UNDER_REVIEW DECIDED_SELLER", follows="C13"),
    *(Row("DI6",  kind, stage, "dispute_withdraw", stage,
        "dispute.evidence:CANCELED dispute.evidence:CANCELED rejection.followup:RESUMED", "DisputeWithdrawn",
        after=("dispute_open",), case="EVIDENCE WITHDRAWN", follows="C14")
      for kind, stage in ((RO, "rejected"), (RR, "package_rejected"))),
    Row("DI6",  RO, "rejected", "dispute_withdraw", "rejected",
        "dispute.decision:CANCELED rejection.followup:RESUMED", "DisputeWithdrawn",
        after=DISPUTED, by=AGENT, case="UNDER_REVIEW WITHDRAWN", follows="C14"),
    Row("DI7",  RO, "rejected", expiry("dispute.decision"), "rejected",
        "dispute.decision:EXPIRED", "", after=DISPUTED, case="UNDER_REVIEW UNDER_REVIEW"),
    Row("AP2",  RO, "completed", "appeal_file", "completed",
        "appeal.window:MET +appeal.decision", "AppealFiled",
        start="pending_review", after=APPEALABLE, case="AVAILABLE SUBMITTED"),
    Row("AP3",  RO, "completed", expiry("appeal.window"), "completed",
        "appeal.window:EXPIRED", "AppealExpired", start="pending_review", after=APPEALABLE, case="AVAILABLE EXPIRED"),
    Row("AP5",  RO, "completed", "appeal_take_up", "completed",
        "", "AppealUnderReview", start="pending_review", after=FILED, case="SUBMITTED UNDER_REVIEW"),
    Row("AP6",  RO, "completed", "appeal_request_evidence", "completed",
        "appeal.decision:PAUSED +appeal.evidence", "AppealEvidenceRequested",
        start="pending_review", after=FILED, case="SUBMITTED EVIDENCE_REQUESTED"),
    Row("AP6",  RO, "completed", "appeal_request_evidence", "completed",
        "appeal.decision:PAUSED +appeal.evidence", "AppealEvidenceRequested",
        start="pending_review", after=REVIEWED, case="UNDER_REVIEW EVIDENCE_REQUESTED"),
    Row("AP7",  RO, "completed", "appeal_add_evidence", "completed",
        "appeal.decision:RESUMED appeal.evidence:MET", "AppealEvidenceAdded",
        start="pending_review", after=ASKED, case="EVIDENCE_REQUESTED UNDER_REVIEW"),
    Row("AP8",  RO, "completed", expiry("appeal.evidence"), "completed",
        "appeal.decision:RESUMED appeal.evidence:EXPIRED", "",
        start="pending_review", after=ASKED, case="EVIDENCE_REQUESTED UNDER_REVIEW"),
    Row("AP9",  RO, "completed", "appeal_approve", "completed",
        "appeal.decision:MET", "AppealDecided CompensationCreated",
        start="pending_review", after=REVIEWED, case="UNDER_REVIEW APPROVED"),
    Row("AP10", RO, "completed", "appeal_deny", "completed",
        "appeal.decision:MET", "AppealDecided", start="pending_review", after=REVIEWED, case="UNDER_REVIEW DENIED"),
    Row("AP11", RO, "completed", "appeal_withdraw", "completed",
        "appeal.decision:CANCELED", "AppealWithdrawn",
        start="pending_review", after=FILED, case="SUBMITTED WITHDRAWN"),
    Row("AP11", RO, "completed", "appeal_withdraw", "completed",
        "appeal.decision:CANCELED", "AppealWithdrawn",
        start="pending_review", after=REVIEWED, case="UNDER_REVIEW WITHDRAWN"),
    Row("AP11", RO, "completed", "appeal_withdraw", "completed",
        "appeal.decision:CANCELED appeal.evidence:CANCELED", "AppealWithdrawn",
        start="pending_review", after=ASKED, case="EVIDENCE_REQUESTED WITHDRAWN"),
    Row("AP13", RO, "completed", expiry("appeal.decision"), "completed",
        "appeal.decision:EXPIRED", "", start="pending_review", after=FILED, case="SUBMITTED SUBMITTED"),
    Row("AP13", RO, "completed", expiry("appeal.decision"), "completed",
        "appeal.decision:EXPIRED", "", start="pending_review", after=REVIEWED, case="UNDER_REVIEW UNDER_REVIEW"),
)
# fmt: on

# What follows at once from an act in another table, and nobody does by hand.
FOLLOWS = {
    "C11": "dispute_won",
    "C12": "dispute_won",
    "C13": "dispute_lost",
    "C14": "dispute_withdrawn",
    "DI8": "request_closed",
    "AP4": "package_confirmed",
}


def expected(kind: str, row: Transition) -> Row:
    """The expectation of a row of the engine, for this kind or else for another that has the row too."""
    fits = [one for one in (*ROWS, *CASE_ROWS) if place(one) == (row.rule, row.on.name, row.action)]
    return next((one for one in fits if one.kind == kind), replace(fits[0], kind=kind))


def place(row: Row) -> tuple[str, str, str]:
    """Rule, stage and act, as a row of the engine names them."""
    return row.rule, row.case.split()[0] if row.machine else row.stage, row.action
