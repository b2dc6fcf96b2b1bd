"""Why a buyer may send goods back, and why a seller may say no, to the request or to the parcel (section 8)."""

from aftersales.plugin import reasons, reject_codes

REASONS = reasons(
    "missed_delivery_date",
    "not_as_described",
    "wrong_item",
    "missing_item",
    "damaged",
    "defective",
    "counterfeit",
    "no_longer_needed",
    "wrong_size",
    "other",
)

REJECT_CODES = reject_codes(
    "reason_not_valid",
    "item_correct",
    "agreed_with_buyer",
    "unclear_or_no_evidence",
    "works_well",
    "not_eligible_used",
    "change_of_mind_not_allowed",
    "pkg_not_ours",
    "pkg_not_received",
    "pkg_damaged_used",
    "pkg_parts_missing",
)
