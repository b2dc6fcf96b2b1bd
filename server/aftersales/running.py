"""Joins the parts into one server: plugins, policies, the database, the desk, and the loops that let time act."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from .clock import SharedClock, SystemClock
from .desk import Desk
from .engine.machines import MACHINES
from .engine.policies import Book
from .engine.refusal import CODES as PROBLEMS
from .environment import shown
from .evidence.addresses import Addresses, key_from
from .evidence.locker import Locker
from .feed import Feed
from .graphql.context import House
from .graphql.words import Languages
from .policy_book import POLICIES, book, calendar, digits, shipped
from .privacy import Privacy
from .registry import Plugin, Registry
from .rulebooks import Rulebooks
from .settings import DEFAULT_DATABASE, LEAST_SECRET_BYTES, PREFIX, CannotStart, Settings
from .store.appeals import Appeals
from .store.database import Database
from .store.keys import LIFETIME
from .store.ledger import Ledger
from .store.lists import Lists
from .store.log import Log
from .store.migrate import migrate, schema_state
from .store.now import database_now
from .store.objects import beside, open_objects
from .store.standing import figures, standing
from .store.urls import UnsupportedDatabase, is_postgres, open_database
from .store.watched import Watched
from .tender import LEASE, Clock, Tender
from .transport.codes import CODES
from .watching.exposition import exposed
from .watching.looking import Found, Looking
from .watching.rules import Rules
from .watching.watch import Watch

log = logging.getLogger("aftersales.running")

CLOSING_SECONDS = 5.0
TIDYING = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Running:
    """A server with its database open. Time acts, and followers hear, once its loops run."""

    settings: Settings
    clock: Clock
    registry: Registry
    database: Database
    house: House
    tender: Tender
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    shared: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        return self.house.desk

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """What must run as long as the server does, each until it is canceled."""
        shared = {name: run() for name, run in self.shared.items()}
        if self.settings.metrics_port is not None:
            shared["figures"] = self._figures(self.settings.metrics_host, self.settings.metrics_port)
        return {"feed": self.house.feed.run(), "tender": self.tender.run(), "tidy": self._tidy(), **shared}

    async def close(self) -> None:
        """Let plugins end hearing, then let go of what is open. What does not close in time recovers by itself."""
        await self.registry.heard()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                for close in (self.database.close, *self.closing):
                    await close()
        except TimeoutError:
            log.error("the database did not close within %s s", CLOSING_SECONDS)
        await asyncio.to_thread(self.house.watch.close)

    async def look(self) -> Sequence[Found]:
        """How the record stands, as figures."""
        stands = await standing(self.database, self.clock(), self.house.feed.serial)
        return figures(stands, self.clock.real_seconds)

    async def _figures(self, host: str, port: int) -> None:
        registry = self.house.watch.figures.registry
        registry.register(Looking(self.look, asyncio.get_running_loop()))
        await exposed(registry, host, port)

    async def _tidy(self) -> None:
        """Clears away idempotency keys that are no longer honoured, and files that an erasure did not come to."""
        while True:
            try:
                await self.desk.ledger.forget(self.clock() - LIFETIME)
                await self.house.locker.clear()
            except Exception:
                log.exception("what is no longer kept could not be cleared away")
            await asyncio.sleep(max(1.0, self.clock.real_seconds(TIDYING)))


def policies_of(settings: Settings) -> Book:
    """Ours, and the operator's beside them.

    Raises:
        MalformedBook: with every fault.
    """
    return book(POLICIES, settings.policies) if settings.policies else shipped()


def registry_of(
    settings: Settings, policies: Book, plugins: Sequence[Plugin] = (), watch: Watch | None = None
) -> Registry:
    """The installed plugins that the settings allow, and those given.

    Raises:
        PluginConflict: naming all that stands against running them together.
        CannotStart: one that the settings name is not installed, or a clock that is paused may not be.
    """
    registry = Registry.installed(settings.plugins, extra=plugins, policy_keys=policies.keys, watch=watch)
    if missing := sorted((settings.plugins or frozenset()) - {plugin.name for plugin in registry.plugins}):
        raise CannotStart(f"{PREFIX}PLUGINS names {', '.join(missing)}, and no such plugin is installed.")
    if running_on := sorted(_not_pausable(registry, policies)):
        raise CannotStart(
            f"An offer, a dispute or a question pauses {', '.join(running_on)}, and a policy has it run on."
            " Say pausable = true in each of its rows."
        )
    return registry


def _not_pausable(registry: Registry, policies: Book) -> Iterator[str]:
    """Clocks that a table pauses though a policy says that nothing does."""
    processes = [kind.process for kind in registry.kinds.values()]
    processes += [machine.process for machine in MACHINES.values()]
    paused = {key for process in processes for row in process.rows for key in row.pauses}
    return iter({record.key for record in policies.records if record.key in paused and not record.pausable})


def only_where_all_find_it(settings: Settings) -> None:
    """What several processes must have in common, and none can make up by itself.

    Raises:
        CannotStart.
    """
    if not settings.production or not is_postgres(settings.database):
        return
    if settings.evidence is None:
        raise CannotStart(
            f"{PREFIX}DATABASE is a server that many processes share, and {PREFIX}EVIDENCE is not set."
            " Set it to a place that all of them reach: s3://BUCKET/PREFIX, or file://FOLDER on a disk that they share."
        )
    if settings.signing_secret is None:
        raise CannotStart(
            f"With {PREFIX}JWKS_URL the server has no secret that signs addresses of evidence, and each process would"
            f" make up its own. Set {PREFIX}ADDRESS_SECRET to the same {LEAST_SECRET_BYTES} bytes or more for all."
        )


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    plugins: Sequence[Plugin] = (),
    closing: Sequence[Callable[[], Awaitable[None]]] = (),
    lease: timedelta = LEASE,
) -> Running:
    """A server by its settings.

    Args:
        clock: None for the machine's own, or that of a database that several processes share.
        plugins: beside those that are installed.
        closing: what else ends with the server.
        lease: as the tender's, but as it passes for people.

    Raises:
        CannotStart: also for a database that is older than this release.
        MalformedBook, PluginConflict, UnsupportedDatabase, UnsupportedStorage: with every fault.
    """
    watch = Watch.by({*PROBLEMS, *CODES})
    policies = policies_of(settings)
    registry = registry_of(settings, policies, plugins, watch)
    only_where_all_find_it(settings)
    objects = await asyncio.to_thread(open_objects, settings.evidence or beside(settings.database))
    database = Watched(await opened(settings, watch), watch)
    decides = SharedClock(partial(database_now, database)) if clock is None and database.shared else None
    if decides:
        await decides.look()
    clock = clock or decides or SystemClock()
    ledger, lines = Ledger(database, registry.stage_of, digits), Log(database)

    desk = Desk(ledger, registry, policies, calendar, clock)
    feed = Feed(lines.after, lines.last_serial, ledger.requests)
    tender = Tender(desk, clock, lasting(clock, lease), by_database=decides is not None)
    desk.announces.extend((feed, tender, Rules(watch.figures, lambda at: clock.real_seconds(clock() - at))))
    watch.figures.followers(lambda: feed.followers)
    lists = Lists(database)
    languages = Languages(["aftersales", *packages(registry)])
    locker = Locker(ledger, objects, addresses(settings, clock), clock)
    house = House(
        desk, lists, lines, feed, languages, Appeals(database), Rulebooks(desk, lists),
        Privacy(desk, locker), locker, base(settings), settings.heartbeat_seconds,
        settings.stream_lines, None if settings.stream_days is None else timedelta(days=settings.stream_days), watch,
    )  # fmt: skip
    return Running(
        settings,
        clock,
        registry,
        database,
        house,
        tender,
        closing,
        (hinted(settings.database, desk, feed) if database.shared else {})
        | ({"clock": decides.run} if decides else {}),
    )


def hinted(url: str, desk: Desk, feed: Feed) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What tells other processes on the same record of our changes, and our followers of theirs."""
    # only those who use PostgreSQL need its driver
    from .store.hints import Hints

    hints = Hints(url, desk.ledger.database, lambda: feed.announce(()))
    desk.announces.append(hints)
    return {"hints": hints.run}


