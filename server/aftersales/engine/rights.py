"""Who may see and who may do what (section 11 of the model). Nothing else in the server decides this."""

import re
from collections.abc import Iterator
from decimal import Decimal

from .refusal import Problem
from .vocabulary import Actor, Party

# fmt: off
GRANTS = {
    #  grant           what it allows
    "view":           "See the shop's requests.",
    "review":         "Approve or reject at first review.",
    "inspect":        "Accept or reject the parcel that came back.",
    "offer":          "Propose another solution.",
    "ship":           "Send goods out; see the buyer's name.",
    "refund":         "Refund unasked; `refund:500000` up to that much at a time, in the order's currency.",
    "appeal":         "Appeal against a refund.",
    "settings":       "Change the shop's rules.",
    "orders.import":  "Bring in orders.",
    "privacy":        "Erase a buyer's personal data.",
}
# fmt: on

_AMOUNT = re.compile(r"\d{1,18}(\.\d{1,6})?", re.ASCII)

# Those who stand in for a party at a row of a table: an app acts for a shop, within its scopes.
STANDS_FOR = {Party.PARTNER: Party.SELLER}

# Clocks of the seller's side: an appeal's own, and the one that opens it.
_SELLERS_CLOCKS = ("appeal.", "speedy.")


def acts_as(actor: Actor) -> Party:
    """The party of the tables that the actor speaks for."""
    return STANDS_FOR.get(actor.party, actor.party)


def may_see(actor: Actor, shop_id: str, buyer_id: str) -> bool:
    """Buyers see their own, sellers and apps their shops', the platform and its systems all (G_OWNER)."""
    match acts_as(actor):
        case Party.BUYER:
            return actor.id == buyer_id
        case Party.SELLER:
            return shop_id in actor.shops and actor.holds("view")
        case Party.PLATFORM | Party.SYSTEM | Party.CARRIER:
            return True
    return False


def sees_buyer(actor: Actor) -> bool:
    """A buyer's name is shown to those who must write it on a parcel; a carrier reads it there."""
    match acts_as(actor):
        case Party.SELLER:
            return actor.holds("ship")
        case Party.CARRIER:
            return False
    return True


def sees_seller_side(actor: Actor) -> bool:
    """Seller notes, compensation and appeals are never shown to a buyer, and carriers need none of it."""
    return acts_as(actor) not in Party.BUYER | Party.CARRIER


def knows_clock(actor: Actor, key: str) -> bool:
    """The clocks of an appeal, and the one that opens it, are the seller's side's."""
    return sees_seller_side(actor) or not key.startswith(_SELLERS_CLOCKS)


def may_do(actor: Actor, by: Party, grant: str) -> Iterator[Problem]:
    """Whether the party may do such a thing at all, and holds the grant for it."""
    party = acts_as(actor)
    yield from denied(actor, party, by, grant, bound=party is Party.SELLER)


def denied(actor: Actor, party: Party, by: Party, grant: str, *, bound: bool) -> Iterator[Problem]:
    """
    Args:
        party: that the actor speaks for in this.
        bound: whether such a party needs the grant.
    """
    if party not in by:
        yield Problem(
            "FORBIDDEN", "Only {parties} may do this.", guard="G_OWNER", permission=grant or "party", parties=_names(by)
        )
    elif bound and not actor.holds(grant):
        yield Problem("FORBIDDEN", "This needs the grant {permission}.", guard="G_OWNER", permission=grant)


def amount_limit(actor: Actor, grant: str) -> Decimal | None:
    """The most that such a grant allows at a time; None: as much as there is. What is no number allows nothing."""
    if "*" in actor.grants or grant in actor.grants:
        return None
    limits = [held.partition(":")[2] for held in actor.grants if held.startswith(f"{grant}:")]
    return max((_number(limit) for limit in limits), default=Decimal(0))


def _number(text: str) -> Decimal:
    return Decimal(text) if _AMOUNT.fullmatch(text) else Decimal(0)


def _names(by: Party) -> tuple[str, ...]:
    return tuple(party.title.lower() for party in by)
