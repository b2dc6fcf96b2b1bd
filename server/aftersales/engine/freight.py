"""Who pays for a request's journeys, as its own facts decide it (section 10 of the model)."""

from .costs import Bearers, bearers
from .kind import Kind
from .reasons import REASONS
from .request import Request
from .stages import AWAITING_BUYER_SHIP, AWAITING_SELLER_SHIP
from .vocabulary import ReturnMethod


def who_pays(request: Request, kind: Kind, method: ReturnMethod | None = None) -> Bearers:
    """The row of the cost table for this request.

    Args:
        method: how the goods come back, if not as the request says so far.
    """
    # a request that an offer made one of this kind may have a reason that the kind itself does not take
    reason, stages = kind.reasons.get(request.reason) or REASONS.get(request.reason), kind.process.stages
    return bearers(
        returns=AWAITING_BUYER_SHIP.name in stages,
        outbound=AWAITING_SELLER_SHIP.name in stages,
        fault=request.fault,
        reason=reason.kind if reason else None,
        method=method or request.return_method,
    )