def addresses(settings: Settings, clock: Clock) -> Addresses:
    """Signed by a secret of their own, or the server's. Where it has none, as an issuer makes the tokens, they end with
    the process: for one that is alone no secret need be kept for what may be asked for anew at any time.
    """
    return Addresses(
        key_from(settings.signing_secret),
        lasting(clock, timedelta(minutes=settings.upload_minutes)),
        lasting(clock, timedelta(minutes=settings.download_minutes)),
    )


def lasting(clock: Clock, span: timedelta) -> timedelta:
    """What a clock that may run fast shows when the span has passed for people."""
    return span * (span.total_seconds() / clock.real_seconds(span))


def base(settings: Settings) -> str:
    """Where the server is reached, as far as it knows by itself."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return (settings.public_url or f"http://{host}:{settings.port}").rstrip("/")


async def opened(settings: Settings, watch: Watch) -> Database:
    """
    Raises:
        CannotStart: it is older than this release, or cannot be read at all.
        UnsupportedDatabase.
    """
    url = settings.database
    with told_in_words(url):
        state = await schema_state(url)
        if state.current is None and url == DEFAULT_DATABASE:
            # nobody has named a database yet: a newcomer's first start just works
            await migrate(url)
        elif not state.fits:
            raise CannotStart(state.advice)
        return await open_database(
            url, waiting=settings.database_waiting, connections=settings.database_connections,
            seconds=settings.database_seconds, waited=watch.figures.waits,
        )  # fmt: skip


@contextmanager
def told_in_words(url: str) -> Iterator[None]:
    """Whatever a database library says of a file that is none, that may not be read or that is damaged."""
    try:
        yield
    except (CannotStart, UnsupportedDatabase, OSError):
        raise
    except Exception as error:
        raise CannotStart(f"{shown(url)} cannot be opened: {error}.") from error


async def left_at(url: str) -> datetime:
    """Now, or where a faster clock had come to: time does not run backwards over a restart."""
    database = await open_database(url)
    try:
        lines = Log(database)
        last = await lines.after(await lines.last_serial() - 1, 1)
    finally:
        await database.close()
    return max([datetime.now(UTC), *(line.processed_at for line in last)])


def packages(registry: Registry) -> list[str]:
    """Where plugins may have words in other languages; one that is a single module, or none, has none."""
    return [plugin.object.__name__ for plugin in registry.plugins if hasattr(plugin.object, "__path__")]
