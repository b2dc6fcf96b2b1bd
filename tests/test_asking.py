"""What a token says becomes somebody whom the tables know."""

from datetime import UTC, datetime

import pytest

from aftersales.asking import actor
from aftersales.engine.vocabulary import Actor, Party
from aftersales.transport.auth import PARTIES, Claims
from aftersales.transport.caller import Caller

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def asked(party: str, sub: str = "7", shops: frozenset[str] = frozenset(), program: str = "") -> Actor | None:
    claims = Claims(sub, party, shops, frozenset({"view"}), LATER)
    return actor(Caller(claims, {"user-agent": program}, ""))


@pytest.mark.parametrize(
    ("party", "id"),
    [("buyer", "by_7"), ("seller", "st_7"), ("platform", "ag_7"), ("carrier", "ca_7"), ("partner", "ap_7")],
)
def test_two_of_one_name_and_different_parties_are_two(party: str, id: str) -> None:
    someone = asked(party)

    assert someone == Actor(Party[party.upper()], id, grants=frozenset({"view"}))


def test_every_party_of_a_token_is_known() -> None:
    assert all(asked(party) for party in PARTIES)


def test_ids_may_come_as_the_marketplace_writes_them_or_as_we_do() -> None:
    assert asked("seller", "st_7", frozenset({"7494", "sh_8500"})) == Actor(
        Party.SELLER, "st_7", frozenset({"sh_7494", "sh_8500"}), frozenset({"view"})
    )


def test_the_program_is_kept_for_the_audit_as_far_as_it_can_be_printed() -> None:
    someone = asked("partner", program="Board/1.2\x1b[31m" + "x" * 200)

    assert someone is not None
    assert someone.client == ("Board/1.2[31m" + "x" * 200)[:99]


def test_a_stranger_is_nobody() -> None:
    assert actor(Caller(None, {}, "")) is None
