"""Section 4 of the model as data: every row that the engine has, what it does to clocks and says to the log."""

from dataclasses import dataclass, field
from typing import Any

from tests.engine.builders import AGENT, DROP_OFF, PICK_UP, SELF_ARRANGED

from aftersales.engine.stages import expiry
from aftersales.engine.vocabulary import SYSTEM, Actor, ReturnMethod

RO, RR, RS, EX = "refund_only", "return_refund", "reshipment", "exchange"


@dataclass(frozen=True)
class Row:
    """One row, at one stage of one kind.

    Args:
        clocks: what ends and how, and with `+` what starts: "review.first:MET +rejection.followup".
        events: beyond those of every change of stage, of every end and of every clock.
        method: how the goods come back, as the buyer said when asking.
        after: acts at the stage that come before.
        by: who acts, if not the one who usually does.
    """

    rule: str
    kind: str
    stage: str
    action: str
    to: str
    clocks: str = ""
    events: str = ""
    method: ReturnMethod | None = None
    after: tuple[str, ...] = ()
    by: Actor | None = None
    given: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        beside = [self.method.value] if self.method else []
        beside += [self.by.party.title] if self.by else []
        beside += [f"{value}" for value in self.given.values()]
        return " ".join([self.rule, self.kind, self.stage, self.action, *beside, *self.after])

    @property
    def ended(self) -> dict[str, str]:
        """Clock to how it ended."""
        return {clock.split(":")[0]: clock.split(":")[1] for clock in self.clocks.split() if clock[0] != "+"}

    @property
    def started(self) -> list[str]:
        return [clock[1:] for clock in self.clocks.split() if clock[0] == "+"]


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
    # Section 4.2: refund only.
    Row("RO1",  RO, "pending_review", "approve", "refunding",
        "review.first:MET", "RequestApproved RefundCreated"),
    Row("RO1",  RO, "pending_review", "approve", "refunding",
        "review.first:CANCELED", "RequestApproved RefundCreated", by=AGENT),
    Row("RO2",  RO, "pending_review", "match_rule", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated"),
    Row("RO3",  RO, "pending_review", "enforce", "refunding",
        "review.first:CANCELED", "RequestApproved TagAdded RefundCreated"),
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
# fmt: on
