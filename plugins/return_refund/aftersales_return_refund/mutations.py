"""How a return is said in GraphQL; the mutations of the journey back are the core's."""

import strawberry

from aftersales.plugin import (
    DecisionInput,
    Info,
    MoneyInput,
    OpenInput,
    RequestPayload,
    ReturnMethod,
    act,
    open_request,
)


@strawberry.input(description="What a buyer says when asking to send goods back for money.")
class ReturnRefundOpenInput(OpenInput):
    return_method: ReturnMethod = strawberry.field(
        default=ReturnMethod.DROP_OFF,
        description="How the goods will come back; may be changed until they are handed over.",
    )


@strawberry.input(description="The seller's yes: send it back.")
class ReturnRefundApproveInput(DecisionInput):
    """Nothing of its own."""


@strawberry.input(description="The seller's yes, with nothing to send back.")
class ReturnRefundApproveKeepItemInput(DecisionInput):
    amount: MoneyInput | None = strawberry.field(default=None, description="Left out: all that may be refunded.")


@strawberry.type
class ReturnRefundMutations:
    @strawberry.mutation(description="Ask to send goods back and get the money.")
    async def return_refund_open(self, info: Info, input: ReturnRefundOpenInput) -> RequestPayload:
        return await open_request(info, "return_refund", input)

    @strawberry.mutation(description="Approve the return: the buyer now has to send the goods back.")
    async def return_refund_approve(self, info: Info, input: ReturnRefundApproveInput) -> RequestPayload:
        return await act(info, "approve", input)

    @strawberry.mutation(description="Grant the refund at once and let the buyer keep the goods.")
    async def return_refund_approve_keep_item(
        self, info: Info, input: ReturnRefundApproveKeepItemInput
    ) -> RequestPayload:
        return await act(info, "approve_keep_item", input)
