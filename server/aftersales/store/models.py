"""The tables. These models define the schema; what is read and written often says its SQL itself (`columns.py`).

Ids are text. Columns ending in `_at` are microseconds since 1970 UTC. Money is minor units of the row's
currency, or of its order's. JSON is text.

No semicolon in a docstring here: Tortoise makes them comments in SQL, and cuts SQL at semicolons.
"""

from tortoise import fields
from tortoise.fields import OnDelete
from tortoise.indexes import Index
from tortoise.models import Model

APP = "aftersales"


def _id() -> fields.CharField[str]:
    return fields.CharField(max_length=80, primary_key=True)


def _handle() -> fields.CharField[str]:
    return fields.CharField(max_length=80)


def _maybe() -> fields.CharField[str | None]:
    return fields.CharField(max_length=80, null=True)


def _to(model: str) -> fields.ForeignKeyRelation[Model]:
    return fields.ForeignKeyField(f"{APP}.{model}", on_delete=OnDelete.RESTRICT, related_name=False)


class Shop(Model):
    """`sequence` is the position of the shop's last event."""

    id = _id()
    name = fields.TextField()
    market = _handle()
    kind = _handle()
    timezone = _handle()
    return_address = fields.BooleanField()
    open = fields.BooleanField()
    sequence = fields.BigIntField(db_default=0)

    class Meta:
        table = "shops"


class Order(Model):
    """`claims_version` grows with all that changes what may be claimed, `source_hash` tells a row imported before.

    `stub`: known only from a return that was imported, until the order itself comes.
    """

    id = _id()
    shop = _to("Shop")
    number = _handle()
    buyer_id = _handle()
    buyer_name = fields.TextField(null=True)
    currency = fields.CharField(max_length=3)
    state = _handle()
    placed_at = fields.BigIntField()
    delivered_at = fields.BigIntField(null=True)
    total = fields.BigIntField()
    shipping_paid = fields.BigIntField()
    fulfilment = _handle()
    claims_version = fields.BigIntField(db_default=0)
    imported_at = fields.BigIntField()
    source_hash = fields.CharField(max_length=64)
    stub = fields.BooleanField(db_default=False)

    class Meta:
        table = "orders"
        unique_together = (("shop", "number"),)
        indexes = [Index(fields=("number",)), Index(fields=("buyer_id", "placed_at", "id"))]


class OrderLine(Model):
    id = _id()
    order = _to("Order")
    position = fields.IntField()
    sku_id = _handle()
    product_id = _handle()
    seller_sku = fields.TextField(null=True)
    product_name = fields.TextField()
    variation_name = fields.TextField(null=True)
    category = fields.TextField(null=True)
    quantity = fields.IntField()
    unit_paid = fields.BigIntField()
    tax = fields.BigIntField()
    platform_discount = fields.BigIntField()
    seller_discount = fields.BigIntField()
    returnable = fields.BooleanField()
    change_of_mind_ok = fields.BooleanField()
    preorder = fields.BooleanField()
    taken_down = fields.BooleanField(db_default=False)

    class Meta:
        table = "order_lines"
        unique_together = (("order", "position"),)


class Terms(Model):
    """The terms that requests were born under, written once, never changed."""

    id = fields.CharField(max_length=120, primary_key=True)
    body = fields.TextField()

    class Meta:
        table = "terms"


