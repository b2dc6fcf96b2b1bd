"""The rows of one request: itself, its lines, clocks, evidence and five events; and its refund, if it has ended."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from aftersales.engine.stages import AWAITING_BUYER_SHIP, COMPLETED, PENDING_INSPECTION, PENDING_REVIEW, REJECTED
from aftersales.engine.vocabulary import Stage
from aftersales.store.columns import NEVER

from .rows import HOUR, Row

# Where a refund only waits, and where the returns stand in turn; with the clock that runs there, and whose it is.
REVIEW = (PENDING_REVIEW, "review.first", "SELLER")
ELSEWHERE = (
    (AWAITING_BUYER_SHIP, "ship_back.drop_off", "BUYER"),
    (PENDING_INSPECTION, "inspect.tracked", "SELLER"),
    (REJECTED, "rejection.followup", "BUYER"),
    (COMPLETED, None, None),
)
WARN_BEFORE = "[86400,21600,3600]"
WAITING = ("RequestCreated", "DeadlineStarted", "DeadlineWarning", "DeadlineWarning", "DeadlineWarning")
MOVED_ON = ("RequestCreated", "DeadlineStarted", "RequestApproved", "RequestStatusChanged", "DeadlineMet")
EVENTS = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """
    Args:
        turn: which of its shop's it is, from 0.
        lines: those of the order, claimed whole.
        created, due: in microseconds.
    """

    hex: str
    number: str
    shop: str
    market: str
    currency: str
    order: str
    order_number: str
    buyer: str
    kind: str
    turn: int
    terms: str
    note: str
    lines: tuple[Row, ...]
    created: int
    due: int

    @property
    def id(self) -> str:
        return f"rq_{self.hex}"

    @property
    def stands(self) -> tuple[Stage, str | None, str | None]:
        return REVIEW if self.kind == "refund_only" else ELSEWHERE[self.turn // 2 % len(ELSEWHERE)]

    @property
    def version(self) -> int:
        return 1 if self.kind == "refund_only" else 3

    @property
    def ended(self) -> bool:
        return self.stands[0] is COMPLETED

    @property
    def shares(self) -> list[int]:
        return [line[9] * line[10] for line in self.lines]

    @property
    def worth(self) -> int:
        return sum(self.shares)


def claim(of: Claim) -> Iterator[tuple[str, Row]]:
    yield "requests", request(of)
    for line, share in zip(of.lines, of.shares, strict=True):
        granted = share if of.ended else None
        yield "request_lines", (f"rl_{of.hex}_{line[2]}", of.id, line[2], line[0], line[9], share, granted)
    yield from (("deadlines", row) for row in deadlines(of))
    yield from (("events", row) for row in events(of))
    if of.ended:
        yield "refunds", refund(of)
    yield "evidence", evidence(of)
    yield "request_evidence", (of.id, f"ed_{of.hex}", 0, None)


def request(of: Claim) -> Row:
    stage, clock, owner = of.stands
    alone = of.kind == "refund_only"
    reason, fault, method = ("not_received", "CARRIER", None) if alone else ("damaged", "SELLER", "DROP_OFF")
    granted, approved_by = (of.worth, "SELLER") if of.ended else (None, None)
    words = [of.number, of.order_number, *(line[6] for line in of.lines), of.note]
    return (
        of.id, of.number, of.shop, of.market, of.order, of.buyer, of.kind, of.kind, stage.name, stage.label,
        stage.status.value, of.version, 1, 0, 0, reason, of.note, fault, method, of.worth, granted, granted, "[]",
        approved_by, None, of.created + 9 * HOUR if of.ended else None, None, "NONE", "NOT_AVAILABLE", None, None, "{}",
        of.terms, owner, of.due if clock else NEVER, of.created, of.created + 5 * HOUR, EVENTS, " ".join(words).lower(),
    )  # fmt: skip


def deadlines(of: Claim) -> Iterator[Row]:
    _, clock, owner = of.stands
    first = clock == "review.first"
    if not first:
        yield (
            f"dl_{of.hex}_1_0", of.id, 0, "review.first", "SELLER", of.created, of.created + 48 * HOUR, None, "MET",
            WARN_BEFORE, None, None,
        )  # fmt: skip
    if clock:
        yield (
            f"dl_{of.hex}_{of.version}_0", of.id, 0 if first else 1, clock, owner, of.created, of.due, None, "RUNNING",
            WARN_BEFORE, of.due - HOUR, None,
        )  # fmt: skip


def refund(of: Claim) -> Row:
    shares = [[line[0], share] for line, share in zip(of.lines, of.shares, strict=True)]
    return (
        f"rf_{of.hex}_2_0", of.id, of.order, of.shop, 0, of.worth, of.currency, "SELLER", "PAID",
        orjson.dumps(shares).decode(), of.created + 5 * HOUR, of.created + 9 * HOUR, 0, None, None, None,
    )  # fmt: skip


def evidence(of: Claim) -> Row:
    return (
        f"ed_{of.hex}", of.id, of.buyer, "BUYER", "PHOTO", "SUBMITTED", f"https://files.example/{of.hex}.jpg",
        "image/jpeg", 220_000, "0" * 64, "", of.created, of.created, None, None, None, None,
    )  # fmt: skip


def events(of: Claim) -> Iterator[Row]:
    """Of what the buyer did first, and of what came of it."""
    stage, clock, _ = of.stands
    for index, type in enumerate(WAITING if stage is PENDING_REVIEW else MOVED_ON):
        at, place = of.created + index * HOUR, of.turn * EVENTS + index + 1
        by, action, version = (
            (("BUYER", of.buyer), "open", 1) if index < 2 else (("SYSTEM", "system"), "warn", of.version)
        )
        rule, source, note = ("C1", None, of.note) if index == 0 else ("", PENDING_REVIEW.name, "")
        data = {"reason": "not_received"} if index == 0 else {"key": clock or "review.first", "owedBy": "SELLER"}
        yield (
            None, of.shop, place, of.id, index + 1, version, type, rule, at, at, *by, "board 1", action, source,
            stage.name, note, orjson.dumps(data).decode(), None, None,
        )  # fmt: skip
