"""The messages of graphql-transport-ws that we may hear, checked before anyone acts on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Message as Event
from starlette.types import Scope

from .params import Params, from_mapping, loaded
from .refusal import Turned

NOTHING = Params("")
WITH_PAYLOAD = frozenset({"connection_init", "ping", "pong"})
LONGEST_ID = 256


class Ended(Exception):
    """The socket must be closed, with this code and this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    type: str
    id: str = ""
    payload: Mapping[str, Any] | None = None
    params: Params = NOTHING


def heard(event: Event, most_bytes: int) -> Message:
    """
    Raises:
        Ended: 4400 for what is not a message, 1009 for one that is too long.
    """
    text = event.get("text")
    if not isinstance(text, str):
        raise Ended(4400, "Messages are text, not binary")
    if len(text) > most_bytes:
        raise Ended(1009, f"A message has at most {most_bytes} bytes")
    try:
        return message(loaded(text, "Messages are JSON"), len(text))
    except Turned as no:
        raise Ended(4400, str(no)) from None


def message(fields: object, size: int) -> Message:
    if not isinstance(fields, dict):
        raise Ended(4400, "A message is an object")
    match fields.get("type"):
        case str(type) if type in WITH_PAYLOAD:
            return Message(type, payload=optional_object(fields.get("payload")))
        case "subscribe":
            return Message("subscribe", identity(fields), params=from_mapping(fields.get("payload"), size))
        case "complete":
            return Message("complete", identity(fields))
    raise Ended(4400, "No such type of message")


def identity(fields: Mapping[str, Any]) -> str:
    id = fields.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise Ended(4400, f"`id` must be a text of 1 to {LONGEST_ID} characters")
    return id


def optional_object(payload: object) -> Mapping[str, Any] | None:
    if payload is None or isinstance(payload, dict):
        return payload
    raise Ended(4400, "`payload` must be an object")


def authorization(payload: Mapping[str, Any], scope: Scope) -> str | None:
    """What `connection_init` brings, else the header of the handshake, which browsers cannot set."""
    given = payload.get("authorization", payload.get("Authorization"))
    if given is None:
        header = dict(scope["headers"]).get(b"authorization")
        return header.decode("latin-1") if header else None
    if not isinstance(given, str):
        raise Ended(4400, "`authorization` must be a text")
    return given