class Request(Model):
    """`sequence` is that of its last event. `waiting_for`, `next_due_at` and `search` are derived, for lists.

    `next_due_at` is `columns.NEVER` while no clock runs.
    """

    id = _id()
    number = _handle()
    shop = _to("Shop")
    market = _handle()
    order = _to("Order")
    buyer_id = _handle()
    kind = _handle()
    original_kind = _handle()
    stage = _handle()
    stage_label = fields.TextField()
    status = _handle()
    version = fields.IntField()
    sequence = fields.IntField()
    attempt = fields.IntField()
    edits = fields.IntField()
    disputes = fields.IntField()
    reason = _handle()
    note = fields.TextField()
    fault = _maybe()
    return_method = _maybe()
    refund_max = fields.BigIntField()
    refund_approved = fields.BigIntField(null=True)
    refund_paid = fields.BigIntField(null=True)
    tags = fields.TextField()
    approved_by = _maybe()
    close_reason = _maybe()
    closed_at = fields.BigIntField(null=True)
    package_confirmed_at = fields.BigIntField(null=True)
    dispute_status = _handle()
    appeal_status = _handle()
    previous_id = _maybe()
    next_id = _maybe()
    details = fields.TextField()
    terms = _to("Terms")
    waiting_for = _maybe()
    next_due_at = fields.BigIntField()
    created_at = fields.BigIntField()
    updated_at = fields.BigIntField()
    search = fields.TextField()

    class Meta:
        table = "requests"
        unique_together = (("number",),)
        # Each page is one range of one of these: what must be equal, what it is sorted by, the id.
        indexes = [
            Index(fields=("order_id",)),
            Index(fields=("shop_id", "next_due_at", "id")),
            Index(fields=("shop_id", "created_at", "id")),
            Index(fields=("shop_id", "updated_at", "id")),
            Index(fields=("shop_id", "refund_max", "id")),
            Index(fields=("shop_id", "status", "next_due_at", "id")),
            Index(fields=("shop_id", "status", "created_at", "id")),
            Index(fields=("shop_id", "status", "updated_at", "id")),
            Index(fields=("shop_id", "status", "kind", "next_due_at", "id")),
            Index(fields=("shop_id", "status", "waiting_for", "next_due_at", "id")),
            Index(fields=("buyer_id", "created_at", "id")),
            Index(fields=("next_due_at", "id")),
            Index(fields=("created_at", "id")),
            Index(fields=("updated_at", "id")),
            Index(fields=("refund_max", "id")),
            Index(fields=("status", "next_due_at", "id")),
        ]


class RequestLine(Model):
    id = _id()
    request = _to("Request")
    position = fields.IntField()
    order_line = _to("OrderLine")
    quantity = fields.IntField()
    refund_max = fields.BigIntField()
    refund_approved = fields.BigIntField(null=True)

    class Meta:
        table = "request_lines"
        unique_together = (("request", "position"),)


class Deadline(Model):
    """`wake_at` is when time must look at it next, to warn or to act, null unless it runs.

    `subject_id` is the dispute or appeal whose clock it is, null where it is the request's own.

    The migration gives `wake_at` an index of only those that run and are not parked. `claimed_until` is by the
    database's time, and only where several processes share it: one of them looks after it until then.
    """

    id = _id()
    request = _to("Request")
    position = fields.IntField()
    key = _handle()
    owed_by = _handle()
    started_at = fields.BigIntField()
    due_at = fields.BigIntField(null=True)
    remaining_seconds = fields.BigIntField(null=True)
    status = _handle()
    warn_before = fields.TextField()
    wake_at = fields.BigIntField(null=True)
    subject_id = _maybe()
    tries = fields.IntField(db_default=0)
    parked_at = fields.BigIntField(null=True)
    fault_text = fields.TextField(null=True)
    claimed_until = fields.BigIntField(null=True)

    class Meta:
        table = "deadlines"
        indexes = [Index(fields=("request_id",))]


class Shipment(Model):
    id = _id()
    request = _to("Request")
    position = fields.IntField()
    leg = _handle()
    status = _handle()
    method = _maybe()
    carrier = fields.TextField(null=True)
    tracking = fields.TextField(null=True)
    attempts = fields.IntField()
    payer = _maybe()
    pickup_at = fields.BigIntField(null=True)
    handed_over_at = fields.BigIntField(null=True)
    delivered_at = fields.BigIntField(null=True)

    class Meta:
        table = "shipments"
        indexes = [Index(fields=("request_id",)), Index(fields=("tracking",))]


