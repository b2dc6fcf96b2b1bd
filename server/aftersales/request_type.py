"""What a plugin contributes: one kind of request, with the doors it is asked through."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .engine.common import COMMON, NOT_ENDED
from .engine.kind import Kind, Validate, Wants, nothing_more, nothing_wanted
from .engine.offers import OfferRule, offers
from .engine.process import Process, Transition
from .engine.reasons import Reason, RejectCode
from .engine.stock import reserving
from .engine.vocabulary import DELIVERED, OfferKind, OrderState, Stage


@dataclass(frozen=True, slots=True)
class RequestType:
    """One kind of request, as its plugin states it.

    Args:
        name: the handle, lower-case snake: prefix of its mutations and folder of its labels.
        label: English; other languages in the plugin's `locale/`.
        approved: the stage that a yes at first review leads to.
        transitions: the kind's own rows, legs included; the core adds those of every kind.
        mutations: a strawberry type with the kind's own mutations, each prefixed by its name.
        details: a strawberry type that implements RequestDetails, for what only this kind knows.
        sends_back, takes_change_of_mind, order_states, offers, offered_as, wants: see `Kind`.
        api: the range of `aftersales.plugin.API_VERSION` it fits.
    """

    name: str
    label: str
    approved: Stage
    transitions: Iterable[Transition]
    reasons: Mapping[str, Reason]
    reject_codes: Mapping[str, RejectCode]
    mutations: type | None = None
    validate: Validate = nothing_more
    details: type | None = None
    sends_back: bool = False
    takes_change_of_mind: bool = True
    order_states: frozenset[OrderState] = DELIVERED
    tags: Mapping[str, str] = field(default_factory=dict)
    offers: Iterable[OfferRule] = ()
    offered_as: OfferKind | None = None
    wants: Wants = nothing_wanted
    api: str = ">=1,<2"

    def kind(self) -> Kind:
        """The kind, its process proven.

        Raises:
            MalformedProcess: if the table cannot be lived by.
        """
        rules = tuple(self.offers)
        reserved = () if self.wants is nothing_wanted else reserving(NOT_ENDED)
        return Kind(
            name=self.name,
            label=self.label,
            process=Process(self.name, self.transitions, (*COMMON, *offers(rules), *reserved), self.approved),
            reasons=self.reasons,
            reject_codes=self.reject_codes,
            validate=self.validate,
            sends_back=self.sends_back,
            takes_change_of_mind=self.takes_change_of_mind,
            order_states=self.order_states,
            tags=self.tags,
            offers=rules,
            offered_as=self.offered_as,
            wants=self.wants,
        )
