"""Carriers tell what they saw of parcels: each scan judged for itself, each with a key of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry

from ..engine import refusal
from ..engine.permissions import may
from ..marketplace import scans
from ..marketplace.scans import Scan, ScanEvent, Scanned, ScanOutcome
from ..store.keys import Key
from . import types
from .context import Context, Info
from .enums import ShipmentLeg
from .inputs import MutationInput, fingerprint
from .keys import at_most, key_of, unfit_call
from .problems import Problem, told

MOST_SCANS = 100

strawberry.enum(ScanEvent, name="CarrierScanEvent", description="What a carrier saw of a parcel.")
strawberry.enum(
    ScanOutcome, name="CarrierScanOutcome", description="KNOWN: the request knew already, and nothing was done again."
)


@strawberry.input(
    description="What was seen of a parcel: the one with this number or, where the number is not known yet, the one of "
    "this request on this leg."
)
class CarrierScanInput:
    event: ScanEvent = strawberry.field(description="What was seen.")
    carrier: str = strawberry.field(description="Who saw it.")
    tracking_number: str | None = strawberry.field(default=None, description="The carrier's number for the parcel.")
    request_id: strawberry.ID | None = strawberry.field(default=None, description="With `leg`: whose parcel it is.")
    leg: ShipmentLeg | None = strawberry.field(default=None, description="With `requestId`: which way the parcel goes.")
    at: datetime | None = strawberry.field(
        default=None, description="When it was seen, if within the last hour; told later, it counts from then."
    )


@strawberry.input(description="Scans of many parcels.")
class CarrierReportInput(MutationInput):
    scans: list[CarrierScanInput] = strawberry.field(description="At most 100, done in this order.")


@strawberry.type(description="What became of one scan.")
class CarrierScanResult:
    index: int = strawberry.field(description="Of the scan in `input.scans`.")
    outcome: ScanOutcome = strawberry.field(description="Whether it did anything.")
    request: types.Request | None = strawberry.field(description="The request as it is now, where one was found.")
    problems: list[Problem] = strawberry.field(description="Why it was refused.")


@strawberry.type(
    description="A refused scan changes nothing and does not stop the others. `problems` are of the whole call."
)
class CarrierReportPayload:
    results: list[CarrierScanResult] = strawberry.field(description="One for each scan, in their order.")
    problems: list[Problem] = strawberry.field(description="What is wrong with the whole call.")
    replayed: bool = strawberry.field(description="True when all that was done had been done before for the same key.")


async def report_scans(info: Info, input: CarrierReportInput) -> CarrierReportPayload:
    context, whole = info.context, key_of(info, input)
    denied = tuple(may(context.actor, "carrierReport"))
    if problems := (*denied, *unfit_call(input), *at_most(MOST_SCANS, input.scans, "scans")):
        return CarrierReportPayload(results=[], problems=await told(context, problems, None), replayed=False)
    scanned = []
    for index, scan in enumerate(input.scans):
        # a key of its own: mend the bad rows and send all again, and the good ones are not done twice
        key = Key(whole.scope, f"{whole.key}:{index}", fingerprint(scan))
        scanned.append(await scans.report(context.desk, context.actor, scan_of(scan), key))
    context.forget()
    done = [one for one in scanned if one.outcome is ScanOutcome.DONE]
    return CarrierReportPayload(
        results=[await _result(context, index, one) for index, one in enumerate(scanned)],
        problems=[],
        replayed=bool(done) and all(one.replayed for one in done),
    )


def scan_of(input: CarrierScanInput) -> Scan:
    return Scan(
        input.event,
        input.carrier.strip(),
        input.tracking_number.strip() if input.tracking_number is not None else None,
        str(input.request_id) if input.request_id is not None else None,
        input.leg,
        input.at,
    )


async def _result(context: Context, index: int, scanned: Scanned) -> CarrierScanResult:
    request = scanned.request
    return CarrierScanResult(
        index=index,
        outcome=scanned.outcome,
        request=types.request(context, request) if request else None,
        problems=await told(context, _below(f"scans.{index}", scanned.problems), request),
    )


def _below(path: str, problems: Iterable[refusal.Problem]) -> Iterable[refusal.Problem]:
    """The same problems, seen from the whole input."""
    for problem in problems:
        where = problem.field if problem.field == "idempotencyKey" else f"{path}.{problem.field}".removesuffix(".")
        yield refusal.Problem(problem.code, problem.message, where, guard=problem.guard, **problem.facts)
