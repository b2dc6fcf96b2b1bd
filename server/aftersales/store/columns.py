"""The columns of each table, in the order that rows are read and written. A test holds them against the models."""

from functools import cache

from .database import marks

# What `requests.next_due_at` holds while no clock runs, so that "latest last" needs no word for nulls.
NEVER = 2**63 - 1

# fmt: off
COLUMNS: dict[str, tuple[str, ...]] = {
    "shops": ("id", "name", "market", "kind", "timezone", "return_address", "open"),
    "orders": (
        "id", "shop_id", "number", "buyer_id", "buyer_name", "currency", "state", "placed_at", "delivered_at",
        "total", "shipping_paid", "fulfilment", "claims_version", "stub",
    ),
    "order_lines": (
        "id", "order_id", "position", "sku_id", "product_id", "seller_sku", "product_name", "variation_name",
        "category", "quantity", "unit_paid", "tax", "returnable", "change_of_mind_ok", "preorder", "taken_down",
    ),
    "terms": ("id", "body"),
    "requests": (
        "id", "number", "shop_id", "market", "order_id", "buyer_id", "kind", "original_kind", "stage", "stage_label",
        "status", "version", "attempt", "edits", "disputes", "reason", "note", "fault", "return_method",
        "refund_max", "refund_approved", "refund_paid", "tags", "approved_by", "close_reason", "closed_at",
        "package_confirmed_at", "dispute_status", "appeal_status", "previous_id", "next_id", "details", "terms_id",
        "waiting_for", "next_due_at", "created_at", "updated_at",
    ),
    "request_lines": (
        "id", "request_id", "position", "order_line_id", "quantity", "refund_max", "refund_approved",
    ),
    "deadlines": (
        "id", "request_id", "position", "key", "owed_by", "started_at", "due_at", "remaining_seconds", "status",
        "warn_before", "wake_at", "subject_id",
    ),
    "shipments": (
        "id", "request_id", "position", "leg", "status", "method", "carrier", "tracking", "attempts", "payer",
        "pickup_at", "handed_over_at", "delivered_at",
    ),
    "refunds": (
        "id", "request_id", "order_id", "shop_id", "position", "amount", "currency", "initiator", "status", "lines",
        "created_at", "paid_at", "tries", "next_try_at", "asked_at", "stuck_at",
    ),
    "costs": ("id", "request_id", "position", "kind", "payer", "amount", "currency", "paid_at"),
    "offers": (
        "id", "request_id", "position", "kind", "amount", "note", "status", "details", "made_at", "due_at",
        "answered_at",
    ),
    "disputes": (
        "id", "request_id", "position", "stage", "claim", "decision_note", "decided_by", "opened_at", "decided_at",
        "escalated",
    ),
    "appeals": (
        "id", "request_id", "shop_id", "stage", "ground", "reason", "statement", "evidence_rounds", "compensation",
        "decision_note", "decided_by", "escalated", "opened_at", "filed_at", "decided_at", "next_due_at",
    ),
    "reservations": ("id", "request_id", "shop_id", "status", "items", "next_try_at"),
    "shop_rules": (
        "id", "shop_id", "name", "active", "body", "version", "created_at", "updated_at", "updated_by", "removed_at",
    ),
    "external_records": (
        "id", "format", "external_id", "shop_id", "request_id", "order_number", "status", "unmapped", "record",
        "updated_at", "imported_at",
    ),
    "evidence": (
        "id", "owner_id", "uploaded_by", "party", "kind", "status", "url", "media_type", "bytes", "sha256", "note",
        "created_at", "submitted_at", "stored_as", "upload_until", "uploaded_at", "supersedes_id",
    ),
    "request_evidence": ("request_id", "evidence_id", "position", "case_id"),
    "events": (
        "serial", "shop_id", "position", "request_id", "sequence", "version", "type", "rule", "at", "processed_at",
        "party", "actor_id", "client", "action", "from_stage", "to_stage", "note", "data", "deadline_id", "was",
    ),
    "idempotency": ("scope", "key", "fingerprint", "request_id", "version", "created_at"),
    "erasures": ("id", "actor_id", "client", "erased_at", "orders", "requests", "files"),
}

# Columns that only some statements name: kept by SQL itself, by time, or by the import.
ASIDE: dict[str, tuple[str, ...]] = {
    "shops": ("sequence",),
    "orders": ("imported_at", "source_hash"),
    "order_lines": ("platform_discount", "seller_discount"),
    "requests": ("sequence", "search"),
    "deadlines": ("tries", "parked_at", "fault_text", "claimed_until"),
    "refunds": ("actor_id", "client", "reason", "note"),
    "reservations": ("tries",),
    "request_evidence": ("id",),
    "idempotency": ("id",),
}
# fmt: on


@cache
def select(table: str, alias: str = "") -> str:
    """`SELECT` of all columns of a table."""
    prefix = f"{alias}." if alias else ""
    return f"SELECT {', '.join(prefix + column for column in COLUMNS[table])} FROM {table} {alias}".strip()


@cache
def insert(table: str, rows: int = 1, columns: tuple[str, ...] = ()) -> str:
    """`INSERT` of so many rows."""
    columns = columns or COLUMNS[table]
    row = f"({marks(len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * rows)}"
