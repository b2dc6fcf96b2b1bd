"""How an exchange is said in GraphQL; the mutations of both journeys are the core's."""

import strawberry

from aftersales.plugin import (
    DecisionInput,
    Info,
    OpenInput,
    RequestPayload,
    ReturnMethod,
    WantedInput,
    act,
    open_request,
    wanted,
)


@strawberry.input(description="What a buyer says when asking for another variation.")
class ExchangeOpenInput(OpenInput):
    wanted: list[WantedInput] = strawberry.field(
        description="For each line, another variation of the same product that costs no more."
    )
    return_method: ReturnMethod = strawberry.field(
        default=ReturnMethod.DROP_OFF,
        description="How the goods will come back; may be changed until they are handed over.",
    )


@strawberry.input(description="The seller's yes: send it back, and the other one is held back for you.")
class ExchangeApproveInput(DecisionInput):
    """Nothing of its own."""


@strawberry.type
class ExchangeMutations:
    @strawberry.mutation(description="Ask to send goods back and get another variation of them.")
    async def exchange_open(self, info: Info, input: ExchangeOpenInput) -> RequestPayload:
        return await open_request(info, "exchange", input, details=wanted(input.wanted))

    @strawberry.mutation(
        description="Approve the exchange: what is wanted is held back, and the buyer sends the goods."
    )
    async def exchange_approve(self, info: Info, input: ExchangeApproveInput) -> RequestPayload:
        return await act(info, "approve", input)
