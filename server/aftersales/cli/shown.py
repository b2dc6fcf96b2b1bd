"""What a server would be, printed: its schema, its processes, its plugins."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from ..asgi import limits
from ..engine.diagram import diagram
from ..engine.machines import MACHINES
from ..graphql.documents import DocumentLimits
from ..graphql.operations import Operations
from ..graphql.published import sdl
from ..graphql.schema import build_schema
from ..graphql.trusted import faults, manifest
from ..registry import Registry
from ..running import policies_of, registry_of
from ..settings import CannotStart, Settings


def schema(args: Namespace, settings: Settings) -> int:
    registry = Registry([]) if args.core else _registry(settings)
    print(sdl(registry), end="")
    return 0


def picture(args: Namespace, settings: Settings) -> int:
    kinds = _registry(settings).kinds
    if machine := MACHINES.get(args.kind):
        print(diagram(machine.process, machine.begins), end="")
    elif args.kind in kinds:
        print(diagram(kinds[args.kind].process), end="")
    else:
        known = ", ".join((*sorted(kinds), *MACHINES))
        raise CannotStart(f"There is no process {args.kind}. There are: {known}.")
    return 0


def documents(args: Namespace, settings: Settings) -> int:
    """A manifest of trusted documents, out of files that a front end has."""
    schema = build_schema(_registry(settings))
    known = Operations(schema, limits(DocumentLimits, "document_", settings)).documents
    texts = {str(path): _text(path) for path in _documents(args.files)}
    if objections := list(faults(texts, known)):
        raise CannotStart("\n".join(objections))
    print(json.dumps(manifest(texts.values()), indent=2, ensure_ascii=False))
    return 0


def _documents(given: list[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from sorted(path.rglob("*.graphql"))
        else:
            yield path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CannotStart(f"{path} cannot be read: {error}.") from None


def plugins(args: Namespace, settings: Settings) -> int:
    found = _registry(settings).plugins
    for plugin in found:
        kinds = ", ".join(f"{type.name} (API {type.api})" for type in plugin.types)
        print(f"{plugin.name} {plugin.version}: {kinds or 'no kind of its own'}")
    if not found:
        print("No plugin is installed.")
    return 0


def _registry(settings: Settings) -> Registry:
    return registry_of(settings, policies_of(settings))
