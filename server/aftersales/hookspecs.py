"""Every hook a plugin may implement. There are five.

A plugin is a module, or any object, with functions marked `@hookimpl` that are named as here and
take the arguments given here, or fewer. The server finds it through the entry point group
`aftersales`. docs/plugins.md has an example of each.
"""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import pluggy

from .engine.money import Money
from .engine.refusal import Problem
from .engine.request import Change
from .engine.vocabulary import Shop, Variation
from .request_type import RequestType

hookspec = pluggy.HookspecMarker("aftersales")
hookimpl = pluggy.HookimplMarker("aftersales")


class PaymentOutcome(Enum):
    PAID = "PAID"
    FAILED = "FAILED"
    #: The answer was lost. The server asks `find` until it knows, and never pays anew meanwhile.
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money to be given back. `id` is the refund's own, made before the first call and never replaced.

    `request_id` is None where the seller refunds unasked.
    """

    id: str
    request_id: str | None
    order_number: str
    shop_id: str
    buyer_id: str
    amount: Money


class RefundGateway(Protocol):
    """The way to the buyer's money."""

    async def pay(self, payment: Payment) -> PaymentOutcome:
        """Pay once for each payment id, however often it is asked."""
        ...

    async def find(self, payment_id: str) -> PaymentOutcome:
        """Settle an unknown: was it paid? FAILED if the provider never heard of it."""
        ...


class Stock(Protocol):
    """What can be sent instead. Asked again with the same reservation id, it answers the same."""

    async def look(self, sku_ids: Sequence[str]) -> Mapping[str, Variation]:
        """What there is of these variations; those it does not know are left out."""
        ...

    async def reserve(self, reservation_id: str, items: Sequence[tuple[str, int]]) -> bool:
        """Hold these units back, all or none. False: there are not so many."""
        ...

    async def release(self, reservation_id: str) -> None:
        """They are needed no more; nothing if they were never held."""
        ...


@hookspec
def aftersales_request_type() -> RequestType:
    """Contribute a request type.

    Called once, at startup. Two plugins that contribute the same name stop the server.
    """
    raise NotImplementedError


@hookspec
def aftersales_objections(change: Change) -> Iterable[Problem]:
    """Object to a change, to a request of any type, before it is written.

    Called once the table and its guards have allowed the change. One problem from one plugin is
    enough to refuse it. Must not wait for anything: what you need to know beyond `change`, learn
    in `aftersales_changed` and keep.

    Returns:
        The problems you find. An empty list, or None, is consent.
    """
    raise NotImplementedError


@hookspec
def aftersales_changed(change: Change) -> Awaitable[None] | None:
    """Hear of a change, to a request of any type, after it is committed.

    Return an awaitable to do I/O. What it raises is logged and undoes nothing; a plugin that must
    not miss a change reads the history instead.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def aftersales_refund_gateway(shop: Shop) -> RefundGateway | None:
    """Move the money of this shop's refunds.

    `RefundGateway.pay(payment)` answers paid, failed or unknown, and may be asked again with the
    same payment id for ever; `find(payment_id)` settles an unknown. The default gateway of the demo
    pays at once and keeps a ledger.
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def aftersales_stock(shop: Shop) -> Stock | None:
    """Say what a shop has of a variation, hold it back, let it go.

    `Stock.look` is asked before a claim or a yes is judged, `reserve` and `release` after it is
    written, again and again until they have answered. Without it no exchange can be asked for.
    """
    raise NotImplementedError
