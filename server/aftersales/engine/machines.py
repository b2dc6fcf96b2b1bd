"""The two small machines beside a request: its latest dispute, and its appeal. Each is a process like a kind's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .appeal import APPEAL
from .cases import MIRROR
from .dispute import DISPUTE
from .process import Process
from .request import Request


@dataclass(frozen=True, slots=True)
class Machine:
    """
    Args:
        begins: the act that opens it, and its rule.
        case: the record it moves, if the request has one.
        put: the request with that record in place of the one it had.
    """

    process: Process
    begins: str
    case: Callable[[Request], Any]
    put: Callable[[Request, Any], Request]


MACHINES: Mapping[str, Machine] = {
    "dispute": Machine(
        DISPUTE,
        "dispute_open (C9)",
        lambda request: request.dispute,
        lambda request, dispute: replace(request, disputes=(*request.disputes[:-1], dispute)),
    ),
    "appeal": Machine(
        APPEAL,
        "a ground holds (AP1)",
        lambda request: request.appeal,
        lambda request, appeal: replace(request, appeal=appeal),
    ),
}


def mirrored(request: Request) -> Request:
    """What lists filter by says the same as the dispute and the appeal."""
    dispute = MIRROR[request.dispute.stage.name] if request.dispute else request.dispute_status
    appeal = request.appeal.stage.name if request.appeal else request.appeal_status
    if (dispute, appeal) == (request.dispute_status, request.appeal_status):
        return request
    return replace(request, dispute_status=dispute, appeal_status=appeal)
