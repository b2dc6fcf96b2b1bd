"""What the demo's world consists of: shops and what they sell, buyers, carriers. Invented, all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ..engine.money import Money
from ..engine.vocabulary import Shop, ShopKind, Variation


@dataclass(frozen=True, slots=True)
class Product:
    """
    Args:
        price: of one unit, in the currency of the shop's market.
        returnable: whether it may be sent back at all; food and underwear may not.
    """

    sku: str
    name: str
    variation: str
    category: str
    price: Decimal
    returnable: bool = True

    @property
    def product(self) -> str:
        """Common to all variations."""
        return self.sku.rpartition("-")[0]

    @property
    def other(self) -> str:
        """The SKU of the same in another colour."""
        return f"{self.product}-X"


@dataclass(frozen=True, slots=True)
class Stall:
    """A shop with its trade.

    Args:
        shipping: what a buyer pays for it, once an order.
        carriers: who drives for it.
    """

    shop: Shop
    currency: str
    shipping: Decimal
    carriers: tuple[str, ...]
    products: tuple[Product, ...]
    buyers: tuple[str, ...]


MAWAR = Shop("sh_mawar", "Mawar Official", "ID", ShopKind.MALL, "Asia/Jakarta")
LISTRIK = Shop("sh_listrik", "Toko Listrik Jaya", "ID", ShopKind.NON_MALL, "Asia/Jakarta")
SIAM = Shop("sh_siam", "Siam Outdoor", "TH", ShopKind.NON_MALL, "Asia/Bangkok")

# An Indonesian whose bank takes no money at present, so that a refund can be seen to fail, and be tried again.
UNPAYABLE = "Tono"
INDONESIANS = (
    "Dewi", "Agus", "Siti", "Budi", "Rina", "Joko", "Putri", "Hadi", "Maya", "Eko", "Lestari", "Yanto", "Intan",
    "Fajar", "Wulan", "Bayu", "Ratna", "Slamet", "Nur", "Indra",
)  # fmt: skip
THAIS = (
    "Somchai", "Malee", "Anong", "Prasert", "Kanya", "Niran", "Suda", "Wichai", "Ploy", "Chai", "Dao", "Krit",
    "Nok", "Arthit",
)  # fmt: skip

# fmt: off
STALLS = (
    Stall(MAWAR, "IDR", Decimal(12_000), ("JNE", "SiCepat"), (
        #       sku         name                     variation      category      price
        Product("MW-TNK-S", "Batik tunic",           "Indigo, S",   "fashion",    Decimal(189_000)),
        Product("MW-TNK-L", "Batik tunic",           "Indigo, L",   "fashion",    Decimal(189_000)),
        Product("MW-SCF-1", "Silk scarf",            "Rose",        "fashion",    Decimal(129_500)),
        Product("MW-SAN-4", "Leather sandals",       "Brown, 40",   "shoes",      Decimal(249_000)),
        Product("MW-SRM-1", "Vitamin C serum",       "30 ml",       "beauty",     Decimal(98_000), returnable=False),
    ), INDONESIANS),
    Stall(LISTRIK, "IDR", Decimal(18_000), ("JNE", "AnterAja"), (
        Product("TL-RIC-1", "Rice cooker",           "1.8 l",       "home",       Decimal(379_000)),
        Product("TL-FAN-2", "Desk fan",              "White",       "home",       Decimal(215_000)),
        Product("TL-CHG-6", "USB charger",           "65 W",        "electronics", Decimal(159_900)),
        Product("TL-LMP-9", "LED bulb, pack of ten", "9 W",         "home",       Decimal(89_000)),
        Product("TL-COF-1", "Ground coffee",         "Gayo, 500 g", "food",       Decimal(74_500), returnable=False),
    ), INDONESIANS),
    Stall(SIAM, "THB", Decimal(45), ("Flash", "Kerry"), (
        Product("SO-TEN-2", "Trekking tent",         "2 persons",   "outdoor",    Decimal("2490.00")),
        Product("SO-BAG-5", "Dry bag",               "20 l, blue",  "outdoor",    Decimal("459.50")),
        Product("SO-LMP-1", "Head torch",            "400 lm",      "outdoor",    Decimal("690.00")),
        Product("SO-SHO-9", "Trail shoes",           "42",          "shoes",      Decimal("1890.00")),
        Product("SO-BAR-6", "Energy bars",           "Box of 12",   "food",       Decimal("329.25"), returnable=False),
    ), THAIS),
)
# fmt: on
BY_SHOP: Mapping[str, Stall] = {stall.shop.id: stall for stall in STALLS}

# What the shops have in stock, by SKU.
VARIATIONS = {
    sku: Variation(sku, product.product, f"{product.name}, {variation}", Money(product.price, stall.currency), 1000)
    for stall in STALLS
    for product in stall.products
    for sku, variation in ((product.sku, product.variation), (product.other, "another colour"))
}
