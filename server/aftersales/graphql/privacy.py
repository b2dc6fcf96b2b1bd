"""A buyer's right to be forgotten, as far as money and other people's rights let it go."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine.refusal import Refused
from ..store.privacy import Erasure as Kept
from .context import Info
from .inputs import MutationInput, unfit
from .keys import key_of
from .problems import Problem, told


@strawberry.input(description="Whose personal data shall be erased. It cannot be undone.")
class PrivacyEraseInput(MutationInput):
    buyer_id: strawberry.ID = strawberry.field(description="As in `Request.buyer.id`.")


@strawberry.type(description="That a buyer's personal data was erased. Who it was, it does not say.")
class Erasure:
    id: strawberry.ID = strawberry.field(description="What the buyer is called from now on, in orders and requests.")
    orders: int = strawberry.field(description="How many orders lost their buyer.")
    requests: int = strawberry.field(description="How many requests lost what the buyer said.")
    files: int = strawberry.field(description="How many files of the buyer's are gone.")
    erased_at: datetime = strawberry.field(description="When it was done.")


@strawberry.type(description="What was erased, or all that stands against it.")
class PrivacyErasePayload:
    erasure: Erasure | None = strawberry.field(description="Null where it was refused.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.type
class PrivacyMutations:
    @strawberry.mutation(
        description="Erase a buyer's personal data: name, id, words and files. Money and history stay. Needs the grant "
        "`privacy`, and that every request of the buyer is settled."
    )
    async def privacy_erase(self, info: Info, input: PrivacyEraseInput) -> PrivacyErasePayload:
        context = info.context
        try:
            if problems := tuple(unfit(input)):
                raise Refused(problems)
            erased = await context.house.privacy.erase(str(input.buyer_id), context.actor, key_of(info, input))
        except Refused as refused:
            return PrivacyErasePayload(
                erasure=None, problems=await told(context, refused.problems, None), replayed=False
            )
        context.forget()
        return PrivacyErasePayload(erasure=shown(erased.erasure), problems=[], replayed=erased.replayed)


def shown(kept: Kept) -> Erasure:
    return Erasure(
        id=strawberry.ID(kept.id), orders=kept.orders, requests=kept.requests, files=kept.files,
        erased_at=kept.erased_at,
    )  # fmt: skip
