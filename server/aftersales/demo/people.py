"""Who acts in the demo: buyers, sellers, an agent, carriers and a partner's app; and the claims of their tokens."""

from collections.abc import Mapping
from typing import Any

from ..engine.vocabulary import Actor, Party, Shop
from .catalog import LISTRIK, MAWAR, SIAM

AGENT = Actor(Party.PLATFORM, "ag_bima", client="demo")
APP_GRANTS = frozenset({"view", "review", "offer", "inspect", "ship", "appeal", "orders.import"})
APP = Actor(Party.PARTNER, "ap_stockwise", frozenset({MAWAR.id, LISTRIK.id}), APP_GRANTS, "Stockwise")


# The buyer whom a visitor may be.
VISITOR = "by_dewi"


def buyer(id: str) -> Actor:
    return Actor(Party.BUYER, id, client="demo")


def buyer_id(name: str) -> str:
    return f"by_{name.lower()}"


def seller(shop: Shop) -> Actor:
    """The shop's owner, who may do all."""
    return Actor(Party.SELLER, f"st_{shop.id.removeprefix('sh_')}", frozenset({shop.id}), frozenset("*"), "demo")


def carrier(name: str) -> Actor:
    return Actor(Party.CARRIER, f"ca_{name.lower()}", client="demo")


# Whom a visitor may be: what a token says, by the name that is shown.
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    f"seller: {MAWAR.name}": {"party": "seller", "sub": "mawar", "shops": ["mawar"], "grants": ["*"]},
    f"seller: {SIAM.name}": {"party": "seller", "sub": "siam", "shops": ["siam"], "grants": ["*"]},
    "buyer: Dewi": {"party": "buyer", "sub": "dewi"},
    "agent: Bima": {"party": "platform", "sub": "bima", "grants": ["orders.import", "privacy"]},
    "partner: an app of two shops": {
        "party": "partner",
        "sub": "stockwise",
        "shops": [shop.id.removeprefix("sh_") for shop in (MAWAR, LISTRIK)],
        "grants": sorted(APP_GRANTS),
    },
    "carrier: JNE": {"party": "carrier", "sub": "jne"},
}
