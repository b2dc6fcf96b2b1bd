"""Tokens for a developer's machine."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..settings import PREFIX, CannotStart, Settings
from ..transport.tokens import mint


def token(args: Namespace, settings: Settings) -> int:
    if settings.jwks_url:
        raise CannotStart(f"{PREFIX}JWKS_URL is set: tokens are made by the issuer who has those keys, not here.")
    claims: dict[str, Any] = {"party": args.party, "sub": args.id, "shops": args.shops, "grants": args.grants}
    print(made(settings, claims, timedelta(hours=args.hours)))
    return 0


def made(settings: Settings, claims: Mapping[str, Any], lifetime: timedelta) -> str:
    """A token that a server of these settings takes."""
    issued = {"aud": settings.audience, **({"iss": settings.issuer} if settings.issuer else {})}
    return mint(settings.secret, {**issued, **claims}, lifetime, now=datetime.now(UTC))
