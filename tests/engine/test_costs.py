"""Who pays which leg: the table of section 10, and that every case has a row."""

from itertools import product

import pytest

from aftersales.engine.costs import CostKind, bearers
from aftersales.engine.reasons import ReasonClass
from aftersales.engine.vocabulary import Party, ReturnMethod

BUYER, SELLER, PLATFORM, CARRIER = Party.BUYER, Party.SELLER, Party.PLATFORM, Party.CARRIER
OWN, DROP = ReturnMethod.SELF_ARRANGED, ReturnMethod.DROP_OFF
DAMAGED, CHANGED, FIT = ReasonClass.DAMAGED, ReasonClass.CHANGE_OF_MIND, ReasonClass.FIT
LATE, OTHER = ReasonClass.LATE, ReasonClass.OTHER
RETURN, RESHIPMENT, EXCHANGE = (True, False), (False, True), (True, True)


# fmt: off
TABLE_10 = [
    pytest.param(RETURN,     SELLER,  DAMAGED, DROP, (SELLER, None),       id="seller, platform carrier"),
    pytest.param(RETURN,     SELLER,  DAMAGED, OWN,  (BUYER, None),        id="seller, self-arranged"),
    pytest.param(RETURN,     BUYER,   CHANGED, DROP, (PLATFORM, None),     id="change of mind"),
    pytest.param(RETURN,     CARRIER, LATE,    DROP, (PLATFORM, None),     id="logistics, back"),
    pytest.param(EXCHANGE,   CARRIER, DAMAGED, DROP, (PLATFORM, PLATFORM), id="logistics, back and out"),
    pytest.param(RESHIPMENT, SELLER,  DAMAGED, None, (None, SELLER),       id="reshipment"),
    pytest.param(RESHIPMENT, CARRIER, DAMAGED, None, (None, SELLER),       id="reshipment, logistics"),
    pytest.param(EXCHANGE,   SELLER,  DAMAGED, DROP, (SELLER, SELLER),     id="exchange, seller"),
    pytest.param(EXCHANGE,   SELLER,  DAMAGED, OWN,  (BUYER, SELLER),      id="exchange, own carrier"),
    pytest.param(EXCHANGE,   None,    FIT,     DROP, (BUYER, SELLER),      id="exchange for fit"),
    pytest.param(EXCHANGE,   BUYER,   CHANGED, DROP, (PLATFORM, PLATFORM), id="exchange, change of mind"),
    pytest.param(RETURN,     None,    OTHER,   DROP, (PLATFORM, None),     id="nobody's fault"),
    pytest.param(RETURN,     BUYER,   DAMAGED, DROP, (BUYER, None),        id="buyer's fault"),
    pytest.param((False, False), SELLER, DAMAGED, None, (None, None),      id="nothing travels"),
]
# fmt: on


@pytest.mark.parametrize(("legs", "fault", "reason", "method", "pays"), TABLE_10)
def test_each_leg_is_paid_by_the_one_the_table_names(
    legs: tuple[bool, bool], fault: Party | None, reason: ReasonClass, method: ReturnMethod | None,
    pays: tuple[Party | None, Party | None],
) -> None:  # fmt: skip
    found = bearers(returns=legs[0], outbound=legs[1], fault=fault, reason=reason, method=method)

    assert (found.return_leg, found.outbound_leg) == pays


def test_a_buyer_who_had_to_pay_a_carrier_for_the_sellers_fault_gets_a_coupon() -> None:
    found = bearers(returns=True, outbound=False, fault=SELLER, reason=DAMAGED, method=OWN)

    assert found.extra is not None
    assert (found.extra.kind, found.extra.payer, found.extra.to) == (CostKind.BUYER_COUPON, SELLER, BUYER)


def test_a_refund_without_return_is_made_good_to_the_seller_by_the_platform() -> None:
    found = bearers(returns=True, outbound=False, fault=SELLER, reason=DAMAGED, keeps_goods=True)

    assert found.extra is not None
    assert (found.extra.kind, found.extra.payer, found.extra.to) == (CostKind.COMPENSATION, PLATFORM, SELLER)
    assert (found.return_leg, found.outbound_leg) == (None, None)


def test_a_change_of_mind_does_not_count_against_the_seller() -> None:
    assert not bearers(returns=True, outbound=False, fault=BUYER, reason=CHANGED).metrics
    assert bearers(returns=True, outbound=False, fault=SELLER, reason=DAMAGED).metrics


def test_every_case_has_a_row_and_every_leg_somebody_who_pays() -> None:
    faults, methods = [None, BUYER, SELLER, PLATFORM, CARRIER], [None, *ReturnMethod]
    for legs, fault, reason, method in product([RETURN, RESHIPMENT, EXCHANGE], faults, ReasonClass, methods):
        found = bearers(returns=legs[0], outbound=legs[1], fault=fault, reason=reason, method=method)

        assert (found.return_leg is not None, found.outbound_leg is not None) == legs
