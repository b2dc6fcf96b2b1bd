"""Why a buyer may want another one, and why a seller may say no, to the request or to the parcel (section 8)."""

from aftersales.plugin import reasons, reject_codes

REASONS = reasons(
    "not_as_described",
    "wrong_item",
    "damaged",
    "defective",
    "no_longer_needed",
    "wrong_size",
    "wants_other_variation",
)

REJECT_CODES = reject_codes(
    "reason_not_valid",
    "agreed_with_buyer",
    "unclear_or_no_evidence",
    "works_well",
    "not_eligible_used",
    "change_of_mind_not_allowed",
    "exchange_out_of_stock",
    "pkg_not_ours",
    "pkg_not_received",
    "pkg_damaged_used",
    "pkg_parts_missing",
)
