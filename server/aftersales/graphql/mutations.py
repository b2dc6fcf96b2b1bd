"""Writing: the core's own mutations. Those of the journeys appear when an installed kind travels them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine.vocabulary import ReturnMethod
from .context import Info
from .doors import RequestPayload, act, asked_anew, payload
from .inputs import ClaimLineInput, DecisionInput


@strawberry.input(description="Anything that needs no more than the request and perhaps a word.")
class RequestActInput(DecisionInput):
    pass


@strawberry.input(description="A no, with the reason and what shows it.")
class RequestRejectInput(DecisionInput):
    reason: str = strawberry.field(description="The handle of one of `availableActions.reasons`.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Files of yours, registered by `evidenceLink`."
    )


@strawberry.input(description="The whole claim anew; what is left out of `note` and `evidenceIds` is gone.")
class RequestReplaceInput(DecisionInput):
    lines: list[ClaimLineInput] = strawberry.field(description="What is claimed: at least one line, each once.")
    reason: str = strawberry.field(description="The handle of one of `eligibility.reasons`.")
    evidence_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Files of yours: those it had already, or others registered by `evidenceLink`.",
    )
    return_method: ReturnMethod | None = strawberry.field(default=None, description="Left out: as it was.")


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
        default_factory=list, description="Files of yours, registered by `evidenceLink`."
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

    @strawberry.mutation(description="Refuse what came back, with a photo or video of it.")
    async def return_reject_package(self, info: Info, input: ReturnRejectPackageInput) -> RequestPayload:
        return await act(info, "reject_package", input)


@strawberry.input(description="The parcel that will go out.")
class OutboundArrangeInput(DecisionInput):
    carrier: str | None = strawberry.field(default=None, description="Who will carry it, if that is known.")
    tracking: str | None = strawberry.field(default=None, description="The carrier's number for it, if there is one.")


@strawberry.input(description="Money instead of goods.")
class OutboundRefundInsteadInput(DecisionInput):
    reason: str = strawberry.field(description="out_of_stock or cannot_send.")


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


# A leg's mutations, by the owner that its rows name.
LEGS: dict[str, type] = {"return": ReturnMutations, "outbound": OutboundMutations}
