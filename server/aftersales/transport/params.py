"""The parameters of a GraphQL request, out of JSON or a query string, strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .refusal import Turned

LONGEST_ID = 256


@dataclass(frozen=True, slots=True)
class Params:
    """
    Args:
        query: the document; None where `document_id` stands for it.
        size: of the whole request in bytes or characters, as it came.
        document_id: as `documentId`, or in `extensions.persistedQuery` as Apollo's clients write it.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    document_id: str | None = None
    size: int = 0


def from_json(body: bytes | str) -> Params:
    """
    Raises:
        Turned: 400 JSON_INVALID or PARAMETERS_INVALID.
    """
    return from_mapping(loaded(body, "The body is not JSON in UTF-8."), len(body))


def from_mapping(fields: object, size: int = 0) -> Params:
    """Unknown names are ignored, as the specification asks. A list would be a batch: not offered."""
    if not isinstance(fields, dict):
        raise unfit("Send one object with `query`; batches are not taken.")
    query, name = fields.get("query"), fields.get("operationName")
    variables, extensions = fields.get("variables"), fields.get("extensions")
    id = document_id(fields)
    if not isinstance(query, str) and (query is not None or id is None):
        raise unfit("`query` must be a text.")
    if name is not None and not isinstance(name, str):
        raise unfit("`operationName` must be a text or null.")
    if variables is not None and not isinstance(variables, dict):
        raise unfit("`variables` must be an object or null.")
    if extensions is not None and not isinstance(extensions, dict):
        raise unfit("`extensions` must be an object or null.")
    return Params(query, name, variables, id, size)


def document_id(fields: Mapping[str, Any]) -> str | None:
    id, extensions = fields.get("documentId"), fields.get("extensions")
    if id is None and isinstance(extensions, dict) and isinstance(persisted := extensions.get("persistedQuery"), dict):
        id = persisted.get("sha256Hash")
    if id is not None and not (isinstance(id, str) and 0 < len(id) <= LONGEST_ID):
        raise unfit(f"`documentId` must be a text of 1 to {LONGEST_ID} characters.")
    return id


def from_query_string(raw: bytes) -> Params:
    """
    Raises:
        Turned: 400 JSON_INVALID or PARAMETERS_INVALID.
    """
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise unfit("The query string is not UTF-8, percent-encoded, of at most 20 parameters.") from None
    given = dict(pairs)
    if len(given) < len(pairs):
        raise unfit("A parameter of the query string is there twice.")
    fields: dict[str, object] = {**given, "operationName": given.get("operationName") or None}
    for name in ("variables", "extensions"):
        if name in given:
            fields[name] = loaded(given[name], f"`{name}` is not JSON.")
    return from_mapping(fields, len(raw))


def loaded(text: bytes | str, message: str) -> object:
    # orjson refuses what would hurt later: invalid UTF-8, lone surrogates, NaN, nesting without end
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Turned(400, "JSON_INVALID", message) from None


def unfit(message: str) -> Turned:
    return Turned(400, "PARAMETERS_INVALID", message)
