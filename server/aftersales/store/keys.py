"""Idempotency keys: what was asked under which key, and what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Key:
    """
    Args:
        scope: whose key, for which mutation.
        fingerprint: of the whole input; the same key with another one is refused.
        lifetime: how long it is remembered; after that the key is free again.
    """

    scope: str
    key: str
    fingerprint: str
    lifetime: timedelta = LIFETIME


@dataclass(frozen=True, slots=True)
class Remembered:
    """
    Args:
        version: of the request, after what was done under the key.
    """

    request_id: str
    fingerprint: str
    created_at: datetime
    version: int
