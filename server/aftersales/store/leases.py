"""What is due is one process's to do for a while, where several share the record: nobody waits, nobody does it twice.

A lease is only a courtesy that keeps processes out of each other's way. Whoever holds one and dies leaves nothing
behind but the wait until it ends; whoever outlives it finds at the commit that another was quicker.
"""


def taking(table: str, columns: tuple[str, ...], due: str, where: str, lease: str) -> str:
    """One statement that takes the earliest so many rows that wait, and gives what stood in them.

    Args:
        due: the column by which they stand in line.
        where: which rows wait and are held by nobody; of `t`.
        lease: what to write down, as `column = value`.
    """
    picked = ", ".join(f"picked.{column}" for column in columns)
    return (
        # picked once and for all: joined to, a LIMIT that locks may be run again
        f"WITH picked AS MATERIALIZED (SELECT t.* FROM {table} t WHERE {where}"
        f" ORDER BY t.{due}, t.id LIMIT ? FOR UPDATE SKIP LOCKED)"
        f" UPDATE {table} s SET {lease} FROM picked WHERE s.id = picked.id RETURNING {picked}"
    )
