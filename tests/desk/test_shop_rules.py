"""RO2 and RO3: what is refunded as soon as it is asked, by a seller's own rule or by the platform's enforcement."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.desk.acts import act, claim, codes, history, key, opened, staged

from aftersales.engine.refusal import Problem
from aftersales.engine.request import Change, Request
from aftersales.engine.shop_rules import MOST_RULES, Conditions
from aftersales.engine.vocabulary import Actor, ApprovedBy, ClaimLine, OrderState, Party
from aftersales.hookspecs import hookimpl
from aftersales.rulebooks import Saved, granted
from aftersales.testing import Home
from aftersales.testing.house import AGENT, BUYER, SELLER, SHOP, house, idr, line

APP = Actor(Party.PARTNER, "ap_1", SELLER.shops, frozenset({"*"}))
CLOSED = replace(SHOP, open=False)


@pytest_asyncio.fixture
async def home() -> AsyncIterator[Home]:
    async with house() as home:
        yield home


async def save(home: Home, conditions: Conditions | None = None, *, actor: Actor = SELLER, **more: Any) -> Saved:
    said: dict[str, Any] = {"rule_id": None, "expected": None, "name": "Small things", "active": True} | more
    used = key(str(said.pop("key", "k1")), f"{conditions}{said}", "shopRuleSave")
    return await home.running.house.rulebooks.save(
        said.pop("shop_id", SHOP.id), said["rule_id"], said["expected"], said["name"], said["active"],
        conditions or Conditions(), actor, used,
    )  # fmt: skip


async def asked(home: Home, *lines: Any, **how: Any) -> Request:
    """A refund only, asked for an order of its own."""
    number = f"N{await home.running.house.log.last_serial()}"
    order = await home.order(
        *lines, number=number, **{name: how.pop(name) for name in ("shop", "state") if name in how}
    )
    return await opened(home, order, "refund_only", **how)


async def test_what_meets_a_rule_is_granted_in_the_same_breath(home: Home) -> None:
    """RO2: made and decided in one transaction; final, not appealable (6.1)."""
    await home.order()
    rule = (await save(home, Conditions(maximum=idr(100_000)))).rule
    assert rule is not None

    request = await asked(home)
    await home.pass_time(minutes=1)

    paid = await home.request(request.id)
    assert (request.version, request.stage.name, request.approved_by) == (2, "refunding", ApprovedBy.SELLER_RULE)
    assert request.tags == {"seller_rule"}
    assert (paid.stage.name, paid.appeal) == ("completed", None)
    [approved] = [event for event in await history(home, request) if event.type == "RequestApproved"]
    assert (approved.rule, approved.party, approved.data["ruleId"]) == ("RO2", Party.SYSTEM, rule.id)
    assert approved.data["ruleName"] == "Small things"


@pytest.mark.parametrize(
    ("conditions", "matching"),
    [
        (Conditions(reasons=frozenset({"not_received"})), True),
        (Conditions(reasons=frozenset({"damaged"})), False),
        (Conditions(order_states=frozenset({OrderState.DELIVERED})), True),
        (Conditions(order_states=frozenset({OrderState.IN_TRANSIT})), False),
        (Conditions(maximum=idr(100_000)), True),
        (Conditions(maximum=idr(99_999)), False),
        (Conditions(categories=frozenset({"audio"})), True),
        (Conditions(categories=frozenset({"food"})), False),
        (Conditions(evidence=True), False),
        (Conditions(), True),
    ],
)
async def test_each_condition_holds_or_the_request_waits(home: Home, conditions: Conditions, matching: bool) -> None:
    """RO2."""
    await home.order()
    await save(home, conditions)

    request = await asked(home, line(category="audio"))

    assert (request.stage.name == "refunding") is matching


async def test_what_was_shown_counts_as_evidence(home: Home) -> None:
    await home.order()
    await save(home, Conditions(evidence=True))

    request = await asked(home, reason="damaged", evidence_ids=(await staged(home),))

    assert request.approved_by is ApprovedBy.SELLER_RULE


async def test_a_rule_that_sleeps_or_was_removed_decides_nothing(home: Home) -> None:
    await home.order()
    sleeping = (await save(home, active=False)).rule
    assert sleeping is not None
    first = await asked(home)
    woken = (await save(home, rule_id=sleeping.id, expected=1, key="k2")).rule
    assert woken is not None
    second = await asked(home)
    used = key("k3", scope="shopRuleRemove")
    await home.running.house.rulebooks.remove(SHOP.id, woken.id, 2, SELLER, used)
    again = await home.running.house.rulebooks.remove(SHOP.id, woken.id, 2, SELLER, used)
    third = await asked(home)

    assert [each.stage.name for each in (first, second, third)] == ["pending_review", "refunding", "pending_review"]
    assert (again.rule, again.replayed) == (None, True)
    assert await home.running.house.rulebooks.of(SHOP.id, SELLER) == []


async def test_a_request_that_is_edited_is_judged_anew(home: Home) -> None:
    """C2, RO2."""
    await home.order()
    await save(home, Conditions(reasons=frozenset({"missed_delivery_date"})))
    waiting = await asked(home)
    anew = claim(waiting.order, reason="missed_delivery_date")

    edited = (await home.running.desk.replace(waiting.id, "edit", BUYER, anew, expected=1)).request

    assert (waiting.stage.name, edited.stage.name) == ("pending_review", "refunding")


async def test_a_plugin_that_objects_leaves_the_request_to_a_person() -> None:
    class Doubts:
        @hookimpl
        def aftersales_objections(self, change: Change) -> list[Problem]:
            return [Problem("ACME_DOUBT", "Look at it.")] if change.action == "match_rule" else []

    async with house(plugins=[Doubts()]) as home:
        await home.order()
        await save(home)

        assert (await asked(home)).stage.name == "pending_review"


async def test_a_plugin_that_fails_leaves_the_request_to_a_person_too(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        @hookimpl
        def aftersales_objections(self, change: Change) -> list[Problem]:
            if change.action == "match_rule":
                raise LookupError("no such buyer")
            return []

    async with house(plugins=[Broken()]) as home:
        await home.order()
        await save(home)

        assert (await asked(home)).stage.name == "pending_review"
        assert "match_rule of rq_" in caplog.text


async def test_a_plugin_is_asked_once_about_each_change() -> None:
    class Attentive:
        def __init__(self) -> None:
            self.asked: list[str] = []

        @hookimpl
        def aftersales_objections(self, change: Change) -> list[Problem]:
            self.asked.append(change.action)
            return []

    plugin = Attentive()
    async with house(plugins=[plugin]) as home:
        await home.order()
        await save(home)

        assert (await asked(home)).stage.name == "refunding"
        assert sorted(plugin.asked) == ["match_rule", "open"]


async def test_only_owners_and_staff_with_the_grant_make_rules(home: Home) -> None:
    """Section 11: own auto-rules, settings."""
    await home.order()
    staff = replace(SELLER, id="st_2", grants=frozenset({"settings", "view"}))
    answers = {
        "staff": await codes(save(home, actor=staff)),
        "without the grant": await codes(save(home, actor=replace(staff, grants=frozenset({"view"})), key="k2")),
        "an app": await codes(save(home, actor=APP, key="k3")),
        "the platform": await codes(save(home, actor=AGENT, key="k4")),
        "the buyer": await codes(save(home, actor=BUYER, key="k5")),
        "another shop": await codes(save(home, actor=replace(SELLER, shops=frozenset({"sh_2"})), key="k6")),
    }

    assert answers == {
        "staff": [],
        "without the grant": ["FORBIDDEN"],
        "an app": ["FORBIDDEN"],
        "the platform": ["FORBIDDEN"],
        "the buyer": ["NOT_FOUND"],
        "another shop": ["NOT_FOUND"],
    }


async def test_what_cannot_be_a_rule_is_told_at_once(home: Home) -> None:
    await home.order()
    odd = Conditions(reasons=frozenset({"boredom", "wrong_size"}), maximum=idr(0))

    assert await codes(save(home, odd, name=" ")) == ["INVALID_INPUT"] * 4
    rule = (await save(home, key="k2")).rule
    assert rule is not None
    assert await codes(save(home, rule_id=rule.id, expected=3, key="k3")) == ["VERSION_CONFLICT"]
    assert await codes(save(home, rule_id=rule.id, key="k5")) == ["VERSION_CONFLICT"]
    assert await codes(save(home, rule_id="sr_none", expected=1, key="k4")) == ["NOT_FOUND"]
    assert await codes(save(home, name="Other", key="k2")) == ["KEY_REUSED"]
    assert (await save(home, key="k2")).replayed


async def test_a_shop_has_so_many_rules_and_no_more_however_many_make_the_last_at_once(home: Home) -> None:
    await home.order()
    for number in range(MOST_RULES - 1):
        await save(home, Conditions(maximum=idr(1)), key=f"r{number}")

    answers = await asyncio.gather(*(codes(save(home, key=f"last {number}")) for number in range(5)))

    assert sorted(answers) == [[], *[["LIMIT_REACHED"]] * 4]
    assert len(await home.running.house.rulebooks.of(SHOP.id, SELLER)) == MOST_RULES


async def test_a_shop_that_was_not_brought_in_has_no_rules_yet(home: Home) -> None:
    assert await codes(save(home)) == ["NOT_FOUND"]
    assert await home.running.house.rulebooks.of(SHOP.id, SELLER) == []


async def test_a_rule_is_tried_on_what_was_asked_before(home: Home) -> None:
    await home.order()
    for paid in (50_000, 100_000, 150_000):
        await asked(home, line(paid=paid))

    tried = await home.running.house.rulebooks.tried(SHOP.id, Conditions(maximum=idr(100_000)), SELLER)

    assert [each.failing for each in tried] == [("maximum",), (), ()]
    assert granted(tried) == (idr(150_000),)
    assert {(await home.request(each.request.id)).stage.name for each in tried} == {"pending_review"}


async def test_a_closed_shop_refunds_what_is_asked_of_it_and_may_appeal_once_that_is_revoked(home: Home) -> None:
    """RO3, and the ground ENFORCEMENT_REVOKED of 6.1."""
    request = await asked(home, shop=CLOSED)
    await home.pass_time(minutes=1)
    paid = await home.request(request.id)
    bare = await codes(act(home, paid, "revoke_enforcement", AGENT))

    revoked = await act(home, paid, "revoke_enforcement", AGENT, note="It was a mistake.")

    assert (request.stage.name, request.approved_by) == ("refunding", ApprovedBy.PLATFORM)
    assert request.tags == {"platform_approved_refund", "enforced"}
    assert (paid.stage.name, paid.appeal, bare) == ("completed", None, ["NOTE_REQUIRED"])
    assert revoked.appeal is not None
    assert (revoked.appeal.ground, revoked.appeal.opened_at) == ("enforcement_revoked", home.clock())
    assert await codes(act(home, revoked, "revoke_enforcement", AGENT, note="Again.")) == ["INVALID_STATE"]


async def test_only_if_all_that_is_claimed_was_taken_down_the_platform_refunds(home: Home) -> None:
    """RO3."""
    gone, sold = await asked(home, line(taken_down=True)), await asked(home, line())

    assert [each.stage.name for each in (gone, sold)] == ["refunding", "pending_review"]


async def test_where_only_some_of_what_is_claimed_was_taken_down_the_seller_is_asked(home: Home) -> None:
    """RO3."""
    order = await home.order(line(taken_down=True), line(sku_id="sku_2"))
    both = replace(claim(order), lines=tuple(ClaimLine(each.id, 1) for each in order.lines))

    waiting = (await home.running.desk.open("refund_only", BUYER, both)).request
    edited = (await home.running.desk.replace(waiting.id, "edit", BUYER, claim(order), expected=1)).request

    assert [each.stage.name for each in (waiting, edited)] == ["pending_review", "refunding"]


async def test_a_product_that_is_taken_down_once_it_was_claimed_can_be_refunded_by_the_platform(home: Home) -> None:
    """RO3: the marketplace tells it with the order, whose money and lines stand as they were claimed."""
    request = await asked(home)
    early = await codes(act(home, request, "enforce", AGENT))
    await home.order(line(taken_down=True, paid=1), number=request.order.number)

    enforced = await act(home, request, "enforce", AGENT, note="Taken down.")

    assert early == ["INVALID_STATE"]
    assert (enforced.stage.name, enforced.refund_approved) == ("refunding", idr(100_000))
    assert enforced.tags == {"platform_approved_refund", "enforced"}


async def test_where_the_market_does_not_refund_by_enforcement_the_seller_is_asked(tmp_path: Path) -> None:
    """RO3: policy `enforcement.auto_refund`."""
    off = 'key = "enforcement.auto_refund", market = "ID", value = false, unit = "FLAG", mark = "INF", source = "ours"'
    (tmp_path / "ours.toml").write_text(f'version = "2025-03-01"\npolicies = [{{ {off} }}]\n')
    async with house(policies=tmp_path) as home:
        request = await asked(home, shop=CLOSED)

        assert request.stage.name == "pending_review"
        assert await codes(act(home, request, "enforce", AGENT)) == ["INVALID_STATE"]


async def test_a_request_that_waits_is_enforced_by_the_platform(home: Home) -> None:
    """RO3."""
    request = await asked(home)
    early = await codes(act(home, request, "enforce", AGENT))
    await home.running.desk.ledger.import_shops([CLOSED])

    enforced = await act(home, request, "enforce", AGENT)

    assert early == ["INVALID_STATE"]
    assert (enforced.stage.name, "enforced" in enforced.tags) == ("refunding", True)
    assert await codes(act(home, await asked(home, shop=SHOP), "enforce", SELLER)) == ["FORBIDDEN"]


async def test_sellers_rules_beat_the_platforms(home: Home) -> None:
    await home.order()
    await save(home)

    request = await asked(home, shop=CLOSED)

    assert request.approved_by is ApprovedBy.SELLER_RULE
