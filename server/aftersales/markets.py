"""The countries we sell in: their zones, working days and currencies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision, list_currencies
from holidays import country_holidays

from .engine.clocks import Calendar

MONDAY_TO_FRIDAY = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class Market:
    """A country. `subdivision`: the part whose public holidays count, where the parts differ."""

    zone: ZoneInfo
    currency: str
    subdivision: str | None = None


# fmt: off
MARKETS: Mapping[str, Market] = {
    "ID": Market(ZoneInfo("Asia/Jakarta"),      "IDR"),
    "TH": Market(ZoneInfo("Asia/Bangkok"),      "THB"),
    "VN": Market(ZoneInfo("Asia/Ho_Chi_Minh"),  "VND"),
    "MY": Market(ZoneInfo("Asia/Kuala_Lumpur"), "MYR"),
    "GB": Market(ZoneInfo("Europe/London"),     "GBP", "ENG"),
    "US": Market(ZoneInfo("America/New_York"),  "USD"),
}

DIGITS = {
    "IDR": 0,  # ISO says 2, but nobody has paid in sen for decades and the marketplace writes none
}
# fmt: on


def open_calendars() -> None:
    """Reads what the calendars need, so that nobody waits for that while they are served."""
    for market in MARKETS:
        calendar(market)


@cache
def calendar(market: str) -> Calendar:
    """Zone and working days of a market: Monday to Friday but for public holidays.

    Raises:
        ValueError: we do not sell there.
    """
    if market not in MARKETS:
        raise ValueError(f"{market!r} is not one of our markets: {', '.join(MARKETS)}")
    known = MARKETS[market]
    return Calendar(known.zone, MONDAY_TO_FRIDAY, country_holidays(market, subdiv=known.subdivision))


@cache
def digits(currency: str) -> int:
    """Decimals of the currency's minor unit, by CLDR's table, which follows ISO 4217.

    Raises:
        ValueError: there is no such currency.
    """
    if currency not in list_currencies():
        raise ValueError(f"{currency!r} is not a currency")
    return DIGITS.get(currency, get_currency_precision(currency))
