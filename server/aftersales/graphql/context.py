"""What one operation knows: who asks, in which language, at what time, and where things are found."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import strawberry
from graphql import GraphQLError

from ..desk import Desk
from ..engine.rights import acts_as
from ..engine.vocabulary import Actor, Party
from ..evidence.locker import Locker
from ..feed import Feed
from ..privacy import Privacy
from ..rulebooks import Rulebooks
from ..store.appeals import Appeals
from ..store.lists import Lists
from ..store.log import Log
from ..watching.watch import Watch
from .words import Languages, Words

if TYPE_CHECKING:
    from .loaders import Loaders


@dataclass(frozen=True, slots=True)
class House:
    """The parts of a running server that every operation shares.

    Args:
        base: where the server is reached, unless a caller has come another way.
        stream_lines: that a stream may have missed and be told.
        stream_age: of the oldest of them; None: any.
    """

    desk: Desk
    lists: Lists
    log: Log
    feed: Feed
    languages: Languages
    appeals: Appeals
    rulebooks: Rulebooks
    privacy: Privacy
    locker: Locker
    base: str
    heartbeat_seconds: float = 15.0
    stream_lines: int = 100_000
    stream_age: timedelta | None = None
    watch: Watch = field(default_factory=Watch)


@dataclass(slots=True)
class Context:
    """One caller, for one operation.

    Args:
        caller: None: a stranger, who may read the schema and nothing else.
        base: where the caller reaches us: what addresses begin with.
    """

    house: House
    caller: Actor | None
    words: Words
    base: str
    cache: dict[Any, Any] = field(default_factory=dict)
    _audience: Hashable = None
    _now: datetime | None = None
    _loaders: Loaders | None = None

    @property
    def actor(self) -> Actor:
        """Who asks.

        Raises:
            GraphQLError: UNAUTHENTICATED for a stranger.
        """
        if self.caller is None:
            raise GraphQLError("Say who you are: send a bearer token.", extensions={"code": "UNAUTHENTICATED"})
        return self.caller

    @property
    def now(self) -> datetime:
        """One instant for the whole operation, so that its parts agree on what is overdue."""
        if self._now is None:
            self._now = self.house.desk.clock()
        return self._now

    @property
    def desk(self) -> Desk:
        return self.house.desk

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            from .loaders import Loaders

            self._loaders = Loaders(self)
        return self._loaders

    def impersonal(self) -> Context:
        """Of anybody with the same rights, who reads the same language and came the same way; of a buyer, their own."""
        return Context(self.house, self._whoever, self.words, self.base)

    @property
    def audience(self) -> Hashable:
        """The same for all whose impersonal contexts are the same."""
        if self._audience is None:
            self._audience = self._whoever, self.words.language, self.base
        return self._audience

    @property
    def _whoever(self) -> Actor:
        return self.actor if acts_as(self.actor) is Party.BUYER else replace(self.actor, id="", client="")

    def forget(self) -> None:
        """After a change: read anew, and take the time anew."""
        self._loaders = None
        self._now = None


Info = strawberry.Info[Context, None]


def context_for(house: House, actor: Actor | None, accept_language: str | None, base: str | None = None) -> Context:
    return Context(house, actor, house.languages.best(accept_language), base or house.base)


def everywhere(actor: Actor) -> bool:
    """Whether the actor sees every shop."""
    return actor.party in (Party.PLATFORM, Party.CARRIER, Party.SYSTEM)
