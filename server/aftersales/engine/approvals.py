"""Whose yes led to money or goods, and to how much of it: the effects that every table shares."""

from collections.abc import Mapping
from typing import Any

from .process import Effect
from .request import Attempt
from .vocabulary import ApprovedBy, Party


def grant(by: ApprovedBy | None = None, *tags: str, whole: bool = False) -> Effect:
    """The effect of a yes: the amount given, or all that may still be granted, and whose yes it was.

    Args:
        by: None: whoever acts. Time, scans and rules are named, and always grant all.
        whole: all, whatever amount is given; for rows that do not ask `amount_within_max`.
    """

    def effect(attempt: Attempt) -> Mapping[str, Any]:
        amount = None if whole or by else attempt.given.get("amount")
        return {
            "refund_approved": attempt.request.payable if amount is None else amount,
            "approved_by": by or approver(attempt),
            "tags": attempt.request.tags | set(tags),
        }

    return effect


def approver(attempt: Attempt) -> ApprovedBy:
    return ApprovedBy.PLATFORM if attempt.actor.party is Party.PLATFORM else ApprovedBy.SELLER


def approve(attempt: Attempt) -> Mapping[str, Any]:
    """The effect of a yes to goods moving: whose yes it was."""
    return {"approved_by": approver(attempt)}


def silence(attempt: Attempt) -> Mapping[str, Any]:
    """C17: the seller let the review pass."""
    return {"approved_by": ApprovedBy.TIMEOUT_REVIEW, "tags": attempt.request.tags | {"auto_approved"}}
