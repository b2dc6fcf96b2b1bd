"""Tokens: made, checked, and refused, against a secret and against the keys of an issuer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tests.transport.world import HOUR, NOW, SECRET, listening, until

from aftersales.transport.auth import Authenticator, AuthSettings, Claims, Unauthorized
from aftersales.transport.keys import APART_SECONDS, FRESH_SECONDS, KeysUnavailable, RemoteKeys, UnknownKey
from aftersales.transport.tokens import mint

TOLD: dict[str, Any] = {"sub": "s1", "party": "seller", "shops": ["sh_1"], "grants": ["review"]}
SECONDS = timedelta(seconds=1)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def authenticator(clock: Clock | None = None, **settings: Any) -> Authenticator:
    return Authenticator(AuthSettings(**{"secret": SECRET, **settings}), clock or Clock())


async def test_a_token_that_we_minted_says_who_is_asking() -> None:
    token = mint(SECRET, TOLD, HOUR, now=NOW)

    claims = await authenticator()(f"Bearer {token}")

    assert claims == Claims("s1", "seller", frozenset({"sh_1"}), frozenset({"review"}), NOW + HOUR)


@pytest.mark.parametrize("nothing", [None, "", "  "])
async def test_no_token_is_a_stranger(nothing: str | None) -> None:
    assert await authenticator()(nothing) is None


def signed(claims: dict[str, Any], algorithm: str = "HS256", secret: str = SECRET) -> str:
    told = {**TOLD, "aud": "aftersales", "exp": NOW.timestamp() + 60, **claims}
    kept = {name: value for name, value in told.items() if value is not None}
    return jwt.encode({"alg": algorithm}, kept, OctKey.import_key(secret), algorithms=[algorithm])


def unsigned() -> str:
    _, payload, _ = signed({}).split(".")
    return f"eyJhbGciOiJub25lIn0.{payload}."


# fmt: off
BAD = {
    "nonsense":                 "nonsense",
    "three bits of nonsense":   "a.b.c",
    "not even letters":         "ä.ö.ü",
    "too long":                 "x" * 10_000,
    "another secret":           signed({}, secret="another secret, also more than 32 bytes"),
    "another algorithm":        signed({}, "HS512"),
    "no signature":             unsigned(),
    "a changed payload":        signed({}).replace(".", ".e", 1),
    "another audience":         signed({"aud": "somebody"}),
    "no audience":              signed({"aud": None}),
    "no end":                   signed({"exp": None}),
    "an end in words":          signed({"exp": "tomorrow"}),
    "an end beyond all ends":   signed({"exp": "1e400"}),
    "not yet":                  signed({"nbf": NOW.timestamp() + 31}),
    "no subject":               signed({"sub": None}),
    "a number as subject":      signed({"sub": 1}),
    "an empty subject":         signed({"sub": ""}),
    "a NUL in the subject":     signed({"sub": "a\0"}),
    "no party":                 signed({"party": None}),
    "the system itself":        signed({"party": "system"}),
    "a list of parties":        signed({"party": ["buyer"]}),
    "shops in a text":          signed({"shops": "sh_1"}),
    "grants that are numbers":  signed({"grants": [1]}),
}
# fmt: on


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_token_is_refused(case: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        await authenticator()(f"Bearer {BAD[case]}")

    assert refused.value.code == "TOKEN_INVALID"


async def test_the_issuer_is_checked_where_one_is_named() -> None:
    ours = authenticator(issuer="us")

    claims = await ours(f"Bearer {signed({'iss': 'us'})}")

    assert claims is not None
    for other in (signed({"iss": "them"}), signed({})):
        with pytest.raises(Unauthorized):
            await ours(f"Bearer {other}")


async def test_a_token_ends_half_a_minute_late_for_clocks_differ() -> None:
    clock = Clock()
    check = authenticator(clock)
    token = f"Bearer {mint(SECRET, TOLD, HOUR, now=NOW)}"

    for late, good in ((29 * SECONDS, True), (30 * SECONDS, False), (31 * SECONDS, False)):
        clock.now = NOW + HOUR + late
        if good:
            assert await check(token)
        else:
            with pytest.raises(Unauthorized) as refused:
                await check(token)
            assert refused.value.code == "TOKEN_EXPIRED"


async def test_a_token_kept_in_memory_ends_all_the_same() -> None:
    clock = Clock()
    check = authenticator(clock)
    token = f"Bearer {mint(SECRET, TOLD, 10 * SECONDS, now=NOW)}"

    first = await check(token)
    clock.now = NOW + 41 * SECONDS

    assert first is not None
    with pytest.raises(Unauthorized):
        await check(token)


async def test_an_end_in_a_far_future_can_be_reckoned_with() -> None:
    check = authenticator()

    claims = await check(f"Bearer {signed({'exp': 10**17})}")

    assert claims is not None
    assert check.seconds_left(claims) > 1e9


def test_a_short_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        authenticator(secret="short")


@pytest.mark.parametrize("settings", [{}, {"secret": SECRET, "jwks_url": "https://issuer.example/keys"}])
def test_there_is_one_way_to_check_and_not_two(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either"):
        Authenticator(AuthSettings(**settings), Clock())  # type: ignore[arg-type]


# ---------------------------------------------------------------- keys of an issuer


@dataclass
class Issuer:
    keys: list[Key] = field(default_factory=list)
    asked: int = 0
    answer: str | None = None

    async def publish(self, http: Request) -> Response:
        self.asked += 1
        known = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return Response(json.dumps(known) if self.answer is None else self.answer)


@asynccontextmanager
async def issuing(issuer: Issuer) -> AsyncIterator[str]:
    async with listening(Starlette(routes=[Route("/keys", issuer.publish)])) as url:
        yield f"{url}/keys"


def rsa(kid: str) -> Key:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def ec(kid: str) -> Key:
    return ECKey.generate_key("P-256", {"kid": kid})


def issued(key: Key, algorithm: str, kid: str | None = None) -> str:
    told = {**TOLD, "aud": "aftersales", "exp": int(NOW.timestamp()) + 60}
    return "Bearer " + jwt.encode({"alg": algorithm, "kid": kid or key.kid}, told, key, algorithms=[algorithm])


async def test_the_keys_are_fetched_once_and_both_algorithms_are_known() -> None:
    issuer = Issuer([rsa("r"), ec("e")])
    async with issuing(issuer) as url:
        check = authenticator(secret=None, jwks_url=url)

        asking = [await check(issued(issuer.keys[0], "RS256")), await check(issued(issuer.keys[1], "ES256"))]

    assert [claims.sub if claims else "" for claims in asking] == ["s1", "s1"]
    assert issuer.asked == 1


async def test_a_public_key_is_never_taken_for_a_secret() -> None:
    issuer = Issuer([rsa("r")])
    published = OctKey.import_key(json.dumps(issuer.keys[0].as_dict(private=False)))
    forged = (
        issued(published, "HS256", "r"),
        issued(issuer.keys[0], "RS512"),
        issued(ec("r"), "ES256"),
    )
    async with issuing(issuer) as url:
        check = authenticator(secret=None, jwks_url=url)

        for token in forged:
            with pytest.raises(Unauthorized):
                await check(token)


async def test_an_unknown_key_is_looked_for_at_most_every_half_minute() -> None:
    time = [0.0]
    issuer = Issuer([rsa("old")])
    async with issuing(issuer) as url:
        keys = RemoteKeys(url, clock=lambda: time[0])
        await keys.find("old")
        for _ in range(5):
            with pytest.raises(UnknownKey):
                await keys.find("new")
        issuer.keys.append(rsa("new"))
        time[0] += APART_SECONDS

        found = await keys.find("new")

    assert found.kid == "new"
    assert issuer.asked == 2


async def test_keys_are_renewed_behind_the_scenes_and_old_ones_serve_meanwhile() -> None:
    time = [0.0]
    issuer = Issuer([rsa("a")])
    async with issuing(issuer) as url:
        keys = RemoteKeys(url, clock=lambda: time[0])
        await keys.find("a")
        issuer.keys = [rsa("b")]
        time[0] += FRESH_SECONDS

        old = await keys.find("a")
        await until(lambda: bool(keys.renewal and keys.renewal.done()))

        assert old.kid == "a"
        assert (await keys.find("b")).kid == "b"
        with pytest.raises(UnknownKey):
            await keys.find("a")


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "7",
        '{"keys": 7}',
        '{"keys": [7]}',
        '{"keys": []}',
        '{"keys": [{"kty": "RSA"}]}',
        "x" * 300_000,
    ],
)
async def test_an_issuer_that_makes_no_sense_is_our_trouble_and_not_the_callers(answer: str) -> None:
    async with issuing(Issuer(answer=answer)) as url:
        check = authenticator(secret=None, jwks_url=url)

        with pytest.raises(KeysUnavailable):
            await check(issued(ec("e"), "ES256"))


async def test_an_issuer_who_is_away_is_asked_again_but_not_by_everyone() -> None:
    time = [0.0]
    issuer = Issuer([ec("e")], answer="")
    async with issuing(issuer) as url:
        keys = RemoteKeys(url, clock=lambda: time[0])
        for _ in range(5):
            with pytest.raises(KeysUnavailable):
                await keys.find("e")
        asked, issuer.answer = issuer.asked, None
        time[0] += 1

        assert (await keys.find("e")).kid == "e"
        assert asked == 1


async def test_an_address_where_nobody_listens_is_unavailable() -> None:
    with pytest.raises(KeysUnavailable):
        await RemoteKeys("http://127.0.0.1:1/keys").find("e")


async def test_a_withdrawn_key_ends_its_tokens_within_a_minute() -> None:
    clock, time = Clock(datetime(2026, 11, 24, 12, tzinfo=UTC)), [0.0]
    issuer = Issuer([ec("a")])
    async with issuing(issuer) as url:
        check = authenticator(clock, secret=None, jwks_url=url)
        check.keys = RemoteKeys(url, clock=lambda: time[0])
        token = issued(issuer.keys[0], "ES256")
        await check(token)
        issuer.keys = [ec("b")]
        check.keys = RemoteKeys(url)
        clock.now += 59 * SECONDS
        still = await check(token)
        clock.now += SECONDS

        assert still is not None
        with pytest.raises(Unauthorized):
            await check(token)
