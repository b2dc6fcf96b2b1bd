"""Remembers what was done under an idempotency key where no request was changed, such as an import."""

from datetime import datetime

from .columns import insert
from .conflicts import KeyTaken
from .database import Database, Statement
from .keys import Key
from .values import micros


async def remember(database: Database, key: Key, at: datetime) -> None:
    """
    Raises:
        KeyTaken: somebody faster has used it.
    """
    await database.write(
        Statement(
            # a key whose time is over is free again, as it is for changes (`writing`)
            f"{insert('idempotency')} ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
            " created_at = excluded.created_at WHERE idempotency.created_at < ?",
            (key.scope, key.key, key.fingerprint, "", 0, micros(at), micros(at - key.lifetime)), 1, KeyTaken,
        )
    )  # fmt: skip
