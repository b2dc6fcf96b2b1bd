"""The server as an ASGI application: its routes and its life."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from strawberry import Schema

from .asking import actor
from .evidence.addresses import PATH
from .graphql.context import Context, context_for
from .graphql.documents import DocumentLimits
from .graphql.operations import Operations
from .graphql.schema import build_schema
from .graphql.trusted import NONE, BadManifest, Trusted, faults, read_manifest
from .graphql.variables import VariableLimits
from .loops import Loops, Work
from .markets import open_calendars
from .running import Running
from .settings import CannotStart, Settings
from .store.database import Statement
from .transport.auth import Authenticator, AuthSettings
from .transport.caller import Caller
from .transport.evidence import EvidenceOverHTTP
from .transport.gate import Gate
from .transport.handled import Handled
from .transport.leaving import leaving
from .transport.limits import TransportSettings
from .transport.page import Page
from .transport.routes import routes

log = logging.getLogger("aftersales.asgi")

L = TypeVar("L", DocumentLimits, TransportSettings, VariableLimits)

ANSWER_SECONDS = 2.0
HOST = re.compile(r"[a-z0-9._-]+(:[0-9]+)?|\[[0-9a-f:.]+\](:[0-9]+)?", re.ASCII | re.IGNORECASE)
NOBODY_PAYS = (
    "No installed plugin can pay refunds, and in production somebody must."
    " Install one that implements aftersales_refund_gateway."
)


def create_app(
    running: Running,
    *,
    tokens: Callable[[], Mapping[str, str]] = dict,
    orders: Sequence[tuple[str, str]] = (),
    beside: Mapping[str, Callable[[], Work]] | None = None,
) -> Starlette:
    """The application of a server that was built. It closes the server when it ends.

    Args:
        tokens: what the page to try things on offers to be, by name.
        orders: what it offers to claim: ids of orders, each with one of its lines.
        beside: other work to run as long as the server does.

    Raises:
        CannotStart: in production nobody pays.
        PluginConflict: what plugins say in GraphQL clashes.
    """
    settings = running.settings
    if settings.production and not running.registry.has_gateway:
        raise CannotStart(NOBODY_PAYS)
    schema = build_schema(running.registry)
    operations = Operations(
        schema, limits(DocumentLimits, "document_", settings), limits(VariableLimits, "variable_", settings)
    )

    def context(caller: Caller) -> Context:
        base = None if settings.public_url else reached_at(caller)
        return context_for(running.house, actor(caller), caller.languages, base)

    gate = Gate(
        operations, context, transport_settings(settings), trusted(settings, operations), watch=running.house.watch
    )
    loops = Loops()
    open_calendars()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # before the doors open, so that no line is written that no follower hears of
        await running.house.feed.begin()
        loops.start({**running.loops(), **{name: work() for name, work in (beside or {}).items()}})
        try:
            yield
        finally:
            await gate.settle()
            await loops.stop()
            await running.close()

    page = (
        None if settings.production else Page(gate.settings.path, tokens, orders, told_to_strangers(schema, settings))
    )
    app = Starlette(
        routes=[
            *routes(gate, Authenticator(auth_settings(settings), real_time), page),
            Route(f"{PATH}/{{id}}", EvidenceOverHTTP(running.house.locker, gate.settings)),
            Route("/healthz", alive),
            Route("/readyz", readiness(running, loops)),
            *([Route("/", to_page(gate.settings.path))] if page else []),
        ],
        middleware=[
            Middleware(Handled),
            *([Middleware(CORSMiddleware, **sharing(settings))] if settings.origins else []),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.gate = gate  # what is open and under way, for those who look after the server
    return app


def trusted(settings: Settings, operations: Operations) -> Trusted:
    """
    Raises:
        CannotStart: a document of the manifest could not be run.
    """
    if settings.documents is None:
        return NONE
    try:
        texts = read_manifest(settings.documents)
        if objections := list(faults(texts, operations.documents)):
            raise BadManifest(objections)
    except BadManifest as bad:
        raise CannotStart(str(bad)) from None
    return Trusted(texts, only=settings.documents_only)


def told_to_strangers(schema: Schema, settings: Settings) -> str:
    return schema.as_str() if settings.shown_to_strangers else ""


def reached_at(caller: Caller) -> str | None:
    """Where the caller has found us: good for addresses that only the caller is told. None if it does not say."""
    host = caller.headers.get("host", "")
    return f"http://{host}" if HOST.fullmatch(host) else None


def real_time() -> datetime:
    """Tokens live by the issuer's time, however fast a demo's runs."""
    return datetime.now(UTC)


def auth_settings(settings: Settings) -> AuthSettings:
    secret = None if settings.jwks_url else settings.secret
    return AuthSettings(secret, settings.jwks_url, settings.audience, settings.issuer)


def transport_settings(settings: Settings) -> TransportSettings:
    """The same names in both."""
    return replace(limits(TransportSettings, "", settings), strangers_introspect=settings.shown_to_strangers)


def limits(kind: type[L], prefix: str, settings: Settings) -> L:
    """The limits of such a kind that are settings too, under the same name behind the prefix."""
    known = {field.name for field in fields(Settings)}
    names = {field.name: f"{prefix}{field.name}" for field in fields(kind)}
    return kind(**{name: getattr(settings, setting) for name, setting in names.items() if setting in known})


def sharing(settings: Settings) -> dict[str, Any]:
    """What pages from elsewhere may do. No cookie ever counts here, so that nothing is done in somebody's name."""
    return {
        "allow_origins": sorted(settings.origins),
        "allow_methods": ["GET", "POST", "PUT"],
        "allow_headers": ["authorization", "content-type", "accept-language", "traceparent", "x-request-id"],
        "expose_headers": ["ratelimit", "ratelimit-policy", "retry-after", "x-request-id"],
    }


async def alive(http: HTTPRequest) -> Response:
    """The process answers. More, a restart would not mend."""
    return JSONResponse({"alive": True})


def readiness(running: Running, loops: Loops) -> Callable[[HTTPRequest], Coroutine[Any, Any, Response]]:
    there = True

    async def ready(http: HTTPRequest) -> Response:
        """Whether it makes sense to send work here: the database answers, and all that should run does."""
        nonlocal there
        faults = {name: "ended" for name in loops.ended}
        if leaving(http.scope).announced:
            faults["server"] = "is about to stop"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await running.database.read(Statement("SELECT 1"))
            there = True
        except Exception as error:
            # said once: balancers ask often
            log.log(logging.WARNING if there else logging.DEBUG, "not ready: the database does not answer: %r", error)
            there = False
            faults["database"] = "does not answer"
        return JSONResponse({"ready": not faults, **faults}, 503 if faults else 200)

    return ready


def to_page(path: str) -> Callable[[HTTPRequest], Response]:
    def redirect(http: HTTPRequest) -> Response:
        return RedirectResponse(path)

    return redirect
