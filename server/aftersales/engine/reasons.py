"""Why a buyer asks and why a seller says no, as data (section 8 of the model). Kinds choose from here or add."""

from dataclasses import dataclass
from enum import Enum

from .vocabulary import DELIVERED, ON_ITS_WAY, EvidenceKind, OrderState, Party


class ReasonClass(Enum):
    NOT_RECEIVED = "NOT_RECEIVED"
    LATE = "LATE"
    NOT_AS_DESCRIBED = "NOT_AS_DESCRIBED"
    WRONG_ITEM = "WRONG_ITEM"
    MISSING = "MISSING"
    DAMAGED = "DAMAGED"
    DEFECTIVE = "DEFECTIVE"
    COUNTERFEIT = "COUNTERFEIT"
    CHANGE_OF_MIND = "CHANGE_OF_MIND"
    FIT = "FIT"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a buyer asks.

    Args:
        order_states: the states of the order in which it may be given.
        fault: whose fault it is until shown otherwise; None: nobody's.
        evidence: any one of these must be shown; empty: nothing need be.
        external: the marketplace's own name for it.
        note: the buyer must say it in words.
    """

    code: str
    label: str
    kind: ReasonClass
    order_states: frozenset[OrderState]
    fault: Party | None
    evidence: frozenset[EvidenceKind] = frozenset()
    external: str = ""
    note: bool = False
    retired: bool = False


class Review(Enum):
    """The seller judges twice: the request, then the parcel that came back."""

    FIRST = "FIRST"
    SECOND = "SECOND"


@dataclass(frozen=True, slots=True)
class RejectCode:
    """Why a seller says no.

    Args:
        order_states: empty: whatever the order's state.
        for_change_of_mind: may also answer a change of mind where the market protects it.
    """

    code: str
    label: str
    review: Review
    evidence: frozenset[EvidenceKind] = frozenset()
    order_states: frozenset[OrderState] = frozenset()
    for_change_of_mind: bool = False


_PHOTO = frozenset({EvidenceKind.PHOTO})
_SEEN = frozenset({EvidenceKind.PHOTO, EvidenceKind.VIDEO})
_PHOTO_OR_CHAT = frozenset({EvidenceKind.PHOTO, EvidenceKind.CHAT_SCREENSHOT})
_CHAT = frozenset({EvidenceKind.CHAT_SCREENSHOT})
_TRACKING = frozenset({EvidenceKind.AWB, EvidenceKind.DOCUMENT})
_NONE: frozenset[EvidenceKind] = frozenset()
_SELLER, _CARRIER, _BUYER = Party.SELLER, Party.CARRIER, Party.BUYER
_SHIPPED = "ecom_order_shipped_refund_reason_"
_ARRIVED = "ecom_order_delivered_refund_reason_"

# fmt: off
REASONS = {
    reason.code: reason
    for reason in (
        #       code                     label                                class                         order states fault     evidence external name
        Reason("wont_arrive_on_time",   "It won't arrive on time",            ReasonClass.LATE,             ON_ITS_WAY,  _CARRIER, _NONE,  _SHIPPED + "not_arrive_on_time"),
        Reason("not_received",          "The parcel was not received",        ReasonClass.NOT_RECEIVED,     DELIVERED,   _CARRIER, _NONE,  _ARRIVED + "not_received"),
        Reason("missed_delivery_date",  "The delivery date was missed",       ReasonClass.LATE,             DELIVERED,   _CARRIER, _NONE,  _ARRIVED + "missed_delivery_date"),
        Reason("not_as_described",      "It does not match the description",  ReasonClass.NOT_AS_DESCRIBED, DELIVERED,   _SELLER,  _PHOTO, _ARRIVED + "not_match"),
        Reason("wrong_item",            "The wrong item came",                ReasonClass.WRONG_ITEM,       DELIVERED,   _SELLER,  _PHOTO, _ARRIVED + "wrong_product"),
        Reason("missing_item",          "Items or parts are missing",         ReasonClass.MISSING,          DELIVERED,   _SELLER,  _PHOTO, _ARRIVED + "missing_product"),
        Reason("damaged",               "It came damaged",                    ReasonClass.DAMAGED,          DELIVERED,   _SELLER,  _SEEN,  _ARRIVED + "damaged"),
        Reason("defective",             "It is defective or does not work",   ReasonClass.DEFECTIVE,        DELIVERED,   _SELLER,  _SEEN,  _ARRIVED + "defective"),
        Reason("counterfeit",           "It seems to be counterfeit",         ReasonClass.COUNTERFEIT,      DELIVERED,   _SELLER,  _PHOTO, "buyer_refund_suspected_counterfeit"),
        Reason("no_longer_needed",      "It is no longer needed",             ReasonClass.CHANGE_OF_MIND,   DELIVERED,   _BUYER,   _PHOTO, "ecom_order_delivered_refund_and_return_reason_no_need"),
        Reason("wrong_size",            "It does not fit",                    ReasonClass.FIT,              DELIVERED,   None,     _NONE),
        Reason("wants_other_variation", "Another variation is wanted",        ReasonClass.FIT,              DELIVERED,   None,     _NONE),
        Reason("other",                 "Another reason",                     ReasonClass.OTHER,            DELIVERED,   None,     _NONE,  _ARRIVED + "other", note=True),
    )
}

REJECT_CODES = {
    code.code: code
    for code in (
        #           code                             label                                              review         evidence        order states
        RejectCode("reason_not_valid",              "The buyer's reason does not hold",                 Review.FIRST,  _PHOTO_OR_CHAT),
        RejectCode("need_return_and_refund",        "The goods must come back first",                   Review.FIRST,  _NONE,          DELIVERED),
        RejectCode("item_correct",                  "The right item was sent",                          Review.FIRST,  _PHOTO),
        RejectCode("sent_separately",               "The rest comes in another parcel",                 Review.FIRST,  _TRACKING),
        RejectCode("wrong_address_buyer",           "The buyer gave a wrong address",                   Review.FIRST,  _PHOTO_OR_CHAT, DELIVERED),
        RejectCode("cannot_change_address",         "The address can no longer be changed",             Review.FIRST,  _NONE,          ON_ITS_WAY),
        RejectCode("on_schedule_or_not_recallable", "It is on schedule, or cannot be called back",      Review.FIRST,  _TRACKING,      ON_ITS_WAY),
        RejectCode("agreed_with_buyer",             "Agreed otherwise with the buyer",                  Review.FIRST,  _CHAT),
        RejectCode("unclear_or_no_evidence",        "The reason is unclear or nothing shows it",        Review.FIRST),
        RejectCode("works_well",                    "It works, or was used wrongly",                    Review.FIRST,  _SEEN),
        RejectCode("not_eligible_used",             "The goods were used and cannot be sold again",     Review.FIRST,  _PHOTO,         for_change_of_mind=True),
        RejectCode("change_of_mind_not_allowed",    "A change of mind is not accepted for these goods", Review.FIRST,  for_change_of_mind=True),
        RejectCode("exchange_out_of_stock",         "The wanted variation is out of stock",             Review.FIRST),
        RejectCode("pkg_not_ours",                  "What came back was not sold by us",                Review.SECOND, _SEEN),
        RejectCode("pkg_not_received",              "Nothing came back",                                Review.SECOND, _TRACKING),
        RejectCode("pkg_damaged_used",              "What came back is damaged or used",                Review.SECOND, _SEEN,          for_change_of_mind=True),
        RejectCode("pkg_parts_missing",             "What came back is not complete",                   Review.SECOND, _SEEN,          for_change_of_mind=True),
    )
}
# fmt: on


def reasons(*codes: str) -> dict[str, Reason]:
    """These reasons of section 8, in this order."""
    return {code: REASONS[code] for code in codes}


def reject_codes(*codes: str) -> dict[str, RejectCode]:
    """These reject codes of section 8, in this order."""
    return {code: REJECT_CODES[code] for code in codes}
