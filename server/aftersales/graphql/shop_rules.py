"""A shop's own rules: which refunds it grants as soon as they are asked for, and what a rule would have decided."""

from __future__ import annotations

from datetime import datetime

import strawberry

from ..engine import shop_rules as engine
from ..engine.refusal import Refused
from ..engine.vocabulary import OrderState
from ..rulebooks import Saved, Tried, granted
from . import types
from .context import Context, Info
from .inputs import MoneyInput, MutationInput, money_given, unfit
from .keys import key_of
from .orders import Money, sure
from .paging import invalid
from .problems import Problem, told


@strawberry.type(description="All must hold; what is empty asks nothing.")
class ShopRuleConditions:
    reasons: list[str] = strawberry.field(description="The buyer's reason is one of these.")
    order_states: list[OrderState] = strawberry.field(description="The order stands at one of these.")
    maximum: Money | None = strawberry.field(description="What could be refunded is at most this.")
    categories: list[str] = strawberry.field(description="Every product that is claimed is of one of these.")
    evidence: bool = strawberry.field(description="The buyer has shown something.")
    change_of_mind: bool = strawberry.field(description="A change of mind is granted too.")


@strawberry.input(description="All must hold; what is left out asks nothing.")
class ShopRuleConditionsInput:
    reasons: list[str] = strawberry.field(default_factory=list, description="The buyer's reason is one of these.")
    order_states: list[OrderState] = strawberry.field(
        default_factory=list, description="The order stands at one of these."
    )
    maximum: MoneyInput | None = strawberry.field(default=None, description="What could be refunded is at most this.")
    categories: list[str] = strawberry.field(
        default_factory=list, description="Every product that is claimed is of one of these."
    )
    evidence: bool = strawberry.field(default=False, description="The buyer has shown something.")
    change_of_mind: bool = strawberry.field(default=False, description="A change of mind is granted too.")


