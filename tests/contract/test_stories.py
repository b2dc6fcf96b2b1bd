"""Every kind walked through by GraphQL alone, with the operations that a front end finds in `operations/stories`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from tests.contract.town import SCHEMA

from aftersales.engine.vocabulary import Actor
from aftersales.graphql.context import context_for
from aftersales.testing.house import AGENT, BUYER, CARRIER, SELLER, SHOP, Home, house

PUBLISHED = build_schema((SCHEMA / "aftersales.graphql").read_text(encoding="utf-8"))
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SCHEMA.glob("operations/stories/*.graphql"))}
KINDS = ("refund_only", "return_refund", "reshipment", "exchange")
HALF = {"amount": "50000", "currency": "IDR"}

Told = dict[str, Any]


class Walk:
    """Somebody who has only the operations of one file."""

    def __init__(self, home: Home, file: str) -> None:
        self.home, self.text = home, FILES[file]
        self.kind = file.rpartition("_")[0]
        self.names = operations(file)
        self.done: set[str] = set()
        self.line = ""
        self._count = count(1)

    async def ask(self, name: str, actor: Actor, **variables: Any) -> Any:
        self.done.add(name)
        prepared = self.home.operations.prepare(self.text, name, variables)
        result = await self.home.operations.execute(prepared, context_for(self.home.running.house, actor, "en"))
        assert not result.errors, result.errors
        assert result.data is not None
        [answer] = result.data.values()
        return answer

    async def do(self, name: str, actor: Actor, **input: Any) -> Told:
        answer: Told = await self.ask(name, actor, input={"idempotencyKey": f"{name}-{next(self._count)}", **input})
        assert answer["problems"] == [], (name, answer["problems"])
        return answer

    async def act(self, name: str, actor: Actor, request: Told, **input: Any) -> Told:
        version = (await self.look(request))["version"]
        answer = await self.do(name, actor, requestId=request["id"], expectedVersion=version, **input)
        found: Told = answer["request"]
        return found

    async def about(self, name: str, actor: Actor, appeal: Told, **input: Any) -> Told:
        answer = await self.do(name, actor, appealId=appeal["id"], expectedVersion=appeal["version"], **input)
        found: Told = answer["appeal"]
        return found

    async def look(self, request: Told) -> Told:
        found: Told = await self.ask("Look", SELLER, by={"id": request["id"]})
        return found

    async def order(self, market: str = "ID") -> Told:
        """A headset that came yesterday."""
        number, now = f"{next(self._count)}", self.home.clock()
        shop = {"id": f"{SHOP.id[3:]}", "name": SHOP.name, "market": "ID", "kind": "MALL"}
        if market != "ID":
            # the market of a shop stays: this one is there from the beginning
            await self.home.running.desk.ledger.import_shops([replace(SHOP, market=market)])
            shop["market"] = market
        line = {"skuId": "sku_1", "productName": "Headset", "quantity": 1, "unitPaid": "100000"}
        order = {
            "number": number, "shopId": shop["id"], "buyer": {"id": BUYER.id[3:]}, "currency": "IDR",
            "state": "DELIVERED", "placedAt": (now - timedelta(days=5)).isoformat(),
            "deliveredAt": (now - timedelta(days=1)).isoformat(), "lines": [line],
        }  # fmt: skip
        [row] = (await self.do("OrderComes", AGENT, shops=[shop], orders=[order]))["results"]
        assert row["outcome"] == "CREATED", row
        found: Told = row["order"]
        return found

    async def asked(self, method: str = "DROP_OFF", market: str = "ID") -> Told:
        """The buyer asks for what the file is about."""
        order = await self.order(market)
        line = self.line = order["lines"][0]["id"]
        more: dict[str, Told] = {
            "refund_only": {"reason": "other", "note": "It is not what I thought."},
            "return_refund": {"reason": "wrong_size", "returnMethod": method},
            "exchange": {
                "reason": "wants_other_variation", "returnMethod": method,
                "wanted": [{"orderLineId": line, "skuId": "sku_1b"}],
            },
            "reshipment": {"reason": "missing_item"},
        }  # fmt: skip
        if self.kind == "reshipment":
            more[self.kind]["evidenceIds"] = [await self.file(BUYER)]
        claim = {"orderId": order["id"], "lines": [{"orderLineId": line, "quantity": 1}], **more[self.kind]}
        opened: Told = (await self.do("BuyerAsks", BUYER, **claim))["request"]
        assert opened["status"] == "PENDING_REVIEW"
        return opened

    async def approved(self, method: str = "DROP_OFF", market: str = "ID") -> Told:
        return await self.act("SellerApproves", SELLER, await self.asked(method, market))

    async def file(self, actor: Actor, kind: str = "PHOTO") -> str:
        said = {
            "mediaType": "video/mp4" if kind == "VIDEO" else "image/jpeg",
            "bytes": 1000,
            "sha256": sha256(b"a photo").hexdigest(),
        }
        linked = await self.do("FileIsLinked", actor, kind=kind, url="https://files.example/1.jpg", **said)
        id: str = linked["evidence"]["id"]
        return id

    async def scan(self, request: Told, event: str, leg: str = "RETURN") -> Told:
        where = {"requestId": request["id"], "leg": leg, "trackingNumber": f"{leg}{request['id'][-8:]}"}
        [row] = (await self.do("CarrierScans", CARRIER, scans=[{"event": event, "carrier": "JNE", **where}]))["results"]
        assert row["outcome"] == "DONE", row
        found: Told = row["request"]
        return found

    async def came_back(self, request: Told) -> Told:
        await self.scan(request, "HANDED_OVER")
        return await self.scan(request, "DELIVERED")

    async def sent(self, request: Told) -> Told:
        tracking = f"OUTBOUND{request['id'][-8:]}"
        return await self.act("SellerSends", SELLER, request, carrier="JNE", tracking=tracking)

    async def rejected_parcel(self, market: str = "ID") -> Told:
        request = await self.came_back(await self.approved(market=market))
        shown = [await self.file(SELLER)]
        return await self.act("SellerRejectsParcel", SELLER, request, reason="pkg_damaged_used", evidenceIds=shown)

    async def heard(self, request: Told) -> Told:
        """Both sides have had their say before the platform."""
        await self.act("BuyerDisputes", BUYER, request, note="That is not so.")
        for actor in (BUYER, SELLER):
            request = await self.act("EvidenceIsGiven", actor, request)
        return request

    async def settle(self, request: Told) -> Told:
        """Let the bank do its part."""
        await self.home.pass_time(minutes=1)
        return await self.look(request)


def operations(file: str) -> list[str]:
    found = [node for node in parse(FILES[file]).definitions if isinstance(node, OperationDefinitionNode)]
    return [node.name.value for node in found if node.name]


STORIES: dict[str, Callable[[Walk], Awaitable[None]]] = {}


def story(*files: str) -> Callable[[Callable[[Walk], Awaitable[None]]], Callable[[Walk], Awaitable[None]]]:
    """What the operations of these files tell."""

    def kept(tell: Callable[[Walk], Awaitable[None]]) -> Callable[[Walk], Awaitable[None]]:
        STORIES.update(dict.fromkeys(files, tell))
        return tell

    return kept


@pytest.mark.parametrize("file", FILES)
def test_the_operations_of_a_story_are_valid(file: str) -> None:
    assert validate(PUBLISHED, parse(FILES[file])) == []
    assert FILES[file].startswith("# ")


# The seller centre knows no part of the money for a refund without return; a market that does says so.
PARTS = """
version = "parts"
policies = [
  { key = "offer.refund_only.partial", value = true, unit = "FLAG", market = "ID", mark = "INF", source = "ours" },
]
"""


@pytest.mark.parametrize("file", FILES)
async def test_a_story_comes_to_its_end_by_its_own_operations(file: str, tmp_path: Path) -> None:
    (tmp_path / "parts.toml").write_text(PARTS, encoding="utf-8")
    async with house(policies=tmp_path) as home:
        walk = Walk(home, file)
        await STORIES[file](walk)

    assert walk.done == set(walk.names)


def test_every_kind_has_its_stories() -> None:
    told = {f"{kind}_{story}" for kind in KINDS for story in ("happy", "silence", "dispute", "offer")}

    assert FILES.keys() == STORIES.keys() == told


def rules(seen: Told) -> list[str]:
    """Oldest first, each once."""
    return list(dict.fromkeys(node["rule"] for node in reversed(seen["history"]["nodes"]) if node["rule"]))


# -- happy paths


@story("refund_only_happy")
async def refund(walk: Walk) -> None:
    end = await walk.settle(await walk.approved())

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "100000")
    assert rules(end) == ["C1", "RO1", "C18"]


@story("return_refund_happy")
async def goods_back_and_money(walk: Walk) -> None:
    request = await walk.came_back(await walk.approved())

    end = await walk.settle(await walk.act("SellerAccepts", SELLER, request))

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "100000")
    assert rules(end)[-1] == "C18"


@story("reshipment_happy")
async def goods_once_more(walk: Walk) -> None:
    request = await walk.sent(await walk.approved())

    end = await walk.look(await walk.scan(request, "DELIVERED", "OUTBOUND"))

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "0")
    assert rules(end)[-2:] == ["RS3", "RS6"]


@story("exchange_happy")
async def goods_for_goods(walk: Walk) -> None:
    back = await walk.came_back(await walk.approved())
    accepted = await walk.act("SellerAccepts", SELLER, back)
    assert accepted["stage"]["handle"] == "awaiting_seller_ship"

    end = await walk.look(await walk.scan(await walk.sent(accepted), "DELIVERED", "OUTBOUND"))

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "0")


# -- an offer


@story("refund_only_offer")
async def a_part_of_the_money(walk: Walk) -> None:
    offered = await walk.act("SellerOffers", SELLER, await walk.asked(), kind="PARTIAL_REFUND", amount=HALF)
    assert offered["status"] == "AWAITING_BUYER_RESPONSE"

    end = await walk.settle(await walk.act("BuyerAccepts", BUYER, offered))

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "50000")
    assert end["offers"] == [{"kind": "PARTIAL_REFUND", "status": "ACCEPTED"}]


@story("reshipment_offer")
async def all_the_money_at_once(walk: Walk) -> None:
    """C5a; case 9."""
    offered = await walk.act("SellerOffers", SELLER, await walk.asked(), kind="FULL_REFUND")
    assert offered["status"] == "REFUNDING"

    end = await walk.settle(offered)

    assert (end["status"], end["money"]["paid"]["amount"]) == ("COMPLETED", "100000")
    assert end["offers"] == [{"kind": "FULL_REFUND", "status": "AUTO_ACCEPTED"}]


@story("return_refund_offer")
async def a_return_becomes_an_exchange(walk: Walk) -> None:
    request = await walk.asked()
    wanted = [{"orderLineId": walk.line, "skuId": "sku_1b"}]
    offered = await walk.act("SellerOffers", SELLER, request, kind="EXCHANGE", wanted=wanted)
    accepted = await walk.act("BuyerAccepts", BUYER, offered)
    assert accepted["stage"]["handle"] == "awaiting_buyer_ship"

    back = await walk.act("SellerAccepts", SELLER, await walk.came_back(accepted))
    end = await walk.look(await walk.scan(await walk.sent(back), "DELIVERED", "OUTBOUND"))

    assert (end["kind"]["handle"], end["status"]) == ("exchange", "COMPLETED")
    assert "RequestConverted" in [node["type"] for node in end["history"]["nodes"]]
    assert {"C1", "C5", "C7"} <= set(rules(end))


@story("exchange_offer")
async def an_exchange_becomes_a_return(walk: Walk) -> None:
    offered = await walk.act("SellerOffers", SELLER, await walk.asked(), kind="RETURN_REFUND")
    accepted = await walk.act("BuyerAccepts", BUYER, offered)
    assert accepted["stage"]["handle"] == "awaiting_buyer_ship"

    end = await walk.settle(await walk.act("SellerAccepts", SELLER, await walk.came_back(accepted)))

    assert (end["kind"]["handle"], end["status"]) == ("return_refund", "COMPLETED")
    assert end["money"]["paid"]["amount"] == "100000"
    assert {"C1", "C5", "C7", "C18"} <= set(rules(end))


# -- rejection, dispute, appeal


async def appealed(walk: Walk, request: Told, ground: str, reason: str, shown: list[str]) -> None:
    """The refund is paid; the seller appeals, and is made whole by half."""
    paid = await walk.settle(request)
    assert (paid["status"], paid["money"]["paid"]["amount"]) == ("COMPLETED", "100000")
    [appeal] = (await walk.ask("SellerFindsAppeals", SELLER))["nodes"]
    assert appeal["ground"]["handle"] == ground

    files = [await walk.file(SELLER, kind) for kind in shown]
    said = {"reason": reason, "statement": "It was in order.", "evidenceIds": files}
    appeal = await walk.about("SellerAppeals", SELLER, appeal, **said)
    appeal = await walk.about("PlatformTakesUp", AGENT, appeal)
    appeal = await walk.about("PlatformGrantsAppeal", AGENT, appeal, amount=HALF, note="Both are to blame.")
    assert appeal["status"] == "APPROVED"
    await walk.act("CompensationIsPaid", AGENT, request)

    end = await walk.look(request)
    assert end["history"]["nodes"][0]["type"] == "CompensationPaid"
    assert end["money"]["paid"]["amount"] == "100000"


@story("refund_only_dispute")
async def a_rejection_that_does_not_stand(walk: Walk) -> None:
    request = await walk.act("SellerRejects", SELLER, await walk.asked(), reason="unclear_or_no_evidence")
    heard = await walk.heard(request)

    decided = await walk.act("PlatformDecides", AGENT, heard, decision="BUYER", note="Nobody signed.")

    assert decided["status"] == "REFUNDING"
    await appealed(walk, decided, "arbitration_unfair", "delivered_to_address", ["AWB", "PHOTO"])


@story("return_refund_dispute", "exchange_dispute")
async def a_parcel_that_was_in_order(walk: Walk) -> None:
    """C12."""
    heard = await walk.heard(await walk.rejected_parcel())

    decided = await walk.act("PlatformDecides", AGENT, heard, decision="BUYER", note="It is as new.")

    assert decided["status"] == "REFUNDING"
    await appealed(walk, decided, "arbitration_unfair", "return_damaged_or_used", ["VIDEO", "PHOTO", "AWB"])


@story("reshipment_dispute")
async def a_parcel_that_was_lost(walk: Walk) -> None:
    """C11, RS7."""
    request = await walk.act("SellerRejects", SELLER, await walk.asked(), reason="unclear_or_no_evidence")
    decided = await walk.act(
        "PlatformDecides", AGENT, await walk.heard(request), decision="BUYER", note="It was missing."
    )
    assert decided["stage"]["handle"] == "awaiting_seller_ship"

    lost = await walk.scan(await walk.sent(decided), "LOST", "OUTBOUND")

    assert lost["status"] == "REFUNDING"
    await appealed(walk, lost, "auto_refund_delivery_delay", "late_not_our_fault", ["AWB", "PHOTO"])


# -- silence


async def silence(walk: Walk, request: Told, key: str) -> Told:
    """Time alone goes on until this clock has run out."""
    seen = await walk.look(request)
    appeal = seen["appeal"] or {}
    clocks = [
        *seen["deadlines"],
        *(clock for dispute in seen["disputes"] for clock in dispute["deadlines"]),
        *([appeal["nextDeadline"]] if appeal.get("nextDeadline") else []),
    ]
    due = next(clock["dueAt"] for clock in clocks if clock["handle"] == key)
    left = datetime.fromisoformat(due) - walk.home.clock()
    await walk.home.pass_time(seconds=left.total_seconds())
    return await walk.look(request)


Way = Callable[[Walk], Awaitable[Told]]


async def offered(walk: Walk) -> Told:
    return await walk.act("SellerOffers", SELLER, await walk.asked(), kind="PARTIAL_REFUND", amount=HALF)


async def rejected(walk: Walk) -> Told:
    return await walk.act("SellerRejects", SELLER, await walk.asked(), reason="unclear_or_no_evidence")


async def disputed(walk: Walk) -> Told:
    return await walk.act("BuyerDisputes", BUYER, await rejected(walk), note="That is not so.")


async def judged(walk: Walk) -> Told:
    return await walk.heard(await rejected(walk))


async def handed_over(walk: Walk) -> Told:
    return await walk.scan(await walk.approved(), "HANDED_OVER")


async def arrived(walk: Walk) -> Told:
    return await walk.came_back(await walk.approved())


async def failed(walk: Walk) -> Told:
    return await walk.scan(await handed_over(walk), "FAILED")


async def by_self(walk: Walk) -> Told:
    return await walk.approved("SELF_ARRANGED")


async def by_pickup(walk: Walk) -> Told:
    return await walk.approved("PICK_UP")


async def self_arranged(walk: Walk) -> Told:
    request = await walk.approved("SELF_ARRANGED")
    return await walk.act("BuyerSends", BUYER, request, carrier="JNE", tracking="J1")


async def self_arranged_and_here(walk: Walk) -> Told:
    return await walk.act("SellerReceives", SELLER, await self_arranged(walk))


async def pickup_booked(walk: Walk) -> Told:
    request = await walk.approved("PICK_UP")
    at = (walk.home.clock() + timedelta(hours=20)).isoformat()
    return await walk.act("PickupIsBooked", BUYER, request, pickupAt=at)


async def speedy(walk: Walk) -> Told:
    promised = await walk.act("PlatformPromisesSpeed", AGENT, await walk.approved())
    return await walk.settle(await walk.scan(promised, "HANDED_OVER"))


async def to_go_back(walk: Walk) -> Told:
    heard = await walk.heard(await walk.rejected_parcel("VN"))
    return await walk.act("PlatformDecides", AGENT, heard, decision="SELLER", note="Worn.", sendBack=True)


async def to_be_sent(walk: Walk) -> Told:
    if walk.kind == "reshipment":
        return await walk.approved()
    return await walk.act("SellerAccepts", SELLER, await walk.came_back(await walk.approved()))


async def on_its_way(walk: Walk) -> Told:
    return await walk.sent(await to_be_sent(walk))


async def appealable(walk: Walk) -> Told:
    return await walk.settle(await walk.act("PlatformApproves", AGENT, await walk.asked()))


async def appeal_filed(walk: Walk) -> Told:
    request = await appealable(walk)
    files = [await walk.file(SELLER, "AWB"), await walk.file(SELLER)]
    said = {"reason": "delivered_to_address", "statement": "He signed.", "evidenceIds": files}
    await walk.about("SellerAppeals", SELLER, request["appeal"], **said)
    return await walk.look(request)


async def appeal_asked_about(walk: Walk) -> Told:
    request = await appeal_filed(walk)
    taken = await walk.about("PlatformTakesUp", AGENT, request["appeal"])
    await walk.about("PlatformAsksForMore", AGENT, taken, note="Who signed?")
    return request


# The clock, what leads to it, the stage that its end leads to, and the rule.
# fmt: off
COMMON: tuple[tuple[str, Way, str, str], ...] = (
    ("offer.response",        offered,       "pending_review",      "C6x"),
    ("rejection.followup",    rejected,      "closed",              "C10"),
    ("dispute.evidence",      disputed,      "rejected",            "DI3"),
    ("dispute.decision",      judged,        "rejected",            "DI7"),
)
SENDING: tuple[tuple[str, Way, str, str], ...] = (
    ("failed_return.claim",   failed,        "return_in_transit",   "RR17"),
    ("back_to_buyer.ship",    to_go_back,    "closed",              "C13"),
)
SILENCE: dict[str, tuple[tuple[str, Way, str, str], ...]] = {
    "refund_only": (
        ("review.first",          Walk.asked,         "completed",            "C17"),
        *COMMON,
        ("appeal.window",         appealable,         "completed",            "AP3"),
        ("appeal.decision",       appeal_filed,       "completed",            "AP13"),
        ("appeal.evidence",       appeal_asked_about, "completed",            "AP8"),
    ),
    "return_refund": (
        ("review.first",          Walk.asked,             "awaiting_buyer_ship",  "C17"),
        *COMMON, *SENDING,
        ("ship_back.drop_off",    Walk.approved,          "closed",               "RR10"),
        ("ship_back.pickup",      pickup_booked,          "awaiting_buyer_ship",  "RR6"),
        ("ship_back.self",        by_self,                "closed",               "RR10"),
        ("ship_back.pickup_date", by_pickup,              "awaiting_buyer_ship",  "RR6"),
        ("return.transit",        handed_over,            "completed",            "RR16"),
        ("inspect.self_arranged", self_arranged,          "completed",            "RR16"),
        ("inspect.self_arranged", self_arranged_and_here, "completed",            "RR15"),
        ("inspect.tracked",       arrived,                "completed",            "RR15"),
        ("speedy.not_received",   speedy,                 "completed",            "RR20"),
    ),
    "reshipment": (
        ("review.first",          Walk.asked,         "awaiting_seller_ship", "C17"),
        *COMMON,
        ("ship_out",              to_be_sent,         "completed",            "RS5"),
        ("outbound.transit",      on_its_way,         "completed",            "RS7"),
    ),
    "exchange": (
        ("review.first",          Walk.asked,             "awaiting_buyer_ship",  "C17"),
        *COMMON, *SENDING,
        ("ship_back.drop_off",    Walk.approved,          "closed",               "EX3"),
        ("ship_back.pickup",      pickup_booked,          "awaiting_buyer_ship",  "EX2"),
        ("ship_back.self",        by_self,                "closed",               "EX3"),
        ("ship_back.pickup_date", by_pickup,              "awaiting_buyer_ship",  "EX2"),
        ("return.transit",        handed_over,            "completed",            "EX7"),
        ("inspect.self_arranged", self_arranged,          "closed",               "EX7"),
        ("inspect.self_arranged", self_arranged_and_here, "awaiting_seller_ship", "EX7"),
        ("inspect.tracked",       arrived,                "awaiting_seller_ship", "EX7"),
        ("ship_out",              to_be_sent,             "completed",            "EX10"),
        ("outbound.transit",      on_its_way,             "completed",            "EX12"),
    ),
}
# fmt: on


@story(*(f"{kind}_silence" for kind in KINDS))
async def nobody_acts(walk: Walk) -> None:
    for key, way, stage, rule in SILENCE[walk.kind]:
        end = await silence(walk, await way(walk), key)

        assert (key, end["stage"]["handle"]) == (key, stage)
        assert rule in rules(end), (key, rule, rules(end))


@pytest.mark.parametrize("kind", KINDS)
async def test_no_clock_of_a_kind_is_left_out_of_its_silence(kind: str) -> None:
    async with house() as home:
        keys = home.running.registry.kinds[kind].process.clock_keys

    assert keys - {key for key, *_ in SILENCE[kind]} == set()
