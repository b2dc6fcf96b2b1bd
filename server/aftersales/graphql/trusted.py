"""Trusted documents: those that were agreed on beforehand, from a manifest, asked for by their id.

A manifest is a JSON object of texts by id, or the form that Apollo's tools write. An id of 64 hexadecimal digits, with
or without `sha256:` before it, must be the SHA-256 of its text; any other id, such as Relay's, is taken as it is.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, parse

from .documents import Documents
from .masking import GraphQLErrors, mistake

PREFIX = "sha256:"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadManifest(Exception):
    """Names every fault at once."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class Trusted:
    """
    Args:
        texts: by id.
        only: whether any other document is refused.
    """

    def __init__(self, texts: Mapping[str, str], *, only: bool) -> None:
        self.texts = {bare(id): text for id, text in texts.items()}
        self.known = frozenset(self.texts.values())
        self.only = only

    def text(self, query: str | None, id: str | None) -> str:
        """What shall be run.

        Raises:
            GraphQLErrors: DOCUMENT_UNKNOWN, DOCUMENT_ID_WRONG or DOCUMENT_NOT_TRUSTED.
        """
        text = query if id is None else self._by_id(query, bare(id))
        assert text is not None, "the parameters have one of the two"
        if self.only and text not in self.known:
            raise mistake("Only documents that were agreed on beforehand are run here.", "DOCUMENT_NOT_TRUSTED")
        return text

    def _by_id(self, query: str | None, id: str) -> str:
        if query is None:
            if (text := self.texts.get(id)) is None:
                raise mistake("There is no document of this id here.", "DOCUMENT_UNKNOWN")
            return text
        if query != self.texts.get(id) and id != digest(query):
            raise mistake("The document is not the one of this id.", "DOCUMENT_ID_WRONG")
        return query


NONE = Trusted({}, only=False)


def read_manifest(path: Path) -> dict[str, str]:
    """The texts of a manifest by their ids.

    Raises:
        BadManifest: it cannot be read, or an id is not that of its text.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadManifest([f"{path} is no manifest of documents: {error}."]) from None
    texts = texts_of(given)
    if texts is None:
        raise BadManifest([f"{path} is no manifest of documents: texts by id are wanted, as one JSON object."])
    if faults := [f"{path}: {id} is not the SHA-256 of its document." for id, text in texts.items() if lies(id, text)]:
        raise BadManifest(faults)
    return texts


def texts_of(given: Any) -> dict[str, str] | None:
    operations = given.get("operations") if isinstance(given, dict) else None
    if isinstance(operations, list):
        if not all(isinstance(each, dict) for each in operations):
            return None
        given = {each.get("id"): each.get("body") for each in operations}
    if not isinstance(given, dict) or not all(isinstance(part, str) for pair in given.items() for part in pair):
        return None
    return given


def manifest(texts: Iterable[str]) -> dict[str, str]:
    return {f"{PREFIX}{digest(text)}": text for text in texts}


def faults(texts: Mapping[str, str], documents: Documents) -> Iterator[str]:
    """What cannot be run of them, by the very limits and rules that hold later."""
    for id, text in texts.items():
        try:
            # with no name for a document of one operation, so that a mistake in the text is told as such
            documents.document(text, None)
        except GraphQLErrors as mistakes:
            names = named(text)
            if len(names) < 2:
                yield f"{id}: {mistakes}"
                continue
            # a mistake in one operation is one of the document, and would be told for each
            yield from dict.fromkeys(f"{id}: {no}" for name in names if (no := objection(documents, text, name)))


def objection(documents: Documents, text: str, name: str) -> str:
    try:
        documents.document(text, name)
    except GraphQLErrors as mistakes:
        return str(mistakes)
    return ""


def named(text: str) -> list[str]:
    try:
        tree = parse(text)
    except GraphQLError:
        return []  # told by whoever reads it as a document
    operations = (node for node in tree.definitions if isinstance(node, OperationDefinitionNode))
    return [node.name.value for node in operations if node.name]


def lies(id: str, text: str) -> bool:
    return bool(_HASH.fullmatch(bare(id))) and bare(id) != digest(text)


def bare(id: str) -> str:
    return id.removeprefix(PREFIX)


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
