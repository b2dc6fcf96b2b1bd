"""Who is at the door, as far as the door can tell."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

from .auth import Claims


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Args:
        claims: of a verified token; None for a stranger.
        headers: of the HTTP request or the WebSocket handshake, names in lower case.
        address: of the peer; empty when the server does not know it.
    """

    claims: Claims | None
    headers: Mapping[str, str]
    address: str

    @property
    def languages(self) -> str:
        """As Accept-Language writes them."""
        return self.headers.get("accept-language", "")

    @property
    def program(self) -> str:
        """What the caller's program calls itself; for the log, never for a decision."""
        return self.headers.get("user-agent", "")


def caller(scope: Scope, claims: Claims | None) -> Caller:
    peer = scope.get("client")
    return Caller(claims, Headers(scope=scope), peer[0] if peer else "")
