"""Offers, disputes, appeals, reservations, shops' own rules, uploaded evidence, returns from elsewhere."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("aftersales", "0002_partial_indexes")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Appeal",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                (
                    "request",
                    fields.ForeignKeyField(
                        "aftersales.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "shop",
                    fields.ForeignKeyField(
                        "aftersales.Shop",
                        source_field="shop_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("stage", fields.CharField(max_length=80)),
                ("ground", fields.CharField(max_length=80)),
                ("reason", fields.CharField(null=True, max_length=80)),
                ("statement", fields.TextField(unique=False)),
                ("evidence_rounds", fields.IntField()),
                ("compensation", fields.BigIntField(null=True)),
                ("decision_note", fields.TextField(null=True, unique=False)),
                ("decided_by", fields.CharField(null=True, max_length=80)),
                ("escalated", fields.BooleanField()),
                ("opened_at", fields.BigIntField()),
                ("filed_at", fields.BigIntField(null=True)),
                ("decided_at", fields.BigIntField(null=True)),
                ("next_due_at", fields.BigIntField()),
            ],
            options={
                "table": "appeals",
                "app": "aftersales",
                "unique_together": (("request",),),
                "indexes": [
                    Index(fields=["shop_id", "next_due_at", "id"]),
                    Index(fields=["shop_id", "stage", "next_due_at", "id"]),
                    Index(fields=["next_due_at", "id"]),
                    Index(fields=["stage", "next_due_at", "id"]),
                ],
                "pk_attr": "id",
                "table_description": "A seller's claim against a refund, one for each request. `next_due_at` is derived, for lists.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Dispute",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                (
                    "request",
                    fields.ForeignKeyField(
                        "aftersales.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField()),
                ("stage", fields.CharField(max_length=80)),
                ("claim", fields.TextField(unique=False)),
                ("decision_note", fields.TextField(null=True, unique=False)),
                ("decided_by", fields.CharField(null=True, max_length=80)),
                ("opened_at", fields.BigIntField()),
                ("decided_at", fields.BigIntField(null=True)),
                ("escalated", fields.BooleanField()),
            ],
            options={
                "table": "disputes",
                "app": "aftersales",
                "unique_together": (("request", "position"),),
                "pk_attr": "id",
                "table_description": "A rejection taken to the platform. `position` is its round, less one.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ExternalRecord",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                ("format", fields.CharField(max_length=80)),
                ("external_id", fields.CharField(max_length=80)),
                ("shop_id", fields.CharField(null=True, max_length=80)),
                ("request_id", fields.CharField(null=True, max_length=80)),
                ("order_number", fields.CharField(null=True, max_length=80)),
                ("status", fields.TextField(unique=False)),
                ("unmapped", fields.TextField(null=True, unique=False)),
                ("record", fields.TextField(unique=False)),
                ("updated_at", fields.BigIntField()),
                ("imported_at", fields.BigIntField()),
            ],
            options={
                "table": "external_records",
                "app": "aftersales",
                "indexes": [Index(fields=["request_id"]), Index(fields=["shop_id", "updated_at", "id"])],
                "pk_attr": "id",
                "table_description": "A return as the marketplace's own API tells it, kept as it came.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Offer",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                (
                    "request",
                    fields.ForeignKeyField(
                        "aftersales.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("position", fields.IntField()),
                ("kind", fields.CharField(max_length=80)),
                ("amount", fields.BigIntField(null=True)),
                ("note", fields.TextField(unique=False)),
                ("status", fields.CharField(max_length=80)),
                ("details", fields.TextField(unique=False)),
                ("made_at", fields.BigIntField()),
                ("due_at", fields.BigIntField(null=True)),
                ("answered_at", fields.BigIntField(null=True)),
            ],
            options={
                "table": "offers",
                "app": "aftersales",
                "indexes": [Index(fields=["request_id"])],
                "pk_attr": "id",
                "table_description": "What a seller proposed instead. `details` is what the kind asks that the request would become.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Reservation",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                (
                    "request",
                    fields.ForeignKeyField(
                        "aftersales.Request",
                        source_field="request_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "shop",
                    fields.ForeignKeyField(
                        "aftersales.Shop",
                        source_field="shop_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("status", fields.CharField(max_length=80)),
                ("items", fields.TextField(unique=False)),
                ("next_try_at", fields.BigIntField(null=True)),
                ("tries", fields.IntField(db_default=0)),
            ],
            options={
                "table": "reservations",
                "app": "aftersales",
                "unique_together": (("request",),),
                "pk_attr": "id",
                "table_description": "Goods held back for a request. `items` is pairs of SKU and quantity.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ShopRule",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=80)),
                (
                    "shop",
                    fields.ForeignKeyField(
                        "aftersales.Shop",
                        source_field="shop_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.TextField(unique=False)),
                ("active", fields.BooleanField()),
                ("body", fields.TextField(unique=False)),
                ("version", fields.IntField()),
                ("created_at", fields.BigIntField()),
                ("updated_at", fields.BigIntField()),
                ("updated_by", fields.CharField(max_length=80)),
                ("removed_at", fields.BigIntField(null=True)),
            ],
            options={
                "table": "shop_rules",
                "app": "aftersales",
                "indexes": [Index(fields=["shop_id", "created_at", "id"])],
                "pk_attr": "id",
                "table_description": "A seller's own rule (RO2). `body` is its conditions. `removed_at` is null while it stands.",
            },
            bases=["Model"],
        ),
        ops.AlterModelOptions(
            name="Cost",
            options={
                "table": "costs",
                "app": "aftersales",
                "indexes": [Index(fields=["request_id"])],
                "pk_attr": "id",
                "table_description": "`paid_at` is null while it is owed.",
            },
        ),
        ops.AddField(
            model_name="Cost",
            name="paid_at",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="Deadline",
            name="subject_id",
            field=fields.CharField(null=True, max_length=80),
        ),
        ops.AddField(
            model_name="Evidence",
            name="stored_as",
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name="Evidence",
            name="supersedes_id",
            field=fields.CharField(null=True, max_length=80),
        ),
        ops.AddField(
            model_name="Evidence",
            name="upload_until",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="Evidence",
            name="uploaded_at",
            field=fields.BigIntField(null=True),
        ),
        ops.AddIndex(
            model_name="Evidence",
            index=Index(fields=["supersedes_id"]),
        ),
        ops.AddField(
            model_name="Order",
            name="stub",
            field=fields.BooleanField(db_default=False),
        ),
        ops.AddField(
            model_name="OrderLine",
            name="taken_down",
            field=fields.BooleanField(db_default=False),
        ),
        ops.AddField(
            model_name="Refund",
            name="actor_id",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Refund",
            name="client",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Refund",
            name="note",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="Refund",
            name="reason",
            field=fields.TextField(db_default="", unique=False),
        ),
        ops.AddField(
            model_name="RequestEvidence",
            name="case_id",
            field=fields.CharField(null=True, max_length=80),
        ),
        ops.RunSQL(
            "CREATE INDEX idx_reservations_next_try_at ON reservations (next_try_at, id) WHERE next_try_at IS NOT NULL",
            "DROP INDEX idx_reservations_next_try_at",
        ),
        ops.RunSQL(
            "CREATE INDEX idx_external_records_unmapped ON external_records (imported_at, id) WHERE unmapped IS NOT NULL",
            "DROP INDEX idx_external_records_unmapped",
        ),
        ops.RunSQL(
            "CREATE INDEX idx_evidence_unused ON evidence (uploaded_by, upload_until) WHERE owner_id IS NULL AND stored_as IS NOT NULL",
            "DROP INDEX idx_evidence_unused",
        ),
    ]
