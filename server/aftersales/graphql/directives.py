"""What the schema says of its own parts: who put them there, and what they cost."""

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.OBJECT, Location.INPUT_OBJECT],
    description="Which plugin put this element into the schema, and since which of its versions.",
)
class ContributedBy:
    plugin: str
    since: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="What a field costs: `weight` once, and `perItem` for each item of its page.",
)
class Cost:
    weight: int = 1
    per_item: int = 0


PAGE = Cost(weight=1, per_item=1)
