"""A small schema behind real doors: what the tests of this folder ask, and how they start a server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette

from aftersales.graphql.operations import Operations
from aftersales.graphql.trusted import NONE, Trusted
from aftersales.store.database import StoreBusy
from aftersales.transport.auth import Authenticate, Authenticator, AuthSettings
from aftersales.transport.caller import Caller
from aftersales.transport.gate import Gate
from aftersales.transport.launcher import Server, config
from aftersales.transport.limits import TransportSettings
from aftersales.transport.listening import address, bound
from aftersales.transport.page import Page
from aftersales.transport.routes import routes
from aftersales.transport.tokens import mint

SECRET = "a secret for tests, of more than 32 bytes"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class World:
    """What lies behind the schema, and can be looked at from the tests."""

    listeners: set[asyncio.Queue[int]] = field(default_factory=set)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: int = 0
    count: int = 0

    def tell(self, value: int) -> None:
        for queue in self.listeners:
            queue.put_nowait(value)


@dataclass(frozen=True)
class Context:
    world: World
    caller: Caller


Info = strawberry.Info[Context, None]


@strawberry.type
class Node:
    id: strawberry.ID

    @strawberry.field
    def node(self) -> "Node":
        return Node(id=self.id)


@strawberry.type
class Query:
    node: Node = strawberry.field(resolver=lambda: Node(id=strawberry.ID("1")))

    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"Hello {name}"

    @strawberry.field
    def total(self, amounts: list[Decimal] | None = None, price: float = 0, count: int = 0) -> str:
        return str(sum(amounts or [], Decimal(count)))

    @strawberry.field
    def fails(self) -> str | None:
        raise RuntimeError("the password is hunter2")

    @strawberry.field
    def must_not_fail(self) -> str:
        raise RuntimeError("the password is hunter2")

    @strawberry.field
    def refuses(self) -> str | None:
        raise GraphQLError("Not today.", extensions={"code": "NOT_TODAY"})

    @strawberry.field
    async def waits(self, info: Info) -> str:
        world = info.context.world
        world.waiting += 1
        try:
            await world.go_on.wait()
        finally:
            world.waiting -= 1
        return "done"

    @strawberry.field
    def me(self, info: Info) -> str:
        claims = info.context.caller.claims
        return f"{claims.party} {claims.sub}" if claims else "a stranger"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def bump(self, info: Info, wait: bool = False) -> int:
        world = info.context.world
        if wait:
            world.waiting += 1
            await world.go_on.wait()
            world.waiting -= 1
        world.count += 1
        return world.count


@strawberry.type
class Told:
    detail: strawberry.Private[str | None]

    @strawberry.field
    def more(self) -> str | None:
        if self.detail is None:
            raise StoreBusy("away")
        return self.detail


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, info: Info) -> AsyncGenerator[int, None]:
        """What the world tells, until the listener leaves."""
        queue: asyncio.Queue[int] = asyncio.Queue()
        info.context.world.listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            info.context.world.listeners.discard(queue)

    @strawberry.subscription
    async def three(self) -> AsyncGenerator[int, None]:
        for number in (1, 2, 3):
            yield number

    @strawberry.subscription
    async def breaks(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError("the password is hunter2")

    @strawberry.subscription
    async def requests(self) -> AsyncGenerator[Told, None]:
        """The second comes when the database has no time for what is asked of it."""
        yield Told(detail="there")
        yield Told(detail=None)

    @strawberry.subscription
    async def endless(self, size: int = 1000) -> AsyncGenerator[str, None]:
        while True:
            yield "x" * size


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


@dataclass(frozen=True)
class Door:
    """A running server."""

    url: str
    gate: Gate
    world: World

    @property
    def socket(self) -> str:
        return self.url.replace("http", "ws", 1)


def token(party: str = "seller", sub: str = "s1", lifetime: timedelta = HOUR, now: datetime = NOW) -> str:
    return mint(SECRET, {"sub": sub, "party": party, "shops": ["sh_1"]}, lifetime, now=now)


@asynccontextmanager
async def serving(
    settings: TransportSettings = TransportSettings(),  # noqa: B008 - frozen
    *,
    authenticate: Authenticate | None = None,
    page: Page | None = None,
    trusted: Trusted = NONE,
) -> AsyncIterator[Door]:
    world = World()
    gate = Gate(Operations(SCHEMA), lambda caller: Context(world, caller), settings, trusted)
    who = authenticate or Authenticator(AuthSettings(secret=SECRET), clock=lambda: NOW)
    app = Starlette(routes=routes(gate, who, page))
    app.router.redirect_slashes = False
    async with listening(app, settings) as url:
        yield Door(url + settings.path, gate, world)


@asynccontextmanager
async def listening(
    app: Starlette,
    settings: TransportSettings = TransportSettings(),  # noqa: B008 - frozen
) -> AsyncIterator[str]:
    """A real uvicorn on a free port, in the loop of the test."""
    listener = bound("127.0.0.1", 0)
    server = Server(config(app, settings))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listener])
    try:
        yield address(listener)
    finally:
        await server.shutdown([listener])


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    """Gives the loop away until it holds. For what has no event to wait for."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - no time passes here, only turns of the loop
            await asyncio.sleep(0)
