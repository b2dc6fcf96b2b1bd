"""When the platform's enforcement refunds: the shop was closed, or all that is claimed was taken down (RO3)."""

from collections.abc import Iterator

from aftersales.plugin import Problem, Request


def enforcement_holds(request: Request) -> Iterator[Problem]:
    """RO3: the market refunds so, and the shop or the products are gone."""
    lines = [request.order.line(line.order_line_id) for line in request.lines]
    gone = not request.order.shop.open or all(line is not None and line.taken_down for line in lines)
    if not gone or not request.terms.flag("enforcement.auto_refund"):
        yield Problem("INVALID_STATE", "Neither the shop nor the products were taken down.", guard="G_ENFORCED")


def was_enforced(request: Request) -> Iterator[Problem]:
    """RO3: it was enforcement that refunded, and nobody has revoked it before."""
    if "enforced" not in request.tags or request.appeal is not None:
        yield Problem("INVALID_STATE", "No enforcement of this request can be revoked.", guard="G_ENFORCED")
