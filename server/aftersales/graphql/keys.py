"""Mutations that are not about one request: their idempotency keys, and the form of the call around its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ..engine.refusal import Problem
from ..store.keys import Key
from .context import Info
from .inputs import MutationInput, fingerprint, unfit


def key_of(info: Info, input: MutationInput) -> Key:
    """Nobody else's, and good for this mutation only."""
    actor = info.context.actor
    return Key(f"{actor.party.title}:{actor.id}:{info.field_name}", input.idempotency_key, fingerprint(input))


def reused(first_used_at: datetime) -> Problem:
    return Problem(
        "KEY_REUSED", "This key was used with another input at {used}. Make a new key.", "idempotencyKey",
        used=first_used_at.isoformat(), first_used_at=first_used_at,
    )  # fmt: skip


def unfit_call(input: MutationInput) -> Iterator[Problem]:
    """What is wrong with the key; the rows answer for themselves."""
    return unfit(MutationInput(idempotency_key=input.idempotency_key))


def at_most(limit: int, rows: Sequence[object], field: str) -> Iterator[Problem]:
    if len(rows) > limit:
        yield Problem("INVALID_INPUT", "Give at most {limit} of them.", field, guard="G_INPUT", limit=limit)
