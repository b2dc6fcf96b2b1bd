"""What goes into the ledger comes out of it, once; and of two who change the same thing, one hears of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.builders import (
    BUYER,
    CARRIER,
    NOON,
    SELLER,
    SYSTEM,
    Counted,
    digits,
    money,
    nothing_known,
    stage_of,
    terms,
    world,
)

from aftersales.engine.refusal import Refused
from aftersales.engine.request import ClockStatus, RefundStatus, Request
from aftersales.engine.vocabulary import Evidence, EvidenceKind, Party, ReturnMethod
from aftersales.store.files import StoredEvidence
from aftersales.store.keys import Key
from aftersales.store.ledger import KeyTaken, Ledger, NumberTaken, OrderMoved, StaleVersion
from aftersales.store.log import Log

STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("approve", {}),
    ("choose_method", {"method": ReturnMethod.PICK_UP}),
    ("schedule_pickup", {"pickup_at": NOON + timedelta(days=1)}),
    ("pickup_failed", {}),
    ("handed_over", {"carrier": "JNE", "tracking": "JP1"}),
    ("delivered", {}),
    ("accept_package", {}),
    ("refund_failed", {}),
    ("refund_paid", {}),
)
ACTORS = {
    "choose_method": BUYER, "schedule_pickup": BUYER, "pickup_failed": CARRIER, "handed_over": CARRIER,
    "delivered": CARRIER, "refund_failed": SYSTEM, "refund_paid": SYSTEM,
}  # fmt: skip


def bare(request: Request) -> Request:
    """A request but for the claims on its order, which the change itself moved."""
    return replace(request, order=replace(request.order, claims=(), claims_version=0))


async def test_a_request_reads_back_as_it_was_written_at_every_step_of_its_life(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        details = {"wish": ["a", 1, None]}
        change = w.opening(await w.order(), "return_refund", 2, details=details, return_method=ReturnMethod.DROP_OFF)
        written = await w.commit(change)
        read = await w.load(written.id)
        assert bare(read) == bare(written)

        for action, given in STEPS:
            if read.refunds:
                given = {"refund_id": read.refunds[-1].id}
            written = await w.commit(w.decide(read, action, ACTORS.get(action, SELLER), **given))
            read = await w.load(written.id)

            assert bare(read) == bare(written), action

        assert (read.version, read.stage.name) == (len(STEPS) + 1, "completed")


async def test_a_request_of_a_kind_that_is_gone_is_read_by_what_was_stored_of_its_stage(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        known = await w.open(await w.order())
        orphan = await Ledger(w.ledger.database, nothing_known, digits).request(known.id)

        assert orphan is not None
        stage, was = orphan.stage, known.stage
        assert (stage.name, stage.status, stage.label, stage.waits_for) == (
            was.name,
            was.status,
            was.label,
            was.waits_for,
        )
        assert replace(bare(orphan), stage=was) == bare(known)


async def test_what_others_claimed_of_an_order_counts_though_the_payment_failed_as_it_is_tried_again(
    tmp_path: Path,
) -> None:
    async with world(tmp_path / "s.db") as w:
        order = await w.order()
        first = await w.open(order, quantity=2)
        paid = await w.act(first, "approve")
        claimed = [(c.order_line_id, c.quantity, c.active, c.full) for c in (await w.order()).claims]
        assert claimed == [(order.lines[0].id, 2, True, True)]
        assert (await w.order()).refunded() == money("43.33")

        await w.act(paid, "refund_failed", SYSTEM, refund_id=paid.refunds[0].id)

        assert (await w.order()).refunded() == money("43.33")


async def test_of_two_changes_to_one_version_the_second_is_stale_and_writes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        await w.act(request, "approve")
        log = Log(w.ledger.database)
        before = await log.after(0)

        with pytest.raises(StaleVersion):
            await w.act(request, "reject", reason="unclear_or_no_evidence", note="No")

        assert (await w.load(request.id)).version == 2
        assert await log.after(0) == before


async def test_two_claims_by_the_same_view_of_an_order_do_not_both_succeed(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        order = await w.order()
        changes = [w.opening(order, quantity=3), w.opening(order, quantity=3)]

        answers = await asyncio.gather(*(w.commit(change) for change in changes), return_exceptions=True)

        assert [type(answer) for answer in answers] == [Request, OrderMoved]
        assert await w.ledger.requests_of_order(order.id) == [changes[0].request.id]


async def test_a_number_is_given_once(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        first = await w.open(await w.order())
        second = w.opening(await w.order("A2"))

        with pytest.raises(NumberTaken):
            await w.commit(replace(second, request=replace(second.request, number=first.number)))


async def test_a_key_has_one_effect_and_is_free_again_when_its_time_is_over(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        key = Key("BUYER:by_1:refundOnlyOpen", "k1", "f1")
        request = await w.open(await w.order(), key=key)
        again = w.opening(await w.order(), line=1)

        with pytest.raises(KeyTaken):
            await w.commit(again, key=key)
        remembered = await w.ledger.remembered(key, NOON - timedelta(hours=72))
        assert remembered is not None
        assert (remembered.request_id, remembered.fingerprint, remembered.version) == (request.id, "f1", 1)
        assert remembered.created_at == NOON

        later = NOON + timedelta(hours=72, seconds=1)
        assert await w.ledger.remembered(key, later - timedelta(hours=72)) is None
        await w.commit(again, key=key, processed_at=later)
        assert await w.ledger.forget(later) == 0
        assert await w.ledger.forget(later + timedelta(seconds=1)) == 1


async def test_an_edit_is_one_transaction_though_it_touches_the_order_twice(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        old = await w.open(await w.order())
        closing = w.decide(old, "edit", BUYER)
        opening = w.opening(replace(old.order, claims=()))

        await w.commit(closing, opening)

        assert (await w.load(old.id)).stage.name == "closed"
        assert (await w.load(opening.request.id)).version == 1


async def test_warnings_and_acts_that_race_keep_both_sequences_without_a_gap(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        requests = [await w.open(await w.order(f"A{n}", f"sh_{n % 2 + 1}")) for n in range(12)]
        warned_at = NOON + timedelta(days=1)

        await asyncio.gather(
            *(w.warn(request, warned_at) for request in requests),
            *(w.act(request, "approve") for request in requests),
            *(w.warn(request, warned_at) for request in requests),
            return_exceptions=True,
        )

        log = Log(w.ledger.database)
        for shop in ("sh_1", "sh_2"):
            events = await log.since({shop: 0})
            assert [event.position for event in events] == list(range(1, len(events) + 1))
            assert (await log.positions([shop]))[shop] == len(events)
        for request in requests:
            history = (await log.history([request.id], 100))[request.id][::-1]
            assert [event.sequence for event in history] == list(range(1, len(history) + 1))
            assert [event.version for event in history] == sorted(event.version for event in history)
            assert [event.type for event in history].count("DeadlineWarning") <= 1
            assert history[-1].version == 2


async def test_a_warning_leaves_the_version_and_is_given_once(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        [due] = await w.ledger.due(NOON + timedelta(days=1))
        assert (due.warning, due.wake_at) == (True, NOON + timedelta(days=1))

        await w.warn(request, due.wake_at)
        with pytest.raises(StaleVersion):
            await w.warn(request, due.wake_at)

        assert bare(await w.load(request.id)) == bare(request)
        assert await w.ledger.next_wake() == NOON + timedelta(days=2, hours=-6)


async def test_evidence_belongs_to_the_first_request_it_is_shown_for(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        photo = Evidence("ed_1", EvidenceKind.PHOTO, Party.BUYER, "by_1")
        video = Evidence("ed_2", EvidenceKind.VIDEO, Party.BUYER, "by_1")
        for item in (photo, video):
            await w.ledger.add_evidence(StoredEvidence(item, "https://files/1", "image/png", 5, "0" * 64, NOON))
        assert (await w.ledger.evidence(["ed_1"]))["ed_1"].status == "STAGED"

        request = await w.open(await w.order(), evidence=(video, photo))

        assert bare(await w.load(request.id)) == bare(request)
        stored = (await w.ledger.evidence(["ed_1", "ed_9"]))["ed_1"]
        assert (stored.status, stored.owner_id, stored.submitted_at) == ("SUBMITTED", request.id, NOON)
        shown = await w.ledger.evidence_of([request.id])
        assert [item.evidence for item in shown[request.id]] == [video, photo]
        with pytest.raises(Refused):
            await w.open(await w.order("A2"), evidence=(photo,))


async def test_a_file_whose_content_has_not_come_is_not_committed_whatever_was_read(tmp_path: Path) -> None:
    """G_EVIDENCE."""
    async with world(tmp_path / "s.db") as w:
        photo = Evidence("ed_1", EvidenceKind.PHOTO, Party.BUYER, "by_1")
        stored = StoredEvidence(photo, "", "image/png", 5, "0" * 64, NOON, stored_as="1/ed_1", upload_until=NOON)
        assert await w.ledger.stage(stored, 1, NOON)

        with pytest.raises(Refused):
            await w.open(await w.order("A1"), evidence=(photo,))
        assert [await w.ledger.uploaded("ed_1", NOON) for _ in range(2)] == [True, False]

        request = await w.open(await w.order("A2"), evidence=(photo,))
        assert (await w.ledger.evidence(["ed_1"]))["ed_1"].owner_id == request.id


async def test_of_two_files_for_the_same_place_only_one_is_committed(tmp_path: Path) -> None:
    """G_EVIDENCE."""
    async with world(tmp_path / "s.db") as w:
        items = [Evidence(f"ed_{n}", EvidenceKind.PHOTO, Party.BUYER, "by_1") for n in range(3)]
        for item in items:
            supersedes = None if item is items[0] else "ed_0"
            await w.ledger.add_evidence(
                StoredEvidence(item, "https://files/1", "image/png", 5, "0" * 64, NOON, supersedes_id=supersedes)
            )
        await w.open(await w.order("A1"), evidence=(items[1],))

        with pytest.raises(Refused):
            await w.open(await w.order("A2"), evidence=(items[2],))

        found = await w.ledger.evidence(["ed_0", "ed_1", "ed_2"])
        assert [(item.superseded_by_id, item.rival_id) for item in found.values()] == [
            ("ed_1", None), (None, None), (None, "ed_1"),
        ]  # fmt: skip


async def test_evidence_goes_on_to_the_request_that_replaces_its_own(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        photo = Evidence("ed_1", EvidenceKind.PHOTO, Party.BUYER, "by_1")
        await w.ledger.add_evidence(StoredEvidence(photo, "https://files/1", "image/png", 5, "0" * 64, NOON))
        old = await w.open(await w.order(), evidence=(photo,))
        opening = w.opening(replace(old.order, claims=()), evidence=(photo,))
        opening = replace(opening, request=replace(opening.request, previous_id=old.id))

        await w.commit(w.decide(old, "edit", BUYER), opening)

        assert (await w.load(old.id)).evidence == (await w.load(opening.request.id)).evidence == (photo,)


async def test_the_cost_of_a_page_does_not_grow_with_its_size(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        ids = [(await w.open(await w.order(f"A{n}"), terms=terms(f"v{n % 3}"))).id for n in range(30)]
        counted = Counted(w.ledger.database)
        ledger = Ledger(counted, stage_of, digits)
        await ledger.requests(ids)
        counted.hops.clear()

        for size in (1, 10, 30):
            await ledger.requests(ids[:size])
            await ledger.requests(ids[:size], lean=True)
        await Log(counted).history(ids, 3)

        assert counted.hops == [16, 9, 16, 9, 16, 9, 1]


async def test_requests_come_in_the_order_asked_for_and_without_those_that_are_not_there(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        made = [await w.open(await w.order(f"A{n}")) for n in range(3)]

        found = await w.ledger.requests([made[2].id, "rq_none", made[0].id])

        assert list(found) == [made[2].id, made[0].id]
        assert await w.ledger.requests([]) == {}
        by_number = await w.ledger.by_number(made[1].number)
        assert by_number is not None
        assert by_number.id == made[1].id
        assert await w.ledger.by_number("AS-NONE") is None


async def test_a_parcel_is_found_by_its_tracking_number(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order(), kind="return_refund")
        request = await w.act(request, "approve")
        request = await w.act(request, "handed_over", CARRIER, tracking="JP1", carrier="JNE")

        assert await w.ledger.find_parcel("JP1") == [(request.id, request.shipments[0])]
        assert await w.ledger.find_parcel("JP2") == []


async def test_a_change_of_many_parts_fails_as_a_whole(tmp_path: Path) -> None:
    async with world(tmp_path / "s.db") as w:
        request = await w.open(await w.order())
        change = w.decide(request, "approve")
        ghost = replace(change.request.refunds[0], lines=(("ol_none", money("0.001")),))

        with pytest.raises(ValueError, match="more than 2 decimals"):
            await w.commit(replace(change, request=replace(change.request, refunds=(ghost,))))

        assert bare(await w.load(request.id)) == bare(request)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["approve", "reject", "cancel", "close", "pass"]), max_size=6), st.data())
async def test_whatever_happens_the_log_and_the_record_agree(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str], data: st.DataObject
) -> None:
    async with world(tmp_path_factory.mktemp("walk") / "s.db") as w:
        request = await w.open(await w.order(), kind=data.draw(st.sampled_from(["refund_only", "return_refund"])))
        for action in acts:
            try:
                if action == "pass" and (clock := request.next_clock) and clock.due_at:
                    request = await w.act(request, f"expire:{clock.key}", SYSTEM, clock.due_at)
                elif action != "pass":
                    actor = BUYER if action == "cancel" else replace(SYSTEM, party=Party.PLATFORM)
                    request = await w.act(request, action, actor, note="Because", reason="unclear_or_no_evidence")
            except Refused:
                continue

        history = (await Log(w.ledger.database).history([request.id], 100))[request.id]
        assert history[0].to_stage == request.stage.name
        assert history[0].version == request.version
        assert {event.version for event in history} == set(range(1, request.version + 1))
        running = [clock.id for clock in request.clocks if clock.status is ClockStatus.RUNNING]
        due = await w.ledger.due(NOON + timedelta(days=999))
        assert [item.deadline_id for item in due] == running
        pending = [refund.id for refund in request.refunds if refund.status is RefundStatus.PENDING]
        assert [refund.id for refund in await w.ledger.refunds_due(NOON + timedelta(days=999))] == pending
