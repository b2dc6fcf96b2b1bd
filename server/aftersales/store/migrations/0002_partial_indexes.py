"""Indexes of only those rows that wait for something: what the server looks for follows them, not the history."""

from tortoise import migrations
from tortoise.migrations.operations import RunSQL


def _index(table: str, column: str, where: str) -> RunSQL:
    # in SQL, because Tortoise knows no condition such as IS NOT NULL
    name = f"idx_{table}_{column}"
    return RunSQL(f"CREATE INDEX {name} ON {table} ({column}, id) WHERE {where}", f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("aftersales", "0001_initial")]

    operations = [
        _index("deadlines", "wake_at", "wake_at IS NOT NULL AND parked_at IS NULL"),
        _index("deadlines", "parked_at", "parked_at IS NOT NULL"),
        _index("refunds", "next_try_at", "next_try_at IS NOT NULL"),
        _index("refunds", "stuck_at", "stuck_at IS NOT NULL"),
    ]
