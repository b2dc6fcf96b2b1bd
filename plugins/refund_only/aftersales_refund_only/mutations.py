"""How refund-only is said in GraphQL."""

import strawberry

from aftersales.plugin import DecisionInput, Info, MoneyInput, OpenInput, RequestPayload, act, open_request


@strawberry.input(description="What a buyer says when asking for a refund only.")
class RefundOnlyOpenInput(OpenInput):
    """Order, lines, reason, note, evidence and idempotency key: nothing of its own."""


@strawberry.input(description="The seller's yes.")
class RefundOnlyApproveInput(DecisionInput):
    amount: MoneyInput | None = strawberry.field(default=None, description="Left out: all that may be refunded.")


@strawberry.input(description="The platform's enforcement, or its end. A note says why.")
class RefundOnlyEnforcementInput(DecisionInput):
    """Nothing of its own."""


@strawberry.type
class RefundOnlyMutations:
    @strawberry.mutation(description="Ask for money back without sending anything back.")
    async def refund_only_open(self, info: Info, input: RefundOnlyOpenInput) -> RequestPayload:
        return await open_request(info, "refund_only", input)

    @strawberry.mutation(description="Grant the refund: all of it, unless an amount is given.")
    async def refund_only_approve(self, info: Info, input: RefundOnlyApproveInput) -> RequestPayload:
        return await act(info, "approve", input)

    @strawberry.mutation(description="Refund a request that waits, as its shop was closed or its products taken down.")
    async def refund_only_enforce(self, info: Info, input: RefundOnlyEnforcementInput) -> RequestPayload:
        return await act(info, "enforce", input)

    @strawberry.mutation(description="Say that the violation was revoked: then the seller may appeal.")
    async def refund_only_revoke_enforcement(self, info: Info, input: RefundOnlyEnforcementInput) -> RequestPayload:
        return await act(info, "revoke_enforcement", input)
