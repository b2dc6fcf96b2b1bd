"""Who pays for the legs of a request, as rows (section 10 of the model); the first that fits decides."""

from dataclasses import dataclass
from enum import Enum

from .reasons import ReasonClass
from .vocabulary import Party, ReturnMethod


class CostKind(Enum):
    RETURN_SHIPPING = "RETURN_SHIPPING"
    OUTBOUND_SHIPPING = "OUTBOUND_SHIPPING"
    BUYER_COUPON = "BUYER_COUPON"
    COMPENSATION = "COMPENSATION"
    FEE = "FEE"


@dataclass(frozen=True, slots=True)
class Extra:
    """A payment beside shipping and refund, from one party to another."""

    kind: CostKind
    payer: Party
    to: Party


@dataclass(frozen=True, slots=True)
class Bearers:
    """Who pays what. None: there is no such leg, or nobody pays.

    Args:
        case: the row of the table that decided.
        metrics: whether the request counts in the seller's figures.
    """

    case: str
    return_leg: Party | None
    outbound_leg: Party | None
    extra: Extra | None = None
    metrics: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One row: when it fits (None: whatever), and then who pays.

    Args:
        fault: any of these; `NOBODY`: only if it is nobody's.
        keeps_goods: the platform refunds and nothing comes back (C16).
    """

    case: str
    returns: bool | None
    outbound: bool | None
    fault: Party | None
    reason: ReasonClass | None
    self_arranged: bool | None
    keeps_goods: bool | None
    pays_return: Party | None
    pays_outbound: Party | None
    extra: Extra | None = None
    metrics: bool = True


NOBODY = Party(0)
ANY = None
_B, _S, _P, _WAY = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.CARRIER | Party.PLATFORM
_CHANGED, _FIT = ReasonClass.CHANGE_OF_MIND, ReasonClass.FIT
# given only after the parcel was accepted (RR13)
_COUPON = Extra(CostKind.BUYER_COUPON, payer=_S, to=_B)
_AMENDS = Extra(CostKind.COMPENSATION, payer=_P, to=_S)

# fmt: off
COSTS = (
    #                                  when it fits                               who pays
    #   case                           back   out   fault   reason    self  keeps back  out   extra
    Row("refund without return",       ANY,   ANY,  ANY,    ANY,      ANY,  True, None, None, _AMENDS),
    Row("reshipment: only out",        False, True, ANY,    ANY,      ANY,  ANY,  None, _S),
    Row("seller's fault, own carrier", ANY,   ANY,  _S,     ANY,      True, ANY,  _B,   _S,   _COUPON),
    Row("seller's fault",              ANY,   ANY,  _S,     ANY,      ANY,  ANY,  _S,   _S),
    Row("fault of the way",            ANY,   ANY,  _WAY,   ANY,      ANY,  ANY,  _P,   _P),
    # out: INF, because a change of mind costs the seller neither leg
    Row("change of mind",              ANY,   ANY,  ANY,    _CHANGED, ANY,  ANY,  _P,   _P,   None, False),
    Row("exchange for fit",            True,  True, ANY,    _FIT,     ANY,  ANY,  _B,   _S),
    # INF: the model has no such row; a change of mind, too, is nobody's fault
    Row("nobody's fault",              ANY,   ANY,  NOBODY, ANY,      ANY,  ANY,  _P,   _S),
    Row("buyer's fault",               ANY,   ANY,  ANY,    ANY,      ANY,  ANY,  _B,   _B),
)
# fmt: on


def bearers(
    *,
    returns: bool,
    outbound: bool,
    fault: Party | None,
    reason: ReasonClass | None,
    method: ReturnMethod | None = None,
    keeps_goods: bool = False,
) -> Bearers:
    """Who pays, for a request with these legs.

    Args:
        returns: the kind has a return leg.
        outbound: the kind has an outbound leg.
        fault: whose fault it is; None: nobody's.
        keeps_goods: refunded by the platform with nothing coming back (C16).
    """
    self_arranged = method is ReturnMethod.SELF_ARRANGED
    facts = (returns, outbound, reason, self_arranged, keeps_goods)
    row = next(row for row in COSTS if _fits(row, fault or NOBODY, facts))
    return Bearers(
        row.case,
        row.pays_return if returns else None,
        row.pays_outbound if outbound else None,
        row.extra,
        row.metrics,
    )


def _fits(row: Row, fault: Party, facts: tuple[object, ...]) -> bool:
    conditions = (row.returns, row.outbound, row.reason, row.self_arranged, row.keeps_goods)
    return _blames(row.fault, fault) and all(
        wanted is None or wanted == fact for wanted, fact in zip(conditions, facts, strict=True)
    )


def _blames(wanted: Party | None, fault: Party) -> bool:
    # every flag contains nobody, hence the question apart
    return wanted is None or wanted == fault or (bool(fault) and fault in wanted)
