"""The doors as routes of a Starlette application."""

from starlette.routing import BaseRoute, Route, WebSocketRoute

from .auth import Authenticate
from .gate import Gate
from .http import GraphQLOverHTTP
from .page import Page
from .websocket import GraphQLOverWebSocket


def routes(gate: Gate, authenticate: Authenticate, page: Page | None = None) -> list[BaseRoute]:
    """Exactly one path for everything. `Mount` would redirect, which a POST does not survive."""
    path = gate.settings.path
    return [
        Route(path, GraphQLOverHTTP(gate, authenticate, page)),
        WebSocketRoute(path, GraphQLOverWebSocket(gate, authenticate)),
        *([Route(f"{page.folder}/{{name:path}}", page)] if page else []),
    ]
