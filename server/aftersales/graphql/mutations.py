"""Writing: the core's own mutations. Those of the journeys appear when an installed kind travels them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine.vocabulary import OfferKind, ReturnMethod
from .context import Info
from .doors import AppealPayload, RequestPayload, act, act_on_appeal, asked_anew, payload
from .enums import DisputeSide
from .inputs import AppealInput, ClaimLineInput, DecisionInput, MoneyInput, WantedInput


@strawberry.input(description="Anything that needs no more than the request and perhaps a word.")
class RequestActInput(DecisionInput):
    pass


@strawberry.input(description="A no, with the reason and what shows it.")
class RequestRejectInput(DecisionInput):
    reason: str = strawberry.field(description="The handle of one of `availableActions.reasons`.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, linked or uploaded."
    )


@strawberry.input(description="The whole claim anew; what is left out of `note` and `evidenceIds` is gone.")
class RequestReplaceInput(DecisionInput):
    lines: list[ClaimLineInput] = strawberry.field(description="What is claimed: at least one line, each once.")
    reason: str = strawberry.field(description="The handle of one of `eligibility.reasons`.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Files of yours: those it had already, or others, linked or uploaded.",
    )
    return_method: ReturnMethod | None = strawberry.field(default=None, description="Left out: as it was.")
    wanted: list[WantedInput] | None = strawberry.field(
        default=None, description="Of an exchange, the variations that are wanted. Left out: as it was."
    )


@strawberry.type
class CoreMutations:
    @strawberry.mutation(description="Withdraw the request. What is on its way back can no longer be withdrawn.")
    async def request_cancel(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "cancel", input)

    @strawberry.mutation(description="Say no at first review.")
    async def request_reject(self, info: Info, input: RequestRejectInput) -> RequestPayload:
        return await act(info, "reject", input)

    @strawberry.mutation(
        description="Change a request that nobody has judged yet. Answers with the one that takes its place."
    )
    async def request_edit(self, info: Info, input: RequestReplaceInput) -> RequestPayload:
        return await _replace(info, "edit", input)

    @strawberry.mutation(description="Ask once more after a rejection. Answers with the one that takes its place.")
    async def request_resubmit(self, info: Info, input: RequestReplaceInput) -> RequestPayload:
        return await _replace(info, "resubmit", input)

    @strawberry.mutation(description="The platform decides for the seller.")
    async def request_platform_approve(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "platform_approve", input)

    @strawberry.mutation(description="The platform refunds, nothing comes back, and the seller is compensated.")
    async def request_refund_without_return(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "refund_without_return", input)

    @strawberry.mutation(description="Try a refund again that the payment provider refused to the last.")
    async def request_retry_refund(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "retry_refund", input)

    @strawberry.mutation(
        description="Say that a canceled order was collected all the same: then the seller may appeal."
    )
    async def request_collected(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "collected", input)

    @strawberry.mutation(description="Say that the compensation the platform owes the seller was paid.")
    async def request_compensation_paid(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "compensation_paid", input)

    @strawberry.mutation(description="End a request by hand; a note says why.")
    async def request_close(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "close", input)


async def _replace(info: Info, action: str, input: RequestReplaceInput) -> RequestPayload:
    context = info.context
    return await payload(
        context, input, str(input.request_id),
        lambda key: context.desk.replace(
            str(input.request_id), action, context.actor, asked_anew(input), expected=input.expected_version, key=key
        ),
        info.field_name,
    )  # fmt: skip


@strawberry.input(description="Evidence for one's own side; none of it, and no note: there is nothing more to say.")
class DisputeEvidenceInput(DecisionInput):
    evidence_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="Files of yours.")


@strawberry.input(description="A rejection that is taken to the platform. Its `note` is what you say against it.")
class DisputeOpenInput(DisputeEvidenceInput):
    """Request, version, note and evidence: nothing of its own."""


@strawberry.input(description="Whose evidence the platform asks for. Its `note` says what for.")
class DisputeRequestEvidenceInput(DecisionInput):
    party: DisputeSide = strawberry.field(description="Of which side.")


@strawberry.input(description="The platform's word. Its `note` says why.")
class DisputeDecideInput(DecisionInput):
    decision: DisputeSide = strawberry.field(description="For whom.")
    send_back: bool = strawberry.field(
        default=False,
        description="For the seller, who is to send the goods back, where the market has it so.",
    )


@strawberry.type
class DisputeMutations:
    """A buyer against a rejection, before any money moves."""

    @strawberry.mutation(description="Take a rejection to the platform, while there is time to answer it.")
    async def dispute_open(self, info: Info, input: DisputeOpenInput) -> RequestPayload:
        return await act(info, "dispute_open", input)

    @strawberry.mutation(description="Give evidence for one's side, once; the platform adds what it finds.")
    async def dispute_submit_evidence(self, info: Info, input: DisputeEvidenceInput) -> RequestPayload:
        return await act(info, "dispute_submit_evidence", input)

    @strawberry.mutation(description="The platform asks one side for more.")
    async def dispute_request_evidence(self, info: Info, input: DisputeRequestEvidenceInput) -> RequestPayload:
        return await act(info, "dispute_request_evidence", input)

    @strawberry.mutation(description="The platform decides: the request goes its way, or is closed.")
    async def dispute_decide(self, info: Info, input: DisputeDecideInput) -> RequestPayload:
        return await act(info, "dispute_decide", input)

    @strawberry.mutation(description="Withdraw the dispute; the buyer may still ask once more.")
    async def dispute_withdraw(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "dispute_withdraw", input)


@strawberry.input(description="Something else than was asked for.")
class OfferMakeInput(DecisionInput):
    kind: OfferKind = strawberry.field(description="Money, or goods: then the request would go on as another kind.")
    amount: MoneyInput | None = strawberry.field(
        default=None, description="Of a partial refund. Left out: all of it, or none where goods are offered."
    )
    wanted: list[WantedInput] | None = strawberry.field(
        default=None, description="With EXCHANGE: the variation that would be sent for each line."
    )


@strawberry.type
class OfferMutations:
    """What a seller proposes instead."""

    @strawberry.mutation(
        description="Propose something else. What is better for the buyer than what was asked is done at once."
    )
    async def offer_make(self, info: Info, input: OfferMakeInput) -> RequestPayload:
        return await act(info, "offer_make", input)

    @strawberry.mutation(description="Accept what the seller proposes.")
    async def offer_accept(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "offer_accept", input)

    @strawberry.mutation(description="Decline it; the seller decides on what was asked.")
    async def offer_decline(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "offer_decline", input)


@strawberry.input(description="What the seller says against a refund.")
class AppealFileInput(AppealInput):
    reason: str = strawberry.field(description="The handle of one of the appeal's `availableActions.reasons`.")
    statement: str = strawberry.field(description="In words, at most 5000 characters.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours: what the reason asks for."
    )


@strawberry.input(description="Anything that needs no more than the appeal and perhaps a word.")
class AppealActInput(AppealInput):
    pass


@strawberry.input(description="What the platform asked for.")
class AppealAddEvidenceInput(AppealInput):
    evidence_ids: list[strawberry.ID] = strawberry.field(default_factory=list, description="Files of yours.")


@strawberry.input(description="The platform's yes. Its `note` says why.")
class AppealApproveInput(AppealInput):
    amount: MoneyInput | None = strawberry.field(
        default=None, description="Of the compensation; left out: all that the refund cost the seller."
    )


@strawberry.type
class AppealMutations:
    """A seller against a refund that others granted."""

    @strawberry.mutation(description="File the appeal, while its window is open.")
    async def appeal_file(self, info: Info, input: AppealFileInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_file", input)

    @strawberry.mutation(description="Give the evidence that the platform asked for.")
    async def appeal_add_evidence(self, info: Info, input: AppealAddEvidenceInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_add_evidence", input)

    @strawberry.mutation(description="Withdraw the appeal, for good.")
    async def appeal_withdraw(self, info: Info, input: AppealActInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_withdraw", input)

    @strawberry.mutation(description="The platform takes the appeal up.")
    async def appeal_take_up(self, info: Info, input: AppealActInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_take_up", input)

    @strawberry.mutation(description="The platform asks the seller for more; a note says what for.")
    async def appeal_request_evidence(self, info: Info, input: AppealActInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_request_evidence", input)

    @strawberry.mutation(description="The platform grants compensation; the buyer's refund stays.")
    async def appeal_approve(self, info: Info, input: AppealApproveInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_approve", input)

    @strawberry.mutation(description="The platform denies the appeal; a note says why.")
    async def appeal_deny(self, info: Info, input: AppealActInput) -> AppealPayload:
        return await act_on_appeal(info, "appeal_deny", input)


@strawberry.input(description="How the goods will come back.")
class ReturnChooseMethodInput(DecisionInput):
    method: ReturnMethod = strawberry.field(description="How.")


@strawberry.input(description="When the carrier shall come.")
class ReturnSchedulePickupInput(DecisionInput):
    pickup_at: datetime = strawberry.field(description="When: from now until the clock to choose runs out.")


@strawberry.input(description="Where the parcel is.")
class TrackingInput(DecisionInput):
    carrier: str = strawberry.field(description="Who carries it.")
    tracking: str = strawberry.field(description="The carrier's number for it.")


@strawberry.input(description="No to the parcel, with the reason and what shows it.")
class ReturnRejectPackageInput(DecisionInput):
    reason: str = strawberry.field(description="The handle of one of `availableActions.reasons`.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, linked or uploaded."
    )


@strawberry.type
class ReturnMutations:
    """The journey back."""

    @strawberry.mutation(description="Choose how to send the goods back, until they are handed over.")
    async def return_choose_method(self, info: Info, input: ReturnChooseMethodInput) -> RequestPayload:
        return await act(info, "choose_method", input)

    @strawberry.mutation(description="Choose when the carrier shall come for the parcel.")
    async def return_schedule_pickup(self, info: Info, input: ReturnSchedulePickupInput) -> RequestPayload:
        return await act(info, "schedule_pickup", input)

    @strawberry.mutation(description="Give the tracking number of a parcel sent on one's own.")
    async def return_upload_tracking(self, info: Info, input: TrackingInput) -> RequestPayload:
        return await act(info, "upload_tracking", input)

    @strawberry.mutation(description="Say that a parcel sent on the buyer's own has come.")
    async def return_mark_received(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "mark_received", input)

    @strawberry.mutation(description="Accept what came back.")
    async def return_accept_package(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "accept_package", input)

    @strawberry.mutation(description="Fetch a parcel that could not be delivered, before it is destroyed.")
    async def return_claim_package(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "claim_package", input)

    @strawberry.mutation(
        description="Send goods back to a buyer who lost a dispute, where the platform has ordered it."
    )
    async def return_send_back(self, info: Info, input: TrackingInput) -> RequestPayload:
        return await act(info, "send_back", input)

    @strawberry.mutation(description="Refuse what came back, with a photo or video of it.")
    async def return_reject_package(self, info: Info, input: ReturnRejectPackageInput) -> RequestPayload:
        return await act(info, "reject_package", input)


@strawberry.type
class SpeedyMutations:
    """The journey back, where the refund may go before the goods have come."""

    @strawberry.mutation(description="The platform promises the refund at hand-over.")
    async def return_grant_speedy(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "grant_speedy", input)

    @strawberry.mutation(
        description="Say that a parcel refunded at hand-over is in order. The refund can then no longer be appealed."
    )
    async def return_confirm_package(self, info: Info, input: RequestActInput) -> RequestPayload:
        return await act(info, "confirm_package", input)


@strawberry.input(description="The parcel that will go out.")
class OutboundArrangeInput(DecisionInput):
    carrier: str | None = strawberry.field(default=None, description="Who will carry it, if that is known.")
    tracking: str | None = strawberry.field(default=None, description="The carrier's number for it, if there is one.")


@strawberry.input(description="Money instead of goods.")
class OutboundRefundInsteadInput(DecisionInput):
    reason: str = strawberry.field(description="out_of_stock or cannot_send.")
    amount: MoneyInput | None = strawberry.field(default=None, description="Left out: all that may be refunded.")


@strawberry.type
class OutboundMutations:
    """The journey out."""

    @strawberry.mutation(description="Arrange the shipment to the buyer.")
    async def outbound_arrange(self, info: Info, input: OutboundArrangeInput) -> RequestPayload:
        return await act(info, "arrange", input)

    @strawberry.mutation(description="Give the tracking number of the parcel to the buyer.")
    async def outbound_send(self, info: Info, input: TrackingInput) -> RequestPayload:
        return await act(info, "send", input)

    @strawberry.mutation(description="Refund, because the goods cannot be sent.")
    async def outbound_refund_instead(self, info: Info, input: OutboundRefundInsteadInput) -> RequestPayload:
        return await act(info, "refund_instead", input)


# The mutations that are there only where an installed kind has rows for one of their acts.
OPTIONAL: tuple[tuple[type, str], ...] = (
    (ReturnMutations, "choose_method"),
    (SpeedyMutations, "grant_speedy"),
    (OutboundMutations, "arrange"),
    (OfferMutations, "offer_make"),
)
