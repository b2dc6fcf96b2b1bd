"""Who is asking: a bearer token becomes claims, or a typed no."""

import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from .keys import FixedKey, Keys, RemoteKeys, UnknownKey

Clock = Callable[[], datetime]

PARTIES = frozenset({"buyer", "seller", "platform", "carrier", "partner"})
AUDIENCE = "aftersales"
MOST_CHARACTERS = 8_000
MOST_TOKENS_KEPT = 2_000
FAR = datetime(3000, 1, 1, tzinfo=UTC).timestamp()  # later than that cannot be reckoned with


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """One of the two: a secret on a developer's machine, the address of the keys in production.

    Args:
        secret: of HS256, 32 bytes or more.
        jwks_url: where the issuer publishes its RS256 and ES256 keys.
        issuer: whom we trust; None is anyone who holds the key.
        skew: how far the issuer's clock and ours may differ.
        recheck: how long a verified signature is believed, so that a withdrawn key ends.
    """

    secret: str | None = None
    jwks_url: str | None = None
    audience: str = AUDIENCE
    issuer: str | None = None
    skew: timedelta = timedelta(seconds=30)
    recheck: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says.

    Args:
        sub: who, within their party.
        party: one of `PARTIES`.
        expires_at: the clock skew not yet added.
    """

    sub: str
    party: str
    shops: frozenset[str]
    grants: frozenset[str]
    expires_at: datetime


class Unauthorized(Exception):
    """The token is no good. Its code is TOKEN_INVALID or TOKEN_EXPIRED."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Authenticate(Protocol):
    async def __call__(self, authorization: str | None, /) -> Claims | None:
        """
        Args:
            authorization: the header, or what stands for it in `connection_init`.

        Returns:
            None for a stranger, who has no token at all.

        Raises:
            Unauthorized: for a bad token.
            KeysUnavailable: when it cannot be known; then it is our fault, not theirs.
        """

    def known(self, authorization: str | None, /) -> str:
        """The token, if it was verified lately; else nothing. For the order of turns, never for a decision."""

    def seconds_left(self, claims: Claims, /) -> float:
        """Until a connection that stands on these claims must end."""


class Authenticator:
    def __init__(self, settings: AuthSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.keys = keys(settings)
        # signatures cost 40 to 300 microseconds, and a board asks with the same token all day
        self.kept: OrderedDict[str, tuple[Claims, datetime]] = OrderedDict()

    async def __call__(self, authorization: str | None, /) -> Claims | None:
        token = bearer(authorization)
        if token is None:
            return None
        now = self.clock()
        claims = self._known(token, now)
        if claims is None:
            claims = await self._verified(token, now)
            self._keep(token, claims, now)
        if self.seconds_left(claims) <= 0:
            raise Unauthorized("TOKEN_EXPIRED", "The token has expired.")
        return claims

    def known(self, authorization: str | None, /) -> str:
        token = (authorization or "").partition(" ")[2].strip()
        return token if token in self.kept else ""

    def seconds_left(self, claims: Claims, /) -> float:
        return (claims.expires_at + self.settings.skew - self.clock()).total_seconds()

    def _known(self, token: str, now: datetime) -> Claims | None:
        claims, checked_at = self.kept.get(token, (None, now))
        if now - checked_at >= self.settings.recheck:
            return None
        return claims

    def _keep(self, token: str, claims: Claims, now: datetime) -> None:
        self.kept[token] = (claims, now)
        self.kept.move_to_end(token)
        if len(self.kept) > MOST_TOKENS_KEPT:
            self.kept.popitem(last=False)

    async def _verified(self, token: str, now: datetime) -> Claims:
        try:
            # unverified, and used for nothing but to choose the key
            header = jws.extract_compact(token.encode()).headers()
            key = await self.keys.find(header.get("kid"))
            given = jwt.decode(token, key, algorithms=list(self.keys.algorithms)).claims
            self._registry(now).validate(given)
            return read(given)
        except ExpiredTokenError:
            raise Unauthorized("TOKEN_EXPIRED", "The token has expired.") from None
        except (JoseError, UnknownKey, ValueError, TypeError, KeyError, OverflowError):
            raise Unauthorized("TOKEN_INVALID", "The token is not valid here.") from None

    def _registry(self, now: datetime) -> jwt.JWTClaimsRegistry:
        settings = self.settings
        demanded: dict[str, jwt.ClaimsOption] = {
            "sub": {"essential": True},
            "exp": {"essential": True},
            "aud": {"essential": True, "value": settings.audience},
        }
        if settings.issuer is not None:
            demanded["iss"] = {"essential": True, "value": settings.issuer}
        return jwt.JWTClaimsRegistry(now=int(now.timestamp()), leeway=int(settings.skew.total_seconds()), **demanded)


def keys(settings: AuthSettings) -> Keys:
    if settings.secret is not None and settings.jwks_url is None:
        return FixedKey(settings.secret)
    if settings.jwks_url is not None and settings.secret is None:
        return RemoteKeys(settings.jwks_url)
    raise ValueError("Give either a secret or the address of the keys (JWKS).")


def bearer(authorization: str | None) -> str | None:
    if authorization is None or not authorization.strip():
        return None
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > MOST_CHARACTERS or not token.isascii():
        raise Unauthorized("TOKEN_INVALID", "Send the token as: Bearer <token>.")
    return token


def read(given: Mapping[str, Any]) -> Claims:
    party = given.get("party")
    if party not in PARTIES:
        raise ValueError("party")
    return Claims(
        sub=word(given["sub"]),
        party=party,
        shops=words(given.get("shops")),
        grants=words(given.get("grants")),
        expires_at=datetime.fromtimestamp(min(given["exp"], FAR), UTC),
    )


def words(given: object) -> frozenset[str]:
    if given is None:
        return frozenset()
    if not isinstance(given, list):
        raise TypeError
    return frozenset(map(word, given))


def word(given: object) -> str:
    """An id or a handle: short, and nothing in it that a log or a database would choke on."""
    if not isinstance(given, str) or not 0 < len(given) <= 200:
        raise ValueError
    if any(unicodedata.category(character).startswith("C") for character in given):
        raise ValueError
    return given