class Refund(Model):
    """Money to be moved. `asked_at`: the provider was asked and its answer is not known yet.

    `next_try_at` is null once it is settled or a person must look (`stuck_at`). `request_id` is null
    where the seller refunds unasked: `actor_id`, `client`, `reason` and `note` then say who, through what and why.
    The migration gives `next_try_at` an index of only those to be tried.
    """

    id = _id()
    request_id = _maybe()
    order = _to("Order")
    shop = _to("Shop")
    position = fields.IntField()
    amount = fields.BigIntField()
    currency = fields.CharField(max_length=3)
    initiator = _handle()
    status = _handle()
    lines = fields.TextField()
    created_at = fields.BigIntField()
    paid_at = fields.BigIntField(null=True)
    tries = fields.IntField()
    next_try_at = fields.BigIntField(null=True)
    asked_at = fields.BigIntField(null=True)
    stuck_at = fields.BigIntField(null=True)
    actor_id = fields.TextField(db_default="")
    client = fields.TextField(db_default="")
    reason = fields.TextField(db_default="")
    note = fields.TextField(db_default="")

    class Meta:
        table = "refunds"
        indexes = [Index(fields=("request_id",)), Index(fields=("order_id",))]


class Cost(Model):
    """`paid_at` is null while it is owed."""

    id = _id()
    request = _to("Request")
    position = fields.IntField()
    kind = _handle()
    payer = _handle()
    amount = fields.BigIntField(null=True)
    currency = fields.CharField(max_length=3)
    paid_at = fields.BigIntField(null=True)

    class Meta:
        table = "costs"
        indexes = [Index(fields=("request_id",))]


class Offer(Model):
    """What a seller proposed instead. `details` is what the kind asks that the request would become."""

    id = _id()
    request = _to("Request")
    position = fields.IntField()
    kind = _handle()
    amount = fields.BigIntField(null=True)
    note = fields.TextField()
    status = _handle()
    details = fields.TextField()
    made_at = fields.BigIntField()
    due_at = fields.BigIntField(null=True)
    answered_at = fields.BigIntField(null=True)

    class Meta:
        table = "offers"
        indexes = [Index(fields=("request_id",))]


class Dispute(Model):
    """A rejection taken to the platform. `position` is its round, less one."""

    id = _id()
    request = _to("Request")
    position = fields.IntField()
    stage = _handle()
    claim = fields.TextField()
    decision_note = fields.TextField(null=True)
    decided_by = _maybe()
    opened_at = fields.BigIntField()
    decided_at = fields.BigIntField(null=True)
    escalated = fields.BooleanField()

    class Meta:
        table = "disputes"
        unique_together = (("request", "position"),)


class Appeal(Model):
    """A seller's claim against a refund, one for each request. `next_due_at` is derived, for lists.

    `next_due_at` is `columns.NEVER` while no clock of it runs.
    """

    id = _id()
    request = _to("Request")
    shop = _to("Shop")
    stage = _handle()
    ground = _handle()
    reason = _maybe()
    statement = fields.TextField()
    evidence_rounds = fields.IntField()
    compensation = fields.BigIntField(null=True)
    decision_note = fields.TextField(null=True)
    decided_by = _maybe()
    escalated = fields.BooleanField()
    opened_at = fields.BigIntField()
    filed_at = fields.BigIntField(null=True)
    decided_at = fields.BigIntField(null=True)
    next_due_at = fields.BigIntField()

    class Meta:
        table = "appeals"
        unique_together = (("request",),)
        indexes = [
            Index(fields=("shop_id", "next_due_at", "id")),
            Index(fields=("shop_id", "stage", "next_due_at", "id")),
            Index(fields=("next_due_at", "id")),
            Index(fields=("stage", "next_due_at", "id")),
        ]


class Reservation(Model):
    """Goods held back for a request. `items` is pairs of SKU and quantity.

    `next_try_at` is null once stock has been told all there is to tell. The migration gives it an index of the others.
    """

    id = _id()
    request = _to("Request")
    shop = _to("Shop")
    status = _handle()
    items = fields.TextField()
    next_try_at = fields.BigIntField(null=True)
    tries = fields.IntField(db_default=0)

    class Meta:
        table = "reservations"
        unique_together = (("request",),)


