"""Erasures of personal data, and the way to a buyer's files."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("aftersales", "0003_cases")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Erasure",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ("actor_id", fields.CharField(max_length=80)),
                ("client", fields.TextField(unique=False)),
                ("erased_at", fields.BigIntField()),
                ("orders", fields.IntField()),
                ("requests", fields.IntField()),
                ("files", fields.IntField()),
            ],
            options={
                "table": "erasures",
                "app": "aftersales",
                "pk_attr": "id",
                "table_description": "That a buyer's personal data was erased. `id` is the buyer's from then on: who it was stands nowhere.",
            },
            bases=["Model"],
        ),
        ops.AddIndex(model_name="Evidence", index=Index(fields=["uploaded_by"])),
        ops.RunSQL(
            "CREATE INDEX idx_evidence_doomed ON evidence (id) WHERE status = 'ERASED' AND stored_as IS NOT NULL",
            "DROP INDEX idx_evidence_doomed",
        ),
    ]
