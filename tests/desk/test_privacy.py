"""A buyer is erased: nothing of them is left anywhere; money, history and other people's rights are as they were."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.desk.acts import act, claim, codes, key, rejected

from aftersales.desk import new_id
from aftersales.engine.refusal import Refused
from aftersales.engine.request import Request
from aftersales.engine.vocabulary import Actor, Evidence, EvidenceKind, OrderState, Party
from aftersales.marketplace import import_returns
from aftersales.store import privacy
from aftersales.store.conflicts import OrderMoved
from aftersales.store.files import StoredEvidence
from aftersales.store.imports import ImportedOrder
from aftersales.store.log import LoggedEvent
from aftersales.testing import Home
from aftersales.testing.house import AGENT, SELLER, SHOP, idr, line

BUYER = Actor(Party.BUYER, "by_canary-8841")
OTHER = Actor(Party.BUYER, "by_2")
NAME, NOTE, CLAIM, WORDS, ADDRESS = (
    "Siti Kenari-8842", "kenari-8843 in the note", "kenari-8844 in the claim", "kenari-8845 with the file",
    "https://files.example/kenari-8846.jpg",
)  # fmt: skip
CONTENT = b"\xff\xd8\xff\xe0" + b"kenari-8847" * 40
CANARIES = (b"canary-88", b"enari-88")


def told_of(home: Home, number: str, buyer: Actor = BUYER, **changes: Any) -> ImportedOrder:
    return ImportedOrder(
        SHOP.id, number, buyer.id, "IDR", OrderState.DELIVERED, home.clock() - timedelta(days=5),
        home.clock() - timedelta(days=1), idr(100_000), idr(0), (line(),), NAME, **changes,
    )  # fmt: skip


async def order(home: Home, number: str, buyer: Actor = BUYER) -> Any:
    ledger, told = home.running.desk.ledger, told_of(home, number, buyer)
    await ledger.import_shops([SHOP])
    await ledger.import_orders([told], home.clock())
    return await ledger.order(told.id)


async def linked(home: Home) -> str:
    id = new_id("ed")
    shown = Evidence(id, EvidenceKind.PHOTO, BUYER.party, BUYER.id)
    await home.running.desk.ledger.add_evidence(
        StoredEvidence(shown, ADDRESS, "image/jpeg", 1, "00", home.clock(), WORDS)
    )
    return id


async def uploaded(home: Home) -> str:
    """A file that lies in our own store."""
    id, locker = new_id("ed"), home.running.house.locker
    stored = StoredEvidence(
        Evidence(id, EvidenceKind.PHOTO, BUYER.party, BUYER.id), "", "image/jpeg", len(CONTENT),
        hashlib.sha256(CONTENT).hexdigest(), home.clock(), stored_as=f"{id}.jpg", upload_until=locker.upload_until(),
    )  # fmt: skip
    await home.running.desk.ledger.stage(stored, 10, home.clock())
    assert await locker.take(stored, _chunks())
    return id


async def _chunks() -> AsyncIterator[bytes]:
    yield CONTENT


async def settled(home: Home, number: str = "A1", buyer: Actor = BUYER) -> Request:
    """Claimed with words and files, rejected, disputed with more words, lost, and over."""
    files = [await linked(home), await uploaded(home)] if buyer is BUYER else []
    asked = claim(await order(home, number, buyer), note=NOTE, evidence_ids=tuple(files))
    used = key(f"open {number}", number, f"{buyer.party.title}:{buyer.id}:refundOnlyCreate")
    request = (await home.running.desk.open("refund_only", buyer, asked, used)).request
    request = await rejected(home, request, note="The seller's own words")
    request = await act(home, request, "dispute_open", buyer, given={"claim": CLAIM}, note=CLAIM)
    request = await act(home, request, "dispute_withdraw", buyer)
    await home.pass_time(days=60)
    return await home.request(request.id)


async def claimed(home: Home) -> Request:
    asked = claim(await order(home, "A1"), note=NOTE)
    return (await home.running.desk.open("refund_only", BUYER, asked)).request


async def erased(home: Home, buyer: Actor = BUYER, by: Actor = AGENT, **how: Any) -> Any:
    return await home.running.house.privacy.erase(buyer.id, by, **how)


def written(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes()


async def rows(home: Home) -> str:
    """All that the database says, table by table."""
    from aftersales.store.columns import COLUMNS
    from aftersales.store.database import Statement

    answers = await home.running.database.read(*(Statement(f"SELECT * FROM {table}") for table in COLUMNS))
    return repr(answers)


async def events_of(home: Home, request: Request) -> list[LoggedEvent]:
    return [event for event in await home.running.house.log.after(0) if event.request_id == request.id]


async def test_nothing_of_the_buyer_is_left_in_any_row_or_file(home: Home, tmp_path: Path) -> None:
    request = await settled(home)
    before = await rows(home)
    assert all(canary in before for canary in (BUYER.id, NAME, NOTE, CLAIM, WORDS, ADDRESS)), "there was all of it"
    assert any(CONTENT in content for _, content in written(tmp_path))

    done = await erased(home)

    after = await rows(home)
    assert [canary for canary in ("canary-88", "enari-88") if canary in after] == []
    assert [(path, canary) for path, content in written(tmp_path) for canary in CANARIES if canary in content] == []
    assert (done.erasure.orders, done.erasure.requests, done.erasure.files) == (1, 1, 2)
    assert (await home.request(request.id)).order.buyer_id == done.erasure.id


async def test_money_and_history_stay_and_the_erasure_stands_in_them(home: Home) -> None:
    request = await claimed(home)
    request = await act(home, request, "approve", note="The seller's own words")
    await home.pass_time(days=60)
    before = await home.request(request.id)
    said = await events_of(home, request)

    await erased(home)

    after, [*kept, last] = await home.request(request.id), await events_of(home, request)
    assert after.refunds == before.refunds
    assert after.refunds
    assert (after.stage, after.refund_paid, after.closed_at) == (before.stage, before.refund_paid, before.closed_at)
    assert after.version == before.version + 1
    mine = [event for event in kept if event.party is Party.BUYER]
    assert mine
    assert {(event.actor_id, event.note) for event in mine} == {(after.order.buyer_id, "")}
    assert [(event.type, event.rule, event.at, event.note) for event in kept if event not in mine] == [
        (event.type, event.rule, event.at, event.note) for event in said if event.party is not Party.BUYER
    ]
    assert "The seller's own words" in {event.note for event in kept}
    assert (last.type, last.rule, last.actor_id) == ("PersonalDataErased", "11", AGENT.id)


async def test_other_buyers_stay_as_they_are(home: Home) -> None:
    await settled(home)
    theirs = await settled(home, "B1", OTHER)
    before = await home.request(theirs.id)

    await erased(home)

    assert await home.request(theirs.id) == before


@pytest.mark.parametrize("stands", ["a review", "a refund to be paid", "a window to appeal"])
async def test_a_request_that_is_not_settled_stands_against_it(home: Home, stands: str) -> None:
    request = await claimed(home)
    if stands == "a refund to be paid":
        request = await act(home, request, "approve")
    if stands == "a window to appeal":
        # the platform has granted it, which the seller may appeal
        await act(home, request, "platform_approve", AGENT, note="It never came")
        await home.pass_time(minutes=1)
        assert (await home.request(request.id)).stage.final
    before = await rows(home)

    with pytest.raises(Refused) as refused:
        await erased(home)

    [problem] = refused.value.problems
    assert (problem.code, problem.guard) == ("INELIGIBLE", "G_SETTLED")
    assert request.number in problem.text()
    assert await rows(home) == before


async def test_of_whom_nothing_is_held_is_said(home: Home) -> None:
    assert await codes(erased(home)) == ["NOT_FOUND"]
    await settled(home)
    await erased(home)
    assert await codes(erased(home)) == ["NOT_FOUND"]


async def test_it_needs_the_platform_and_the_grant(home: Home) -> None:
    await settled(home)
    for actor in (BUYER, SELLER, Actor(Party.PLATFORM, "ag_2"), Actor(Party.CARRIER, "ca_1")):
        assert await codes(erased(home, by=actor)) == ["FORBIDDEN"]
    await erased(home, by=Actor(Party.PLATFORM, "ag_2", grants=frozenset({"privacy"})))


async def test_the_same_key_erases_once_and_tells_the_same_again(home: Home) -> None:
    await settled(home)
    used = key("gone", "by", "PLATFORM:ag_1:privacyErase")
    first = await erased(home, key=used)
    again = await erased(home, key=used)
    assert (again.erasure, again.replayed) == (first.erasure, True)
    assert await codes(erased(home, key=replace(used, fingerprint="another"))) == ["KEY_REUSED"]


async def test_an_import_does_not_bring_the_buyer_back(home: Home, tmp_path: Path) -> None:
    request = await settled(home)
    await order(home, "A2")
    await erased(home)
    ledger = home.running.desk.ledger

    for number in ("A1", "A2"):
        changed = told_of(home, number, fulfilment="SELLER")
        await ledger.import_orders([changed], home.clock())
        kept = await ledger.order(changed.id)
        assert kept is not None and kept.erased  # noqa: PT018
        assert kept.buyer_name is None
    returned = {
        "return_id": "1", "order_id": "A1", "return_type": "REFUND",
        "return_status": "RETURN_OR_REFUND_REQUEST_COMPLETE",
        "return_reason": "ecom_order_delivered_refund_reason_damaged", "return_reason_text": NOTE, "role": "BUYER",
        "create_time": int(home.clock().timestamp()) - 9, "update_time": int(home.clock().timestamp()) - 5,
        "refund_amount": {"currency": "IDR", "refund_total": "100000"},
        "return_line_items": [{"return_line_item_id": "1", "sku_id": "sku_1", "product_name": "Headset",
                               "refund_amount": {"currency": "IDR", "refund_total": "100000"}}],
    }  # fmt: skip
    file = tmp_path / "returns.jsonl"
    file.write_text(json.dumps(returned))
    results = [result async for result in import_returns(file, home.running.desk, SHOP)]
    file.unlink()

    assert [result.id for result in results] == ["1"]
    told = await rows(home)
    assert "xr_" in told, "the return was kept"
    assert [canary for canary in ("canary-88", "enari-88") if canary in told] == []
    assert (await home.request(request.id)).order.erased


async def test_more_orders_than_one_portion_go_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("aftersales.store.privacy", "aftersales.privacy"):
        monkeypatch.setattr(f"{module}.PORTION", 2)
    for number in range(5):
        await order(home, f"A{number}")
    await settled(home, "A9")

    done = await erased(home, key=key("gone", "by", "PLATFORM:ag_1:privacyErase"))

    assert (done.erasure.orders, done.erasure.requests, done.erasure.files) == (6, 1, 2)
    assert "canary-88" not in await rows(home)


async def test_what_is_claimed_meanwhile_stands_against_it(home: Home) -> None:
    """Both at once, many times: either the claim is the buyer's and nothing was erased, or there is no claim."""
    for number in range(20):
        bought = await order(home, f"A{number}")
        opening = home.running.desk.open("refund_only", BUYER, claim(bought))
        asked, gone = await asyncio.gather(codes(opening), codes(erased(home)))
        assert (asked, gone) in (([], ["INELIGIBLE"]), (["NOT_FOUND"], []))
        if not asked:
            [request] = await home.running.desk.ledger.requests_of_orders([bought.id])
            await act(home, await home.request(request), "close", AGENT, note="For the test")
            await home.pass_time(days=60)


async def test_files_that_an_erasure_did_not_come_to_are_deleted_later(home: Home, tmp_path: Path) -> None:
    """As after a crash between the commit and the deletion."""
    await settled(home)
    ledger = home.running.desk.ledger
    [held] = await ledger.held_orders(BUYER.id)
    done = privacy.Erasure(f"erased_{new_id('x')}", AGENT.id, "", home.clock(), 1, 0, 0)
    with pytest.raises(OrderMoved):
        await ledger.commit_erasure(BUYER.id, done, [replace(held, claims_version=99)], [], processed_at=home.clock())
    await ledger.commit_erasure(BUYER.id, done, [held], [], processed_at=home.clock())
    assert any(CONTENT in content for _, content in written(tmp_path)), "it lies there still"

    await home.running.house.locker.clear()

    assert not any(CONTENT in content for _, content in written(tmp_path))
    assert await ledger.doomed() == []
