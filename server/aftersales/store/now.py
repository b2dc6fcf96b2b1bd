"""The time of a database that several processes share: it decides, whatever their hosts' clocks show."""

from datetime import datetime

from .database import Database, Statement
from .values import instant

# In microseconds. It passes as it does, however fast a demo's time runs.
DATABASE_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


async def database_now(database: Database) -> datetime:
    """What it shows, for a database that is shared."""
    [[[now]]] = await database.read(Statement(f"SELECT {DATABASE_NOW}"))
    return instant(now)
