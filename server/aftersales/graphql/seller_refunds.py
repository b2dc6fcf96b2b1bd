"""Refunds that a seller makes unasked."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine import seller_refund as engine
from ..engine.refusal import Refused
from ..engine.request import RefundStatus
from ..engine.rights import sees_seller_side
from ..engine.seller_refund import RefundLine
from ..engine.vocabulary import Order as EngineOrder
from . import labels, orders
from .context import Context, Info
from .enums import PartyName
from .inputs import MoneyInput, MutationInput, money_given, unfit
from .keys import key_of
from .labels import Reason
from .orders import Money, Order, sure
from .problems import Problem, told


@strawberry.type(description="What was given back of one line.")
class SellerRefundLine:
    of: strawberry.Private[EngineOrder]
    context: strawberry.Private[Context]
    order_line_id: strawberry.ID = strawberry.field(description="The line.")
    amount: Money = strawberry.field(description="Its share; the shares sum to the refund.")

    @strawberry.field(description="Whether nothing is left of the line by now, so that no request may be made for it.")
    async def full(self) -> bool:
        # an order that was read for a page comes without what was claimed of it
        whole = self.of if self.of.claims else await self.context.loaders.order.load(self.of.id)
        return whole is not None and whole.given_back(str(self.order_line_id))


@strawberry.type(
    description="Money that a seller gives back unasked. Together with all other refunds never more than was paid."
)
class SellerRefund:
    of: strawberry.Private[engine.SellerRefund]
    context: strawberry.Private[Context]
    id: strawberry.ID = strawberry.field(description="Of the refund.")
    status: RefundStatus = strawberry.field(
        description="PENDING until the payment provider has said yes, or no to the last."
    )
    amount: Money = strawberry.field(description="In all.")
    lines: list[SellerRefundLine] = strawberry.field(description="Of which lines.")
    created_at: datetime = strawberry.field(description="When it was granted.")
    paid_at: datetime | None = strawberry.field(description="When the provider paid it; null before.")
    by: PartyName = strawberry.field(description="The party that granted it.")

    @strawberry.field(description="Why: missing_product_or_accessories, agreed_with_buyer, goodwill or other.")
    def reason(self) -> Reason:
        return labels.refund_reason(self.context, self.of.reason)

    @strawberry.field(description="Who of the seller's; null to a buyer.")
    def actor_id(self) -> str | None:
        return self.of.actor_id if sees_seller_side(self.context.actor) else None

    @strawberry.field(description="What they said with it; null to a buyer.")
    def note(self) -> str | None:
        return (self.of.note or None) if sees_seller_side(self.context.actor) else None


@strawberry.input(description="What is given back of one line.")
class SellerRefundLineInput:
    order_line_id: strawberry.ID = strawberry.field(description="One of the order's `lines`.")
    amount: MoneyInput | None = strawberry.field(default=None, description="Left out: all that is left of the line.")


@strawberry.input(
    description="Money back that nobody asked for. A full refund of a line bars requests for it; a part lowers them."
)
class SellerRefundCreateInput(MutationInput):
    order_id: strawberry.ID = strawberry.field(description="On its way, or delivered.")
    lines: list[SellerRefundLineInput] = strawberry.field(description="At least one line, each once.")
    reason: str = strawberry.field(
        description="missing_product_or_accessories, agreed_with_buyer, goodwill, or other with a note."
    )
    note: str | None = strawberry.field(default=None, description="A word with it, at most 500 characters.")


@strawberry.type(description="The refund and its order, or all that is wrong.")
class SellerRefundPayload:
    refund: SellerRefund | None = strawberry.field(description="The refund; null where it was refused.")
    order: Order | None = strawberry.field(description="Its order as it is now; null where there is none for you.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.type
class SellerRefundMutations:
    @strawberry.mutation(description="Refund unasked, in part or in full. Paid without the buyer's consent.")
    async def seller_refund_create(self, info: Info, input: SellerRefundCreateInput) -> SellerRefundPayload:
        context = info.context
        lines = tuple(RefundLine(str(line.order_line_id), money_given(line.amount)) for line in input.lines)
        try:
            if problems := tuple(unfit(input)):
                raise Refused(problems)
            done = await context.desk.refund_unasked(
                str(input.order_id), lines, input.reason, input.note or "", context.actor, key_of(info, input)
            )
        except Refused as refused:
            context.forget()
            seen = await context.desk.seen_order_or_none(str(input.order_id), context.actor)
            order = orders.order(context, seen) if seen else None
            problems_told = await told(context, refused.problems, None)
            return SellerRefundPayload(refund=None, order=order, problems=problems_told, replayed=False)
        context.forget()
        after = await context.desk.seen_order(done.refund.order_id, context.actor)
        return SellerRefundPayload(
            refund=seller_refund(context, done.refund, after), order=orders.order(context, after), problems=[],
            replayed=done.replayed,
        )  # fmt: skip


def seller_refund(context: Context, of: engine.SellerRefund, order: EngineOrder) -> SellerRefund:
    return SellerRefund(
        of=of, context=context, id=strawberry.ID(of.id), status=of.status, amount=sure(of.amount),
        lines=[
            SellerRefundLine(of=order, context=context, order_line_id=strawberry.ID(line), amount=sure(share))
            for line, share in of.lines
        ],
        created_at=of.created_at, paid_at=of.paid_at, by=PartyName[of.by.title],
    )  # fmt: skip
