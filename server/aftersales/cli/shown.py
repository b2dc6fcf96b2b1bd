"""What a server would be, printed: its schema, its processes, its plugins."""

from argparse import Namespace

from ..engine.diagram import diagram
from ..engine.machines import MACHINES
from ..graphql.published import sdl
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
