"""What people buy in the demo: orders as the marketplace would tell them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from ..engine.kind import Kind
from ..engine.money import Money
from ..engine.vocabulary import ON_ITS_WAY, OrderState
from ..store.imports import ImportedLine, ImportedOrder
from .catalog import STALLS, Product, Stall
from .people import buyer_id
from .stories import Story

MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is to be bought.

    Args:
        returnable: only what may be sent back.
        buyer: None: anybody.
    """

    stall: Stall
    placed_at: datetime
    delivered_at: datetime | None
    state: OrderState = OrderState.DELIVERED
    returnable: bool = False
    buyer: str | None = None


def bought(dice: Random, purchase: Purchase) -> ImportedOrder:
    stall = purchase.stall
    buyer = purchase.buyer or dice.choice(stall.buyers)
    offered = [product for product in stall.products if product.returnable or not purchase.returnable]
    lines = tuple(_line(dice, stall, product) for product in dice.sample(offered, dice.choice((1, 1, 2, MOST_LINES))))
    shipping = Money(stall.shipping, stall.currency)
    return ImportedOrder(
        shop_id=stall.shop.id,
        number=f"58{dice.randrange(10**10, 10**11)}",
        buyer_id=buyer_id(buyer),
        buyer_name=buyer,
        currency=stall.currency,
        state=purchase.state,
        placed_at=purchase.placed_at,
        delivered_at=purchase.delivered_at,
        total=sum((Money(line.unit_paid.amount * line.quantity, stall.currency) for line in lines), shipping),
        shipping_paid=shipping,
        lines=lines,
    )


def _line(dice: Random, stall: Stall, product: Product) -> ImportedLine:
    nothing = Money.zero(stall.currency)
    return ImportedLine(
        sku_id=product.sku,
        product_id=product.product,
        seller_sku=product.sku,
        product_name=product.name,
        variation_name=product.variation,
        category=product.category,
        quantity=dice.choice((1, 1, 1, 2, 3)),
        unit_paid=Money(product.price, stall.currency),
        tax=nothing,
        platform_discount=nothing,
        seller_discount=nothing,
        returnable=product.returnable,
        change_of_mind_ok=product.returnable,
    )


def just_delivered(
    dice: Random, stall: Stall, now: datetime, *, returnable: bool, buyer: str | None = None
) -> Purchase:
    """Came a few hours ago, and was ordered some days before."""
    delivered = now - timedelta(hours=dice.uniform(1, 48))
    placed = delivered - timedelta(hours=dice.uniform(30, 120))
    return Purchase(stall, placed, delivered, returnable=returnable, buyer=buyer)


def to_be_claimed(
    dice: Random, story: Story, kind: Kind, stall: Stall, at: datetime, buyer: str | None = None
) -> ImportedOrder:
    """What somebody bought who, at this instant, begins the story."""
    purchase = just_delivered(dice, stall, at, returnable=kind.sends_back, buyer=buyer)
    if kind.reasons[story.reason].order_states == ON_ITS_WAY:
        purchase = replace(purchase, state=OrderState.IN_TRANSIT, delivered_at=None)
    return bought(dice, purchase)


def unclaimed(dice: Random, now: datetime) -> Iterator[ImportedOrder]:
    """Orders that nobody claims yet: to try things on. Some are Dewi's, whom a visitor may be."""
    for stall in STALLS:
        for number in range(30):
            buyer = "Dewi" if "Dewi" in stall.buyers and number < 5 else None
            yield bought(dice, just_delivered(dice, stall, now, returnable=bool(number % 3), buyer=buyer))
        for state in (*[OrderState.IN_TRANSIT] * 6, *[OrderState.AWAITING_COLLECTION] * 3, OrderState.CANCELED):
            yield bought(dice, Purchase(stall, now - timedelta(hours=dice.uniform(5, 90)), None, state))
        for _ in range(6):
            old = just_delivered(dice, stall, now - timedelta(days=20), returnable=False)
            yield bought(dice, replace(old, state=OrderState.COMPLETED))
