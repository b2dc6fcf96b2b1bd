"""The schema in its own language, as the folder `schema/` publishes it and a client developer reads it."""

from ..registry import Registry
from .schema import build_schema


def sdl(registry: Registry) -> str:
    """The SDL of a server with these plugins, ending in one line end.

    Raises:
        PluginConflict: as `build_schema` does.
    """
    return f"{build_schema(registry).as_str()}\n"
