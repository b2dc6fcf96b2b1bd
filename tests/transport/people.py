"""Tokens for the people of `aftersales.testing`, as a server in development takes them."""

from datetime import UTC, datetime, timedelta
from functools import cache

from aftersales.engine.vocabulary import Actor
from aftersales.settings import Settings
from aftersales.transport.tokens import mint


@cache
def headers(actor: Actor | None) -> dict[str, str]:
    """What says who asks; None is a stranger."""
    if actor is None:
        return {}
    claims = {
        "sub": actor.id, "party": actor.party.title.lower(),
        "shops": sorted(actor.shops), "grants": sorted(actor.grants),
    }  # fmt: skip
    token = mint(Settings().secret, claims, timedelta(days=1), now=datetime.now(UTC))
    return {"authorization": f"Bearer {token}"}