@strawberry.type(description="A rule of a shop: what meets it is refunded at once, and cannot be appealed (RO2).")
class ShopRule:
    id: strawberry.ID = strawberry.field(description="Of the rule.")
    name: str = strawberry.field(description="For people.")
    active: bool = strawberry.field(description="Whether it decides.")
    conditions: ShopRuleConditions = strawberry.field(description="What must hold.")
    version: int = strawberry.field(description="Send it back as expectedVersion.")
    created_at: datetime = strawberry.field(description="When it was made: of several that match, the oldest decides.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    updated_by: str = strawberry.field(description="Who changed it.")


@strawberry.input(description="A rule as it shall be.")
class ShopRuleSaveInput(MutationInput):
    shop_id: strawberry.ID = strawberry.field(description="Whose rule it is.")
    rule_id: strawberry.ID | None = strawberry.field(default=None, description="Left out: a new one.")
    expected_version: int | None = strawberry.field(default=None, description="The version you saw, of one there is.")
    name: str = strawberry.field(description="For people, at most 100 characters.")
    active: bool = strawberry.field(default=True, description="Whether it decides.")
    conditions: ShopRuleConditionsInput = strawberry.field(description="What must hold.")


@strawberry.input(description="A rule that shall be no more; what it has granted stays.")
class ShopRuleRemoveInput(MutationInput):
    shop_id: strawberry.ID = strawberry.field(description="Whose rule it is.")
    rule_id: strawberry.ID = strawberry.field(description="Which.")
    expected_version: int = strawberry.field(description="The version you saw.")


@strawberry.type(description="The rule after the act, or all that is wrong.")
class ShopRulePayload:
    rule: ShopRule | None = strawberry.field(description="Null where it was refused or removed.")
    problems: list[Problem] = strawberry.field(description="All that is wrong; empty when it was done.")
    replayed: bool = strawberry.field(description="True when this answer was given before for the same key.")


@strawberry.type(description="A request of before, and what such a rule would have made of it.")
class ShopRuleTrial:
    request: types.Request = strawberry.field(description="As it is now; how it was decided, `approvedBy` says.")
    granted: bool = strawberry.field(description="Whether the rule would have granted it.")
    failing: list[str] = strawberry.field(description="The conditions that it does not meet.")


@strawberry.type(
    description="What a rule would have decided, on the shop's latest requests of a kind that rules can grant. Where "
    "the order stood then follows from when it was delivered."
)
class ShopRulePreview:
    considered: int = strawberry.field(description="Requests that were looked at: the latest, at most 200.")
    granted: int = strawberry.field(description="Of these, how many the rule would have granted.")
    amounts: list[Money] = strawberry.field(description="What that would have cost at most, by currency.")
    trials: list[ShopRuleTrial] = strawberry.field(description="Request by request, latest first.")


@strawberry.type
class ShopRuleQueries:
    @strawberry.field(description="The rules of a shop, oldest first, at most 50. Needs the grant `settings`.")
    async def shop_rules(self, info: Info, shop_id: strawberry.ID) -> list[ShopRule]:
        found = await info.context.house.rulebooks.of(str(shop_id), info.context.actor)
        return [shop_rule(rule) for rule in found]

    @strawberry.field(description="What such a rule would have decided. Nothing is written.")
    async def shop_rule_preview(
        self, info: Info, shop_id: strawberry.ID, conditions: ShopRuleConditionsInput, first: int = 20
    ) -> ShopRulePreview:
        context = info.context
        if not 0 <= first <= 100:
            raise invalid("Ask for at most 100.", "first")
        if problems := tuple(unfit(conditions)):
            raise Refused(problems)
        tried = await context.house.rulebooks.tried(str(shop_id), asked(conditions), context.actor)
        return ShopRulePreview(
            considered=len(tried), granted=sum(not each.failing for each in tried),
            amounts=[sure(amount) for amount in granted(tried)],
            trials=[trial(context, each) for each in tried[:first]],
        )  # fmt: skip


@strawberry.type
class ShopRuleMutations:
    @strawberry.mutation(description="Make a rule, or change one.")
    async def shop_rule_save(self, info: Info, input: ShopRuleSaveInput) -> ShopRulePayload:
        context = info.context
        try:
            if problems := tuple(unfit(input)):
                raise Refused(problems)
            saved = await context.house.rulebooks.save(
                str(input.shop_id), str(input.rule_id) if input.rule_id is not None else None, input.expected_version,
                input.name, input.active, asked(input.conditions), context.actor, key_of(info, input),
            )  # fmt: skip
        except Refused as refused:
            return await _refused(context, refused)
        return _saved(saved)

    @strawberry.mutation(description="Remove a rule.")
    async def shop_rule_remove(self, info: Info, input: ShopRuleRemoveInput) -> ShopRulePayload:
        context = info.context
        try:
            if problems := tuple(unfit(input)):
                raise Refused(problems)
            saved = await context.house.rulebooks.remove(
                str(input.shop_id), str(input.rule_id), input.expected_version, context.actor, key_of(info, input)
            )
        except Refused as refused:
            return await _refused(context, refused)
        return _saved(saved)


def _saved(saved: Saved) -> ShopRulePayload:
    rule = shop_rule(saved.rule) if saved.rule else None
    return ShopRulePayload(rule=rule, problems=[], replayed=saved.replayed)


async def _refused(context: Context, refused: Refused) -> ShopRulePayload:
    return ShopRulePayload(rule=None, problems=await told(context, refused.problems, None), replayed=False)


def asked(input: ShopRuleConditionsInput) -> engine.Conditions:
    return engine.Conditions(
        frozenset(input.reasons), frozenset(input.order_states), money_given(input.maximum),
        frozenset(input.categories), input.evidence, input.change_of_mind,
    )  # fmt: skip


def trial(context: Context, tried: Tried) -> ShopRuleTrial:
    return ShopRuleTrial(
        request=types.request(context, tried.request), granted=not tried.failing, failing=list(tried.failing)
    )


def shop_rule(of: engine.Rule) -> ShopRule:
    conditions = of.conditions
    return ShopRule(
        id=strawberry.ID(of.id), name=of.name, active=of.active, version=of.version, created_at=of.created_at,
        updated_at=of.updated_at, updated_by=of.updated_by,
        conditions=ShopRuleConditions(
            reasons=sorted(conditions.reasons),
            order_states=sorted(conditions.order_states, key=lambda state: state.value),
            maximum=sure(conditions.maximum) if conditions.maximum else None,
            categories=sorted(conditions.categories), evidence=conditions.evidence,
            change_of_mind=conditions.change_of_mind,
        ),
    )  # fmt: skip
