"""Makes tokens for a developer's machine: the other end of `Authenticator`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey

from .auth import AUDIENCE


def mint(secret: str, claims: Mapping[str, Any], lifetime: timedelta, *, now: datetime) -> str:
    """
    Args:
        claims: `sub`, `party`, and as needed `shops`, `grants`, `iss`; another `aud` than ours too.
    """
    told = {
        "aud": AUDIENCE,
        **claims,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode({"alg": "HS256"}, told, OctKey.import_key(secret), algorithms=["HS256"])
