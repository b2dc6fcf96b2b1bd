"""What was done under which idempotency key."""

from datetime import datetime

from .columns import insert
from .conflicts import KeyTaken
from .database import Database, Statement
from .keys import Key, Remembered
from .values import instant, micros


class Memory:
    database: Database

    async def remembered(self, key: Key, since: datetime) -> Remembered | None:
        """What was done under the key at `since` or later."""
        [rows] = await self.database.read(
            Statement(
                "SELECT request_id, fingerprint, created_at, version FROM idempotency"
                " WHERE scope = ? AND key = ? AND created_at >= ?",
                (key.scope, key.key, micros(since)),
            )
        )
        return next((Remembered(id, fingerprint, instant(at), version) for id, fingerprint, at, version in rows), None)

    async def forget(self, before: datetime, limit: int = 10_000) -> int:
        """Clear away keys used before an instant, the oldest first.

        Returns:
            How many; if that is `limit`, there may be more.
        """
        [rows] = await self.database.write(
            Statement(
                "DELETE FROM idempotency WHERE id IN"
                " (SELECT id FROM idempotency WHERE created_at < ? ORDER BY created_at LIMIT ?) RETURNING id",
                (micros(before), limit),
            )
        )
        return len(rows)


def remembering(key: Key, id: str, version: int, at: datetime) -> Statement:
    """Take the key for what is done in the same batch, or fail with `KeyTaken`."""
    # a key whose time is over is free again, though nobody has cleared it away yet
    return Statement(
        f"{insert('idempotency')} ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
        " request_id = excluded.request_id, version = excluded.version, created_at = excluded.created_at"
        " WHERE idempotency.created_at < ?",
        (key.scope, key.key, key.fingerprint, id, version, micros(at), micros(at - key.lifetime)),
        1, KeyTaken,
    )  # fmt: skip
