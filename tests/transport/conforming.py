"""Whether an answer is one at all: what GraphQL and our own contract say of any answer, whatever was asked."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from graphql import (
    REMOVE,
    DocumentNode,
    FieldNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    build_schema,
    execute_sync,
    parse,
    print_ast,
    visit,
)

from aftersales.graphql.schema import build_schema as built
from aftersales.reference.documents import BUILT_IN
from aftersales.registry import Registry

CODE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
TYPENAME = FieldNode(name=NameNode(value="__typename"))


def served() -> GraphQLSchema:
    """What the code serves, read back from its SDL."""
    return build_schema(built(Registry.installed(BUILT_IN)).as_str())


def telling(document: str) -> str:
    """The same document, asking besides of every object what type it is of: then its shape can be judged."""
    return print_ast(visit(parse(document), _Telling()))


def faults(document: str, answer: Any) -> Iterator[str]:
    """Everything that is wrong with the answer to a document that `telling` made."""
    if not isinstance(answer, dict) or not answer.keys() <= {"data", "errors", "extensions"}:
        yield f"no answer: {str(answer)[:200]}"
        return
    data, errors = answer.get("data"), answer.get("errors", [])
    if data is None and not errors:
        yield "neither data nor errors"
    if "errors" in answer and not errors:
        yield "a list of errors without any"
    for error in errors:
        code = error.get("extensions", {}).get("code")
        if not isinstance(code, str) or not CODE.fullmatch(code):
            yield f"an error without a code: {error}"
        if code == "INTERNAL" or not error.get("message"):
            yield f"a fault of ours: {error}"
        if "path" in error and not _ends_in_null(data, error["path"]):
            yield f"an error at what is there all the same: {error}"
    if data is not None:
        yield from _misshapen(document, data)


def _ends_in_null(data: Any, path: list[str | int]) -> bool:
    """At the path or above, as far as null had to climb."""
    for key in path:
        if data is None:
            return True
        data = data[key]
    return data is None


def _misshapen(document: str, data: Any) -> Iterator[str]:
    """graphql-core is the judge: it asks the same of the answer itself."""
    told = execute_sync(_judging(), _bare(document), data, field_resolver=_found, type_resolver=_type)
    for error in told.errors or ():
        yield f"not as the schema has it, at {error.path}: {error.message}"
    # compared as text, for to Python 1 and 1.0 and True are the same
    if not told.errors and json.dumps(told.data, sort_keys=True) != json.dumps(data, sort_keys=True):
        yield f"something else than was asked: {data}"


@cache
def _judging() -> GraphQLSchema:
    """With scalars that know how they look, and without arguments, which say nothing of a shape."""
    schema = served()
    looks = {"DateTime": _instant, "Decimal": _decimal, "Cursor": _text, "URL": _text}
    for type in schema.type_map.values():
        # those of introspection are every schema's
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__"):
            for field in type.fields.values():
                field.args = {}
        if isinstance(type, GraphQLScalarType) and type.name in looks:
            type.coerce_output_value = looks[type.name]
    return schema


@cache
def _bare(document: str) -> DocumentNode:
    bare: DocumentNode = visit(parse(document), _Bare())
    return bare


def _found(source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    return source[str(info.path.key)]


def _type(value: Mapping[str, Any], *_: Any) -> str:
    return str(value["__typename"])


def _instant(value: object) -> str:
    text = _text(value)
    if datetime.fromisoformat(text).utcoffset() != timedelta(0):
        raise ValueError(f"{text} is not in UTC")
    return text


def _decimal(value: object) -> str:
    text = _text(value)
    if not DECIMAL.fullmatch(text):
        raise ValueError(f"{text} is no decimal")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


class _Bare(Visitor):
    def enter_variable_definition(self, *_: Any) -> Any:
        return REMOVE

    def enter_argument(self, *_: Any) -> Any:
        return REMOVE


class _Telling(Visitor):
    def leave_selection_set(self, node: SelectionSetNode, key: Any, parent: Any, *_: Any) -> SelectionSetNode | None:
        if isinstance(parent, OperationDefinitionNode):
            return None  # a subscription may ask for one thing only
        return SelectionSetNode(selections=(TYPENAME, *node.selections))
