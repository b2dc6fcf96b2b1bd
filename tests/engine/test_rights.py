"""Who sees and who may do (section 11), and how a no is put."""

from dataclasses import replace

import pytest
from tests.engine.builders import AGENT, APP, BUYER, CARRIER, SELLER, kinds, staff

from aftersales.engine.refusal import CODES, Problem, ProblemType, Refused
from aftersales.engine.rights import GRANTS, may_do, may_see, sees_buyer, sees_seller_side
from aftersales.engine.vocabulary import SYSTEM, Actor, Party

OTHER_SHOP = frozenset({"sh_2"})

# fmt: off
#   who                                          sees the request, the buyer's name, the seller's side
SEES = {
    "the buyer":            (BUYER,                                  True,  True,  False),
    "another buyer":        (replace(BUYER, id="by_2"),              False, True,  False),
    "the shop's owner":     (SELLER,                                 True,  True,  True),
    "another shop's owner": (replace(SELLER, shops=OTHER_SHOP),      False, True,  True),
    "staff who may view":   (staff("view"),                          True,  False, True),
    "staff who may ship":   (staff("view", "ship"),                  True,  True,  True),
    "staff who may not":    (staff("ship"),                          False, True,  True),
    "the shop's app":       (APP,                                    True,  True,  True),
    "another shop's app":   (replace(APP, shops=OTHER_SHOP),         False, True,  True),
    "an agent":             (AGENT,                                  True,  True,  True),
    "the carrier":          (CARRIER,                                True,  False, False),
    "the system":           (SYSTEM,                                 True,  True,  True),
}
# fmt: on


@pytest.mark.parametrize("who", SEES)
def test_everybody_sees_what_is_theirs(who: str) -> None:
    actor, *sees = SEES[who]

    assert [may_see(actor, "sh_1", "by_1"), sees_buyer(actor), sees_seller_side(actor)] == sees


def test_an_app_acts_for_its_shop_within_its_scopes() -> None:
    reviewer = replace(APP, grants=frozenset({"review"}))

    assert list(may_do(reviewer, Party.SELLER, "review")) == []
    assert [problem.facts["permission"] for problem in may_do(reviewer, Party.SELLER, "ship")] == ["ship"]
    assert [problem.facts["permission"] for problem in may_do(reviewer, Party.BUYER, "")] == ["party"]


def test_grants_bind_staff_and_apps_only() -> None:
    assert list(may_do(AGENT, Party.SELLER | Party.PLATFORM, "review")) == []
    assert list(may_do(SELLER, Party.SELLER, "review")) == []
    assert list(may_do(staff(), Party.SELLER, "")) == []


def test_a_refusal_says_who_may() -> None:
    (problem,) = may_do(BUYER, Party.SELLER | Party.PLATFORM, "review")

    assert problem.text() == "Only seller or platform may do this."


def test_every_grant_of_a_row_is_one_that_can_be_given() -> None:
    asked = {row.grant for kind in kinds().values() for row in kind.process.rows} - {""}

    assert asked <= set(GRANTS)


def test_an_actor_with_all_grants_holds_each_and_everybody_holds_none() -> None:
    assert [actor.holds("ship") for actor in (SELLER, staff("ship"), staff("view"))] == [True, True, False]
    assert Actor(Party.BUYER, "by_1").holds("")


def test_a_problem_answers_as_the_type_of_its_code_and_a_partners_code_as_invalid_input() -> None:
    types = {code: Problem(code, "No.").type for code in CODES} | {"ACME_BROKEN": Problem("ACME_BROKEN", "No.").type}

    assert types["AMOUNT_EXCEEDED"] is ProblemType.AMOUNT_EXCEEDED
    assert types["ACME_BROKEN"] is ProblemType.INVALID_INPUT
    assert set(types.values()) == set(ProblemType)


def test_what_may_be_sent_again_says_so() -> None:
    assert {code for code in CODES if Problem(code, "No.").retryable} == {"VERSION_CONFLICT", "BUSY"}


def test_a_message_is_filled_in_after_it_is_translated() -> None:
    problem = Problem("LIMIT_REACHED", "At most {most}.", most=3)

    assert problem.text({"At most {most}.": "Paling banyak {most}."}.__getitem__) == "Paling banyak 3."


def test_a_refusal_tells_all_its_problems_in_one_line() -> None:
    refused = Refused([Problem("FORBIDDEN", "No."), Problem("LIMIT_REACHED", "At most {most}.", most=3)])

    assert str(refused) == "FORBIDDEN: No.; LIMIT_REACHED: At most 3."
