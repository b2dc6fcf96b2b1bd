"""All that a plugin may import. Nothing else of `aftersales` is promised to stay."""

from .engine.approvals import approve, grant
from .engine.guards import (
    RejectReasonFits,
    amount_within_max,
    not_frozen,
    not_speedy,
    note_given,
    note_short,
    return_address_known,
)
from .engine.legs import back, out
from .engine.money import Money
from .engine.offers import MENDED_BY_SENDING, OfferRule, after_receiving
from .engine.process import Transition
from .engine.reasons import Reason, ReasonClass, RejectCode, Review, reasons, reject_codes
from .engine.refusal import Problem
from .engine.request import Attempt, Change, Request, RequestLine
from .engine.speedy import speedy_refund
from .engine.stages import (
    AWAITING_BUYER_SHIP,
    AWAITING_SELLER_SHIP,
    CANCELED,
    CLOSED,
    COMPLETED,
    PENDING_INSPECTION,
    PENDING_REVIEW,
    REFUNDING,
    REJECTED,
    expiry,
)
from .engine.stock import in_stock
from .engine.vocabulary import (
    DELIVERED,
    ON_ITS_WAY,
    ApprovedBy,
    Claim,
    ClaimLine,
    CloseReason,
    EvidenceKind,
    OfferKind,
    OrderState,
    Party,
    ReturnMethod,
    Shop,
    Stage,
    Status,
    Variation,
)
from .graphql.context import Info
from .graphql.doors import RequestPayload, act, open_request
from .graphql.inputs import ClaimLineInput, DecisionInput, MoneyInput, OpenInput, WantedInput, wanted
from .graphql.types import RequestDetails
from .hookspecs import Payment, PaymentOutcome, RefundGateway, Stock, hookimpl
from .registry import API_VERSION
from .request_type import RequestType

__all__ = [
    "API_VERSION",
    "AWAITING_BUYER_SHIP",
    "AWAITING_SELLER_SHIP",
    "CANCELED",
    "CLOSED",
    "COMPLETED",
    "DELIVERED",
    "MENDED_BY_SENDING",
    "ON_ITS_WAY",
    "PENDING_INSPECTION",
    "PENDING_REVIEW",
    "REFUNDING",
    "REJECTED",
    "ApprovedBy",
    "Attempt",
    "Change",
    "Claim",
    "ClaimLine",
    "ClaimLineInput",
    "CloseReason",
    "DecisionInput",
    "EvidenceKind",
    "Info",
    "Money",
    "MoneyInput",
    "OfferKind",
    "OfferRule",
    "OpenInput",
    "OrderState",
    "Party",
    "Payment",
    "PaymentOutcome",
    "Problem",
    "Reason",
    "ReasonClass",
    "RefundGateway",
    "RejectCode",
    "RejectReasonFits",
    "Request",
    "RequestDetails",
    "RequestLine",
    "RequestPayload",
    "RequestType",
    "ReturnMethod",
    "Review",
    "Shop",
    "Stage",
    "Status",
    "Stock",
    "Transition",
    "Variation",
    "WantedInput",
    "act",
    "after_receiving",
    "amount_within_max",
    "approve",
    "back",
    "expiry",
    "grant",
    "hookimpl",
    "in_stock",
    "not_frozen",
    "not_speedy",
    "note_given",
    "note_short",
    "open_request",
    "out",
    "reasons",
    "reject_codes",
    "return_address_known",
    "speedy_refund",
    "wanted",
]
