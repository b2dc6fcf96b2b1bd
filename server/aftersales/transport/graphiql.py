"""GraphiQL, the page to try things on: for development and the demo, never for production."""

import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files

import orjson
from starlette.types import Send

PAGE = files(__package__).joinpath("graphiql.html").read_text(encoding="utf-8")
CDN = "https://cdn.jsdelivr.net/npm"

# Exact versions, each with the SHA-384 of the very file in its npm package, which the CDN serves byte for
# byte. A file that was changed on its way is not run.
# fmt: off
SCRIPTS = (
    ("react@18.3.1/umd/react.production.min.js",         "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z"),  # noqa: E501
    ("react-dom@18.3.1/umd/react-dom.production.min.js", "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1"),  # noqa: E501
    ("graphql-ws@6.4.2/umd/graphql-ws.min.js",           "sha384-mxvR4Mzbsb6QVx/9xI2gtQikQA6m8zMDBFnu3l//4/ROsWt7y2sUGWd+/tYQqDm7"),  # noqa: E501
    ("graphiql@3.9.0/graphiql.min.js",                   "sha384-8NGfVj4CVlqHajlZj+bPJT4thxPMHMJYn7DWK2CvtopLd02E7qsPHazniBYvVjOO"),  # noqa: E501
)
STYLE = ("graphiql@3.9.0/graphiql.min.css",              "sha384-QMux00XgRtwRLSYIY3kw2rj1ovk5AuuliAchk+HSQbqdbGFnz9GYuqIlOqxhwCE2")  # noqa: E501
# fmt: on


class GraphiQL:
    """
    Args:
        tokens: called for each page; a token for each name one may choose to be, in that order.
    """

    def __init__(self, tokens: Callable[[], Mapping[str, str]] = dict) -> None:
        self.tokens = tokens

    async def show(self, send: Send) -> None:
        nonce = secrets.token_urlsafe(16)
        body = page(nonce, self.tokens()).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(body)),
            (b"content-security-policy", policy(nonce).encode()),
            (b"cache-control", b"no-store"),  # it carries tokens
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"vary", b"accept"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def policy(nonce: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            # the editor writes styles of its own, which cannot carry a nonce
            f"style-src {CDN}/{STYLE[0]} 'unsafe-inline'",
            "font-src data:",
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def page(nonce: str, tokens: Mapping[str, str]) -> str:
    style = f'<link rel="stylesheet" href="{CDN}/{STYLE[0]}" {pinned(STYLE[1])}>'
    scripts = "\n".join(
        f'<script nonce="{nonce}" src="{CDN}/{file}" {pinned(integrity)}></script>' for file, integrity in SCRIPTS
    )
    # inside a script element only `<` could end it early
    people = orjson.dumps(list(tokens.items())).decode().replace("<", "\\u003c")
    parts = {"{{style}}": style, "{{scripts}}": scripts, "{{nonce}}": nonce, "{{people}}": people}
    text = PAGE
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def pinned(integrity: str) -> str:
    return f'integrity="{integrity}" crossorigin="anonymous"'
