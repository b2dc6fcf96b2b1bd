"""What a list or a stream is narrowed to: by the caller's wish, and always by their rights."""

from dataclasses import replace
from datetime import datetime

import strawberry

from ..engine.filter import Filter, Urgency
from ..engine.rights import acts_as, sees_seller_side
from ..engine.vocabulary import Actor, Party
from .enums import AppealStatus, DeadlineUrgency, PartyName, RequestStatus


@strawberry.input(description="All given conditions must hold; within one list, any.")
class RequestFilter:
    shop_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of these shops, as far as you may see them."
    )
    kinds: list[str] | None = strawberry.field(default=None, description="Handles of kinds.")
    statuses: list[RequestStatus] | None = strawberry.field(default=None, description="With one of these statuses.")
    stages: list[str] | None = strawberry.field(default=None, description="Handles of stages.")
    reasons: list[str] | None = strawberry.field(default=None, description="Handles of buyers' reasons.")
    tags: list[str] | None = strawberry.field(default=None, description="With any of these tags.")
    waiting_for: PartyName | None = strawberry.field(default=None, description="Whose turn it is.")
    due_before: datetime | None = strawberry.field(default=None, description="A clock runs out before this instant.")
    urgency: list[DeadlineUrgency] | None = strawberry.field(default=None, description="How near the next deadline is.")
    appeal_statuses: list[AppealStatus] | None = strawberry.field(
        default=None, description="How far an appeal has come."
    )
    disputed: bool | None = strawberry.field(default=None, description="Whether a dispute is open.")
    created_after: datetime | None = strawberry.field(default=None, description="At this instant or later.")
    created_before: datetime | None = strawberry.field(default=None, description="Before this instant.")
    updated_after: datetime | None = strawberry.field(default=None, description="At this instant or later.")
    order_number: str | None = strawberry.field(default=None, description="Exactly this one of the marketplace's.")
    text: str | None = strawberry.field(
        default=None, description="Words in the number, the order number, product names, notes."
    )


def all_visible(actor: Actor) -> Filter:
    """The records the actor may see at all: one place, so that no list forgets."""
    match acts_as(actor):
        case Party.BUYER:
            return Filter(scope_buyer=actor.id)
        case Party.SELLER:
            return Filter(scope_shops=actor.shops if actor.holds("view") else frozenset())
    return Filter()


def filter_of(actor: Actor, wish: RequestFilter | None) -> Filter:
    visible = all_visible(actor)
    if wish is None:
        return visible
    return replace(
        visible,
        shop_ids=_set(wish.shop_ids),
        kinds=_set(wish.kinds),
        statuses=frozenset(wish.statuses) if wish.statuses is not None else None,
        stages=_set(wish.stages),
        reasons=_set(wish.reasons),
        tags=_set(wish.tags),
        waiting_for=Party[wish.waiting_for.value] if wish.waiting_for else None,
        due_before=wish.due_before,
        urgency=frozenset(Urgency[item.value] for item in wish.urgency) if wish.urgency is not None else None,
        appeal_statuses=_appeal_statuses(actor, wish.appeal_statuses),
        disputed=wish.disputed,
        created_after=wish.created_after,
        created_before=wish.created_before,
        updated_after=wish.updated_after,
        order_number=wish.order_number,
        text=wish.text or None,
    )


def _appeal_statuses(actor: Actor, wish: list[AppealStatus] | None) -> frozenset[str] | None:
    """Whoever may not know of appeals finds what they would if there were none."""
    if wish is None or (AppealStatus.NOT_AVAILABLE in wish and not sees_seller_side(actor)):
        return None
    return frozenset(item.value for item in wish) if sees_seller_side(actor) else frozenset()


def _set(items: list[str] | list[strawberry.ID] | None) -> frozenset[str] | None:
    return None if items is None else frozenset(str(item) for item in items)
