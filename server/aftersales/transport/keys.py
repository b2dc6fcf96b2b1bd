"""The keys that tokens are checked against: one secret, or those an issuer publishes (JWKS)."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, OctKey

logger = logging.getLogger("aftersales.transport")

FRESH_SECONDS = 600.0  # older keys are fetched anew, and used on meanwhile
APART_SECONDS = 30.0  # between two fetches for the sake of an unknown key
RETRY_SECONDS = 1.0  # between two fetches when the last one failed
FETCH_SECONDS = 3.0
MOST_BYTES = 256_000


class UnknownKey(Exception):
    """No such key, as far as the issuer says."""


class KeysUnavailable(Exception):
    """The issuer cannot be asked, so nobody can tell whether the token is good."""


class Keys(Protocol):
    @property
    def algorithms(self) -> tuple[str, ...]:
        """Pinned: a token does not choose how it is checked."""

    async def find(self, kid: object) -> Key:
        """
        Raises:
            UnknownKey, KeysUnavailable.
        """


class FixedKey:
    """A secret shared with whoever makes tokens. For a developer's machine and the demo."""

    algorithms = ("HS256",)

    def __init__(self, secret: str) -> None:
        if len(secret.encode()) < 32:
            raise ValueError("The secret of tokens needs 32 bytes or more.")
        self.key = OctKey.import_key(secret)

    async def find(self, kid: object) -> Key:
        return self.key


class RemoteKeys:
    """Keys from an address: fetched when first needed, once for all who wait, and again for new ones.

    Args:
        clock: seconds that only ever grow.
    """

    algorithms = ("RS256", "ES256")

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self.clock = clock
        self.known: KeySet | None = None
        self.fetched_at = float("-inf")
        self.tried_at = float("-inf")
        self.fetching = asyncio.Lock()
        self.renewal: asyncio.Task[None] | None = None

    async def find(self, kid: object) -> Key:
        if key := self._known(kid):
            if self._since(self.fetched_at) >= FRESH_SECONDS:
                self._renew()
            return key
        async with self.fetching:
            # whoever held the lock before us may have brought it
            if self._known(kid) is None and self._since(self.fetched_at) >= APART_SECONDS:
                await self._fetch()
        if key := self._known(kid):
            return key
        raise UnknownKey

    def _known(self, kid: object) -> Key | None:
        signing = [key for key in self.known or () if key.get("use") in (None, "sig")]
        if kid is None and len(signing) == 1:
            return signing[0]
        return next((key for key in signing if key.kid == kid), None)

    def _renew(self) -> None:
        """Behind the scenes, so that an issuer who is away keeps nobody waiting whose key is known."""
        if self.renewal is None or self.renewal.done():
            self.renewal = asyncio.create_task(self._fetch_quietly())

    async def _fetch_quietly(self) -> None:
        try:
            await self._fetch()
        except KeysUnavailable as error:
            logger.warning("Old keys are used on: %s", error)

    async def _fetch(self) -> None:
        if self._since(self.tried_at) < RETRY_SECONDS:
            raise KeysUnavailable("the last try failed a moment ago")
        self.tried_at = self.clock()
        self.known = await fetched(self.url)
        self.fetched_at = self.clock()

    def _since(self, then: float) -> float:
        return self.clock() - then


async def fetched(url: str) -> KeySet:
    try:
        async with (
            asyncio.timeout(FETCH_SECONDS),
            httpx.AsyncClient(timeout=FETCH_SECONDS) as client,
            client.stream("GET", url, headers={"accept": "application/json"}) as answer,
        ):
            answer.raise_for_status()
            text = bytearray()
            async for part in answer.aiter_bytes():
                text += part
                if len(text) > MOST_BYTES:
                    raise KeysUnavailable(f"more than {MOST_BYTES} bytes of keys")
        return KeySet.import_key_set(orjson.loads(text))
    except (httpx.HTTPError, TimeoutError, JoseError, ValueError, TypeError, KeyError) as error:
        raise KeysUnavailable(f"the keys of the issuer cannot be read: {error!r}") from error
