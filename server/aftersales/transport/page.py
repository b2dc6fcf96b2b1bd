"""The page to try things on: for development and the demo, never for production. Nothing of it is from elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from posixpath import splitext

import orjson
from starlette.types import Receive, Scope, Send

FILES = files(__package__).joinpath("page_files")
FOLDER = "page"
HTML = "text/html; charset=utf-8"
MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".graphql": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# Only our own files, no script or style within the page, no frame around it, and no text that becomes a script.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SAFE = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
SECRET = (b"cache-control", b"no-store")
CHECKED = (b"cache-control", b"no-cache")  # kept, but asked for anew: a server that was upgraded has other files


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    media: str

    @property
    def tag(self) -> str:
        return f'"{sha256(self.body).hexdigest()[:32]}"'


class Page:
    """
    Args:
        path: where the page is shown; its files lie in the folder `page` beside it.
        tokens: called anew for each visit; a token for each name one may choose to be, in that order.
        orders: ids of orders that a visitor may claim, each with one of its lines.
        sdl: the schema in its own language, with directives, which introspection does not tell.
    """

    def __init__(
        self,
        path: str = "/graphql",
        tokens: Callable[[], Mapping[str, str]] = dict,
        orders: Sequence[tuple[str, str]] = (),
        sdl: str = "",
    ) -> None:
        self.folder = f"{path.rpartition('/')[0]}/{FOLDER}"
        self.tokens = tokens
        self.orders = orders
        self.files = {**found(FILES), "schema.graphql": File(sdl.encode(), MEDIA[".graphql"])}
        self.index = self.files.pop("index.html").body

    async def show(self, send: Send) -> None:
        await _send(send, 200, self.index, (b"content-type", HTML.encode()), CHECKED, (b"vary", b"accept"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application for the files of the page."""
        name = scope["path_params"]["name"]
        if scope["method"] not in ("GET", "HEAD"):
            return await _send(send, 405, b"", (b"allow", b"GET, HEAD"))
        if name == "start.json":
            return await _send(send, 200, self._start(), (b"content-type", MEDIA[".json"].encode()), SECRET)
        if not (file := self.files.get(name)):
            return await _send(send, 404, b"", SECRET)
        tag = (b"etag", file.tag.encode())
        if file.tag in dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1"):
            return await _send(send, 304, None, tag, CHECKED)
        await _send(send, 200, file.body, (b"content-type", file.media.encode()), tag, CHECKED)

    def _start(self) -> bytes:
        """What only this server knows: whom one may be, and what there is to claim."""
        return orjson.dumps({"people": list(self.tokens().items()), "orders": self.orders})


def found(folder: Traversable, before: str = "") -> dict[str, File]:
    """All files below, by their path from here. Read once: what is asked for is looked up, never opened."""
    there: dict[str, File] = {}
    for entry in folder.iterdir():
        name = f"{before}{entry.name}"
        if entry.is_dir():
            there |= found(entry, f"{name}/")
        else:
            there[name] = File(entry.read_bytes(), MEDIA.get(splitext(name)[1], HTML))
    return there


async def _send(send: Send, status: int, body: bytes | None, *headers: tuple[bytes, bytes]) -> None:
    """
    Args:
        body: None where there is none to be, as in a 304.
    """
    length = () if body is None else ((b"content-length", b"%d" % len(body)),)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length, *SAFE]})
    await send({"type": "http.response.body", "body": body or b""})
