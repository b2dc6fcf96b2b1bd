"""An address opens one file, for one use, for a while; and only the server can make one."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from aftersales.evidence.addresses import Addresses, Use, key_from

SOON = datetime(2025, 3, 3, 3, 15, tzinfo=UTC)
SECRET = "a secret for tests, of more than 32 bytes"


def addresses(secret: str | None = SECRET) -> Addresses:
    return Addresses(key_from(secret), timedelta(minutes=15), timedelta(minutes=10))


def parts(address: str) -> tuple[str, str, str]:
    split = urlsplit(address)
    query = parse_qs(split.query)
    return split.path.removeprefix("/evidence/"), query["until"][0], query["signature"][0]


def test_an_address_is_good_until_it_says_and_after_a_restart_too() -> None:
    made = addresses().made(Use.UPLOAD, "ed_1", SOON)

    assert addresses().until(Use.UPLOAD, *parts(made)) == SOON


def test_without_a_secret_addresses_end_with_the_process() -> None:
    made = addresses(None).made(Use.UPLOAD, "ed_1", SOON)

    assert addresses(None).until(Use.UPLOAD, *parts(made)) is None


@pytest.mark.parametrize(
    ("use", "changes"),
    [
        (Use.DOWNLOAD, {}),
        (Use.UPLOAD, {"id": "ed_2"}),
        (Use.UPLOAD, {"until": "1741058999"}),
        (Use.UPLOAD, {"until": ""}),
        (Use.UPLOAD, {"until": "٣"}),
        (Use.UPLOAD, {"signature": ""}),
        (Use.UPLOAD, {"signature": "0" * 64}),
        (Use.UPLOAD, {"signature": "ü\ud800"}),
        (Use.UPLOAD, {"id": "1741058100\ned_1"}),
    ],
)
def test_what_was_changed_about_an_address_makes_it_none(use: Use, changes: dict[str, str]) -> None:
    id, until, signature = parts(addresses().made(Use.UPLOAD, "ed_1", SOON))
    given = {"id": id, "until": until, "signature": signature} | changes

    assert addresses().until(use, given["id"], given["until"], given["signature"]) is None


def test_the_key_is_not_told_by_accident() -> None:
    assert "key" not in repr(addresses())
