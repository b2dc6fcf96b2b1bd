"""What may be wanted instead: another variation of the same product, in stock, for no more than was paid (G_EX)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aftersales.plugin import Claim, ClaimLine, Problem, RequestLine


def wants(lines: Sequence[ClaimLine | RequestLine], details: Mapping[str, Any]) -> Mapping[str, int]:
    """The units that will be sent, by SKU: as many of each as come back."""
    chosen = {each["orderLineId"]: each["skuId"] for each in details.get("wanted", ())}
    units: Counter[str] = Counter()
    for line in lines:
        if line.order_line_id in chosen:
            units[chosen[line.order_line_id]] += line.quantity
    return units


def validate(claim: Claim) -> Iterator[Problem]:
    """G_EX: one wanted variation for each line, and each of them one that can be had."""
    wanted = list(claim.details.get("wanted", ()))
    claimed = [line.order_line_id for line in claim.lines]
    if sorted(each["orderLineId"] for each in wanted) != sorted(claimed):
        yield _no("INVALID_INPUT", "Name one wanted variation for each line that is claimed.", "wanted")
    units = wants(claim.lines, claim.details)
    for index, each in enumerate(wanted):
        if each["orderLineId"] in claimed:
            yield from _to_be_had(claim, each, f"wanted.{index}.skuId", units)


def _to_be_had(claim: Claim, each: Mapping[str, str], path: str, units: Mapping[str, int]) -> Iterator[Problem]:
    bought, there = claim.order.line(each["orderLineId"]), claim.variations.get(each["skuId"])
    if bought is None:
        return
    if there is None:
        yield _no("NOT_FOUND", "The shop has no such variation.", path)
        return
    if there.sku_id == bought.sku_id or there.product_id != bought.product_id:
        yield _no("INELIGIBLE", "Choose another variation of the same product.", path)
    if there.price.currency != bought.unit_paid.currency or there.price > bought.unit_paid:
        yield _no("INELIGIBLE", "Choose one that costs no more than {paid}.", path, paid=bought.unit_paid)
    if there.available < units[there.sku_id]:
        yield _no("INELIGIBLE", "This variation is out of stock.", path)


def _no(code: str, message: str, path: str, **facts: Any) -> Problem:
    return Problem(code, message, path, guard="G_EX", **facts)
