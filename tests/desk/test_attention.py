"""What fails for good is put where a person sees it, and is let go on when that person says so."""

from pathlib import Path

from tests.graphql.server import AGENT, BUYER, SELLER, Bring, Open, Server, bring, line, opened, server
from tests.processes import run

from aftersales.store.database import Statement
from aftersales.testing import places

__all__ = ["bring", "opened", "server"]


async def test_a_parked_clock_is_listed_and_tried_again_when_told_to(
    server: Server, opened: Open, tmp_path: Path
) -> None:
    request = await opened()
    clock = await server.ask(
        "query($id: ID!) { request(by: {id: $id}) { nextDeadline { id } } }", SELLER, id=request["id"]
    )
    deadline = clock["request"]["nextDeadline"]["id"]
    await server.running.desk.ledger.park(deadline, "it would not fire", server.clock())
    settings = {"AFTERSALES_DATABASE": await places.place(tmp_path / "server.sqlite3")}

    listed = run("attention", settings=settings)
    freed = run("attention", "--retry", deadline, "--retry", "dl_nothing", settings=settings)

    assert listed.returncode == 1
    assert listed.stdout.startswith(f"{deadline}  review.first of {request['id']}")
    assert freed.returncode == 0
    assert freed.stdout.splitlines() == [
        f"{deadline} is tried again.", "dl_nothing is not parked.", "Nothing waits for a person.",
    ]  # fmt: skip
    await server.time_passes(days=2)
    found = await server.ask("query($id: ID!) { request(by: {id: $id}) { status } }", BUYER, id=request["id"])
    assert found["request"]["status"] == "COMPLETED"


async def test_a_refund_unasked_that_was_given_up_is_listed_until_somebody_has_seen_it(
    server: Server, bring: Bring, tmp_path: Path
) -> None:
    order, ledger = await bring(), server.running.desk.ledger
    given = {"orderId": order.id, "lines": [{"orderLineId": line(order)["orderLineId"]}], "reason": "goodwill"}
    refund = (await server.do("sellerRefundCreate", SELLER, "refund { id }", **given))["refund"]["id"]
    settings = {"AFTERSALES_DATABASE": await places.place(tmp_path / "server.sqlite3")}

    early = run("attention", "--seen", refund, settings=settings)
    await ledger.seller_refund_not_paid(refund, tries=0, again_at=None, unknown=False, stuck_at=server.clock())
    listed = run("attention", settings=settings)
    seen = run("attention", "--seen", refund, settings=settings)

    assert early.stdout.splitlines() == [f"{refund} was not given up.", "Nothing waits for a person."]
    assert listed.returncode == 1
    assert listed.stdout.startswith(f"{refund}  200000 IDR of order {order.id}, unasked, tried 1 times: given up")
    assert (seen.returncode, seen.stdout.splitlines()[0]) == (0, f"{refund} is listed no more.")
    assert [kept.status.value for kept in (await ledger.seller_refunds([order.id]))[order.id]] == ["FAILED"]


async def test_the_platform_may_close_what_time_cannot_move(server: Server, opened: Open) -> None:
    """C20 is the way out when a clock is stuck."""
    request = await opened()
    server.clock.passes(days=3)
    await server.running.database.write(Statement("UPDATE deadlines SET parked_at = 1"))
    offered = "query($id: ID!) { request(by: {id: $id}) { availableActions { handle } } }"

    actions = await server.ask(offered, AGENT, id=request["id"])
    late = await server.do("requestCancel", BUYER, requestId=request["id"], expectedVersion=1)
    closed = await server.do(
        "requestClose", AGENT, requestId=request["id"], expectedVersion=1, note="The clock is stuck."
    )

    assert actions["request"]["availableActions"] == [{"handle": "close"}]
    assert [problem["code"] for problem in late["problems"]] == ["DEADLINE_PASSED"]
    assert closed["problems"] == []
    assert closed["request"]["status"] == "CLOSED"
