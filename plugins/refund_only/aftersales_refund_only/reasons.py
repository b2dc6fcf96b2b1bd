"""Why a buyer may ask for a refund only, and why a seller may say no (section 8)."""

from aftersales.plugin import reasons, reject_codes

REASONS = reasons(
    "wont_arrive_on_time",
    "not_received",
    "missed_delivery_date",
    "not_as_described",
    "wrong_item",
    "missing_item",
    "damaged",
    "defective",
    "counterfeit",
    "other",
)

REJECT_CODES = reject_codes(
    "reason_not_valid",
    "need_return_and_refund",
    "item_correct",
    "sent_separately",
    "wrong_address_buyer",
    "cannot_change_address",
    "on_schedule_or_not_recallable",
    "agreed_with_buyer",
    "unclear_or_no_evidence",
    "works_well",
)
