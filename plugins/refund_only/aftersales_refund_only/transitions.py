"""What may happen to a refund-only request, beside what may happen to any request."""

from aftersales.plugin import (
    COMPLETED,
    PENDING_REVIEW,
    REFUNDING,
    ApprovedBy,
    Party,
    Transition,
    amount_within_max,
    grant,
    not_frozen,
    note_given,
    note_short,
)

from .validation import enforcement_holds, was_enforced

# fmt: off
TRANSITIONS = (
    #          rule   source          on            target     by
    Transition("RO1", PENDING_REVIEW, "approve",    REFUNDING, Party.SELLER | Party.PLATFORM, "Grant the refund", grant="review",
               gates=(not_frozen,), guards=(amount_within_max,), effect=grant(), events=("RequestApproved",)),
    Transition("RO2", PENDING_REVIEW, "match_rule", REFUNDING, Party.SYSTEM,
               effect=grant(ApprovedBy.SELLER_RULE, "seller_rule"), events=("RequestApproved",)),
    Transition("RO3", PENDING_REVIEW, "enforce",    REFUNDING, Party.SYSTEM | Party.PLATFORM, "Refund by enforcement",
               gates=(enforcement_holds,), guards=(note_short,), effect=grant(ApprovedBy.PLATFORM, "platform_approved_refund", "enforced"),
               events=("RequestApproved",)),
    Transition("RO3", COMPLETED,      "revoke_enforcement", None, Party.PLATFORM, "Revoke the violation",
               gates=(was_enforced,), guards=(note_given, note_short), events=("EnforcementRevoked",)),
)
# fmt: on
