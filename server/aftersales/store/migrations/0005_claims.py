"""Which process looks after a clock that is due, where several share the record."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("aftersales", "0004_erasures")]

    initial = False

    operations = [ops.AddField(model_name="Deadline", name="claimed_until", field=fields.BigIntField(null=True))]
