"""Why a buyer may ask for goods again, and why a seller may say no (section 8). A market may take fewer reasons."""

from aftersales.plugin import reasons, reject_codes

REASONS = reasons("wrong_item", "missing_item", "damaged", "defective")

REJECT_CODES = reject_codes(
    "reason_not_valid",
    "item_correct",
    "sent_separately",
    "agreed_with_buyer",
    "unclear_or_no_evidence",
    "works_well",
)
