"""Rules of shops at the door: where what is wrong stands in the input, and who is told what."""

from typing import Any

import pytest
from tests.graphql.server import BUYER, JAKARTA, OTHER_SELLER, SELLER, Open, Server, staff
from tests.graphql.test_statements import Counted, operation

SAVED = "rule { id version } problems { __typename code path retryable }"
RULES = "query($shop: ID!) { shopRules(shopId: $shop) { id } }"
PREVIEW = """query($conditions: ShopRuleConditionsInput!) {
    shopRulePreview(shopId: "sh_jakarta", conditions: $conditions) { considered granted } }"""


async def save(server: Server, conditions: dict[str, Any], **said: Any) -> Any:
    said = {"shopId": JAKARTA.id, "name": "Small things"} | said
    return await server.do("shopRuleSave", SELLER, SAVED, conditions=conditions, **said)


async def test_a_problem_points_at_the_place_in_the_input(server: Server) -> None:
    most = {"amount": "0.5", "currency": "IDR"}

    answer = await save(server, {"reasons": ["boredom"], "maximum": most}, name="")

    assert [problem["path"] for problem in answer["problems"]] == [
        ["name"], ["conditions", "reasons"], ["conditions", "maximum"],
    ]  # fmt: skip


async def test_whoever_changes_what_changed_meanwhile_is_told_so(server: Server) -> None:
    """G_VERSION."""
    rule = (await save(server, {}))["rule"]
    await save(server, {}, ruleId=rule["id"], expectedVersion=1)

    [problem] = (await save(server, {}, ruleId=rule["id"], expectedVersion=1))["problems"]

    assert (problem["code"], problem["path"], problem["retryable"]) == ("VERSION_CONFLICT", ["expectedVersion"], True)


async def test_a_query_that_is_refused_says_why_by_the_same_codes(server: Server) -> None:
    """Section 11."""
    asked: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "another seller": (RULES, OTHER_SELLER, {"shop": JAKARTA.id}),
        "a buyer": (RULES, BUYER, {"shop": JAKARTA.id}),
        "staff without the grant": (RULES, staff("view"), {"shop": JAKARTA.id}),
        "a reason that is none": (PREVIEW, SELLER, {"conditions": {"reasons": ["boredom"]}}),
        "what no database takes": (PREVIEW, SELLER, {"conditions": {"categories": ["\x01"]}}),
    }

    codes = {}
    for name, (document, actor, variables) in asked.items():
        [error] = (await server.run(document, actor, **variables)).errors or []
        codes[name] = (error.extensions or {}).get("code")

    assert codes == {
        "another seller": "NOT_FOUND",
        "a buyer": "NOT_FOUND",
        "staff without the grant": "FORBIDDEN",
        "a reason that is none": "INVALID_INPUT",
        "what no database takes": "INVALID_INPUT",
    }


async def test_trying_a_rule_costs_the_same_however_many_requests_it_is_tried_on(
    server: Server, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, costs = Counted(server, monkeypatch), []
    for number in range(4):
        await opened(number=str(number))
        counted.taken()
        tried = await server.ask(operation("ShopRulePreview"), SELLER, shopId=JAKARTA.id, conditions={})
        costs.append(counted.taken())
        assert tried["shopRulePreview"]["granted"] == number + 1

    assert costs == [costs[0]] * 4
    # which requests, and these whole
    assert costs[0][0] == 2
