"""How a reshipment is said in GraphQL; the mutations of the journey out are the core's."""

import strawberry

from aftersales.plugin import DecisionInput, Info, OpenInput, RequestPayload, act, open_request


@strawberry.input(description="What a buyer says when something is missing or broken, and should be sent again.")
class ReshipmentOpenInput(OpenInput):
    """Order, lines, reason, note, evidence and idempotency key: nothing of its own."""


@strawberry.input(description="The seller's yes: it is sent again.")
class ReshipmentApproveInput(DecisionInput):
    """Nothing of its own."""


@strawberry.type
class ReshipmentMutations:
    @strawberry.mutation(description="Ask for what was missing, wrong or broken to be sent again.")
    async def reshipment_open(self, info: Info, input: ReshipmentOpenInput) -> RequestPayload:
        return await open_request(info, "reshipment", input)

    @strawberry.mutation(description="Approve the reshipment: the seller now has to send the goods.")
    async def reshipment_approve(self, info: Info, input: ReshipmentApproveInput) -> RequestPayload:
        return await act(info, "approve", input)
