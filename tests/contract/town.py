"""Short ways to the situations that stories of the contract begin with; all but time passes through the operations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse

from aftersales.engine.vocabulary import Actor, OrderState
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, Home

SCHEMA = Path(__file__).parents[2] / "schema"
OPERATIONS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SCHEMA.glob("operations/*.graphql"))}
PNG = b"\x89PNG\r\n\x1a\n" + b"a photo" * 20


class Town:
    """A house with a buyer and a seller who use the published operations."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._keys = count()

    async def ask(self, name: str, actor: Actor, **variables: Any) -> Any:
        """What the operation's one root field answers."""
        return (await self.home.ask(OPERATIONS[name], actor, **variables))[root_field(name)]

    async def do(self, name: str, actor: Actor, /, **input: Any) -> Any:
        """What a mutation answers that nothing speaks against."""
        answer = await self.ask(name, actor, input={"idempotencyKey": f"{name}-{next(self._keys)}", **input})
        assert answer["problems"] == []
        assert answer["replayed"] is False
        return answer

    async def decide(self, name: str, actor: Actor, request: Any, **input: Any) -> Any:
        """The request after an act on it as it was seen."""
        seen = {"requestId": request["id"], "expectedVersion": request["version"]}
        return (await self.do(name, actor, **seen, **input))["request"]

    @asynccontextmanager
    async def listening(self, **variables: Any) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
        """Each call gives the next that the seller's stream says."""
        async with (
            asyncio.timeout(20),
            aclosing(self.home.follow(OPERATIONS["RequestStream"], SELLER, **variables)) as stream,
        ):

            async def hear() -> Any:
                return (await anext(stream))["requestStream"]

            yield hear

    async def claim(self, **changes: Any) -> dict[str, Any]:
        """One headset that came yesterday, and is claimed."""
        order = await self.home.order(number=f"10{next(self._keys):02}", **changes)
        return {"orderId": order.id, "lines": [{"orderLineId": order.lines[0].id, "quantity": 1}]}

    async def refund_only(self) -> Any:
        claim = await self.claim()
        return (await self.do("RefundOnlyOpen", BUYER, **claim, reason="not_received"))["request"]

    async def return_refund(self, method: str = "DROP_OFF") -> Any:
        claim = await self.claim()
        opened = await self.do("ReturnRefundOpen", BUYER, **claim, reason="wrong_size", returnMethod=method)
        return opened["request"]

    async def approved_return(self, method: str = "DROP_OFF") -> Any:
        return await self.decide("ReturnRefundApprove", SELLER, await self.return_refund(method))

    async def reshipment(self) -> Any:
        claim = await self.claim()
        photo = await self.photo(BUYER)
        opened = await self.do("ReshipmentOpen", BUYER, **claim, reason="missing_item", evidenceIds=[photo])
        return opened["request"]

    async def exchange(self) -> Any:
        """The headset is wanted in white, of which the shelf has five."""
        claim = await self.claim()
        wanted = [{"orderLineId": claim["lines"][0]["orderLineId"], "skuId": "sku_1b"}]
        opened = await self.do("ExchangeOpen", BUYER, **claim, reason="wants_other_variation", wanted=wanted)
        return opened["request"]

    async def to_be_sent(self) -> Any:
        return await self.decide("ReshipmentApprove", SELLER, await self.reshipment())

    async def rejected(self) -> Any:
        return await self.decide("RequestReject", SELLER, await self.refund_only(), reason="unclear_or_no_evidence")

    async def parcel_that_came_back(self) -> Any:
        sent = await self.decide(
            "ReturnUploadTracking", BUYER, await self.approved_return("SELF_ARRANGED"), carrier="JNE", tracking="JP1"
        )
        return await self.decide("ReturnMarkReceived", SELLER, sent)

    async def disputed(self) -> Any:
        """A rejection that the buyer has taken to the platform."""
        return await self.decide("DisputeOpen", BUYER, await self.rejected(), note="It never came.")

    async def judged(self) -> Any:
        """A dispute in which both sides have had their say."""
        heard = await self.decide("DisputeSubmitEvidence", BUYER, await self.disputed())
        return await self.decide("DisputeSubmitEvidence", SELLER, heard)

    async def canceled_order_that_was_refunded(self) -> Any:
        """The buyer was refunded by silence while the order waited to be collected; then the order was canceled."""
        claim = await self.claim(state=OrderState.AWAITING_COLLECTION)
        opened = await self.do("RefundOnlyOpen", BUYER, **claim, reason="wont_arrive_on_time")
        await self.home.pass_time(days=3)
        number = (await self.shown(opened["request"]))["order"]["number"]
        await self.home.order(number=number, state=OrderState.CANCELED)
        return await self.shown(opened["request"])

    async def lost_dispute_about_a_parcel(self, send_back: bool) -> Any:
        """In Vietnam, where the goods may have to go back to the buyer."""
        claim = await self.claim(shop=replace(SHOP, market="VN", timezone="Asia/Ho_Chi_Minh"))
        opened = await self.do("ReturnRefundOpen", BUYER, **claim, reason="wrong_size", returnMethod="SELF_ARRANGED")
        request = await self.decide("ReturnRefundApprove", SELLER, opened["request"])
        request = await self.decide("ReturnUploadTracking", BUYER, request, carrier="GHN", tracking="V0")
        request = await self.decide("ReturnMarkReceived", SELLER, request)
        shown = [await self.photo(SELLER)]
        request = await self.decide(
            "ReturnRejectPackage", SELLER, request, reason="pkg_damaged_used", evidenceIds=shown
        )
        request = await self.decide("DisputeOpen", BUYER, request, note="It was like that.")
        for actor in (BUYER, SELLER):
            request = await self.decide("DisputeSubmitEvidence", actor, request)
        return await self.decide("DisputeDecide", AGENT, request, decision="SELLER", note="Worn.", sendBack=send_back)

    async def appealable(self) -> Any:
        """An appeal that the seller may file, as the platform has granted the refund."""
        request = await self.decide("RequestPlatformApprove", AGENT, await self.refund_only())
        await self.home.pass_time(minutes=1)
        page = await self.ask("Appeals", SELLER)
        return next(appeal for appeal in page["nodes"] if appeal["request"]["id"] == request["id"])

    async def appealed(self) -> Any:
        """An appeal that was filed with all that its reason asks for."""
        shown = [await self.photo(SELLER, "AWB"), await self.photo(SELLER)]
        return await self.appeal(
            "AppealFile", SELLER, await self.appealable(), reason="delivered_to_address", statement="He signed for it.",
            evidenceIds=shown,
        )  # fmt: skip

    async def appeal(self, name: str, actor: Actor, appeal: Any, **input: Any) -> Any:
        """The appeal after an act on it as it was seen."""
        seen = {"appealId": appeal["id"], "expectedVersion": appeal["version"]}
        return (await self.do(name, actor, **seen, **input))["appeal"]

    async def photo(self, actor: Actor, kind: str = "PHOTO") -> str:
        linked = await self.do(
            "EvidenceLink", actor, kind=kind, url="https://files.example/1.jpg", mediaType="image/jpeg", bytes=1000,
            sha256=sha256(b"a photo").hexdigest(),
        )  # fmt: skip
        return str(linked["evidence"]["id"])

    async def staged(self, actor: Actor, kind: str = "PHOTO") -> Any:
        return await self.do(
            "EvidenceStage", actor, kind=kind, mediaType="image/png", bytes=len(PNG), sha256=sha256(PNG).hexdigest()
        )

    async def uploaded(self, actor: Actor, kind: str = "PHOTO") -> str:
        """A file whose content has come; by what way, the tests of the doors tell."""
        id, locker = str((await self.staged(actor, kind))["evidence"]["id"]), self.home.running.house.locker
        stored = await locker.find(id)
        assert stored is not None

        async def content() -> AsyncIterator[bytes]:
            yield PNG

        assert await locker.take(stored, content())
        return id

    async def shown(self, request: Any, actor: Actor = SELLER) -> Any:
        return await self.ask("RequestDetail", actor, by={"id": request["id"]})


@cache
def operation_of(name: str) -> OperationDefinitionNode:
    """The one operation of a file, which goes by the file's name."""
    [operation] = parse(OPERATIONS[name]).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name
    assert operation.name.value == name
    return operation


def root_field(name: str) -> str:
    [field] = operation_of(name).selection_set.selections
    assert isinstance(field, FieldNode)
    return field.name.value