class ShopRule(Model):
    """A seller's own rule (RO2). `body` is its conditions. `removed_at` is null while it stands."""

    id = _id()
    shop = _to("Shop")
    name = fields.TextField()
    active = fields.BooleanField()
    body = fields.TextField()
    version = fields.IntField()
    created_at = fields.BigIntField()
    updated_at = fields.BigIntField()
    updated_by = _handle()
    removed_at = fields.BigIntField(null=True)

    class Meta:
        table = "shop_rules"
        indexes = [Index(fields=("shop_id", "created_at", "id"))]


class ExternalRecord(Model):
    """A return as the marketplace's own API tells it, kept as it came.

    `request_id` is null where it could not be mapped, and `unmapped` says why. `updated_at` is the record's own.
    """

    id = _id()
    format = _handle()
    external_id = _handle()
    shop_id = _maybe()
    request_id = _maybe()
    order_number = _maybe()
    status = fields.TextField()
    unmapped = fields.TextField(null=True)
    record = fields.TextField()
    updated_at = fields.BigIntField()
    imported_at = fields.BigIntField()

    class Meta:
        table = "external_records"
        indexes = [Index(fields=("request_id",)), Index(fields=("shop_id", "updated_at", "id"))]


class Evidence(Model):
    """`owner_id` is the request it was first shown for, null while it is only staged.

    `stored_as` is where a file that we keep lies in our own store, null for one that the marketplace keeps. It has
    come once `uploaded_at` is there, until `upload_until` it may. `supersedes_id` is the file it takes the place of.
    """

    id = _id()
    owner_id = _maybe()
    uploaded_by = _handle()
    party = _handle()
    kind = _handle()
    status = _handle()
    url = fields.TextField()
    media_type = fields.TextField()
    bytes = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)
    note = fields.TextField()
    created_at = fields.BigIntField()
    submitted_at = fields.BigIntField(null=True)
    stored_as = fields.TextField(null=True)
    upload_until = fields.BigIntField(null=True)
    uploaded_at = fields.BigIntField(null=True)
    supersedes_id = _maybe()

    class Meta:
        table = "evidence"
        indexes = [Index(fields=("supersedes_id",)), Index(fields=("uploaded_by",))]


class RequestEvidence(Model):
    """Which files support which request, in order. An edit carries those of the request it replaces.

    `case_id` is the dispute or appeal a file was shown in, null where it supports the request itself.
    """

    id = fields.BigIntField(primary_key=True)
    request = _to("Request")
    evidence = _to("Evidence")
    position = fields.IntField()
    case_id = _maybe()

    class Meta:
        table = "request_evidence"
        unique_together = (("request", "evidence"),)


class Event(Model):
    """The log. `position` has no gap within a shop, `sequence` none within a request.

    Args:
        was: what filters look at, as it was before the change, on the first event of a change only.
    """

    serial = fields.BigIntField(primary_key=True)
    shop = _to("Shop")
    position = fields.BigIntField()
    request = _to("Request")
    sequence = fields.IntField()
    version = fields.IntField()
    type = _handle()
    rule = _handle()
    at = fields.BigIntField()
    processed_at = fields.BigIntField()
    party = _handle()
    actor_id = _handle()
    client = fields.TextField()
    action = _handle()
    from_stage = _maybe()
    to_stage = _handle()
    note = fields.TextField()
    data = fields.TextField()
    deadline_id = _maybe()
    was = fields.TextField(null=True)

    class Meta:
        table = "events"
        unique_together = (("shop", "position"), ("request", "sequence"))


class Erasure(Model):
    """That a buyer's personal data was erased. `id` is the buyer's from then on: who it was stands nowhere."""

    id = _id()
    actor_id = _handle()
    client = fields.TextField()
    erased_at = fields.BigIntField()
    orders = fields.IntField()
    requests = fields.IntField()
    files = fields.IntField()

    class Meta:
        table = "erasures"


class Idempotency(Model):
    """What a key was used for, and what came of it."""

    id = fields.BigIntField(primary_key=True)
    scope = fields.TextField()
    key = fields.TextField()
    fingerprint = fields.CharField(max_length=64)
    request_id = _handle()
    version = fields.IntField()
    created_at = fields.BigIntField()

    class Meta:
        table = "idempotency"
        unique_together = (("scope", "key"),)
        indexes = [Index(fields=("created_at",))]
