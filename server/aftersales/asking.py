"""Who is asking: what a token says becomes somebody whom the tables know."""

from .engine.vocabulary import Actor, Party
from .transport.caller import Caller

# What an id begins with, by party: a buyer and a clerk of the same name are two.
PREFIXES = {
    Party.BUYER: "by",
    Party.SELLER: "st",
    Party.PLATFORM: "ag",
    Party.CARRIER: "ca",
    Party.PARTNER: "ap",
}


def actor(caller: Caller) -> Actor | None:
    """Who asks, as the tables know them. None for a stranger."""
    claims = caller.claims
    if claims is None:
        return None
    party = Party[claims.party.upper()]
    return Actor(
        party,
        prefixed(PREFIXES[party], claims.sub),
        frozenset(prefixed("sh", shop) for shop in claims.shops),
        claims.grants,
        "".join(character for character in caller.program[:100] if character.isprintable()),
    )


def prefixed(prefix: str, id: str) -> str:
    """Our form of an id. An issuer may use the marketplace's own, or ours."""
    return id if id.startswith(f"{prefix}_") else f"{prefix}_{id}"
