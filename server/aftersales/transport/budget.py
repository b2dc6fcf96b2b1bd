"""What each caller may ask in a while: a bucket of points that refills, and so many open connections."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any

from .caller import Caller
from .limits import TransportSettings
from .refusal import SOON, Turned

# Callers of whom we know that they are not at their full budget. Beyond that the one who was longest away is forgotten.
MOST_CALLERS = 20_000

Seconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Balance:
    """What an operation has cost its caller, and what is left.

    Args:
        requested: the points that were taken.
        remaining, capacity: in points.
        per_second: how fast it refills.
    """

    requested: int
    remaining: int
    capacity: int
    per_second: int

    @property
    def extension(self) -> dict[str, Any]:
        """As `extensions.cost` shows it."""
        return {
            "requested": self.requested,
            "remaining": self.remaining,
            "capacity": self.capacity,
            "refillPerSecond": self.per_second,
        }

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """As the draft on RateLimit fields for HTTP has them: the quota of a full window, and what is left of it."""
        window = ceil(self.capacity / self.per_second)
        until_full = ceil((self.capacity - self.remaining) / self.per_second)
        return (
            (b"ratelimit-policy", b'"cost";q=%d;w=%d' % (self.capacity, window)),
            (b"ratelimit", b'"cost";r=%d;t=%d' % (self.remaining, until_full)),
        )


class Budgets:
    """A bucket for each caller. Whoever is not known has a full one, so nothing is kept for those who rest."""

    def __init__(self, settings: TransportSettings, clock: Seconds) -> None:
        self.capacity = settings.budget
        self.per_second = settings.budget_per_second
        self.clock = clock
        self.known: OrderedDict[str, tuple[float, float]] = OrderedDict()  # points, and when that was

    def spend(self, caller: Caller, cost: int) -> Balance:
        """
        Raises:
            Turned: 429 BUDGET_SPENT, and nothing is taken.
        """
        who, now = identity(caller), self.clock()
        points, then = self.known.get(who, (float(self.capacity), now))
        points = min(self.capacity, points + (now - then) * self.per_second)
        if cost > points:
            raise self._spent(cost, points)
        self.known[who] = (points - cost, now)
        self.known.move_to_end(who)
        if len(self.known) > MOST_CALLERS:
            self.known.popitem(last=False)
        return self._balance(cost, points - cost)

    def _balance(self, cost: int, points: float) -> Balance:
        return Balance(cost, int(points), self.capacity, self.per_second)

    def _spent(self, cost: int, points: float) -> Turned:
        wait = ceil((cost - points) / self.per_second)
        balance = self._balance(cost, points)
        return Turned(
            429,
            "BUDGET_SPENT",
            f"This costs {cost} points and you have {balance.remaining}. Try again in {wait} s, or ask for less.",
            headers=((b"retry-after", b"%d" % wait), *balance.headers),
            cost=balance.extension,
            retryable=True,
            retryAfter=wait,
        )


class Connections:
    """Sockets and event streams, of each caller so many at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.of: Counter[str] = Counter()

    @contextmanager
    def one(self, caller: Caller) -> Iterator[None]:
        """
        Raises:
            Turned: 429 TOO_MANY_CONNECTIONS.
        """
        who = identity(caller)
        if self.of[who] >= self.most:
            message = f"You have {self.most} streams open. Close one, or try again in a second."
            raise Turned(429, "TOO_MANY_CONNECTIONS", message, headers=(SOON,), retryable=True)
        self.of[who] += 1
        try:
            yield
        finally:
            self.of[who] -= 1
            if not self.of[who]:
                del self.of[who]


def identity(caller: Caller) -> str:
    """Whose budget it is: the person's; a stranger's is that of their network address."""
    if caller.claims is not None:
        return f"{caller.claims.party} {caller.claims.sub}"
    return network(caller.address)


def network(address: str) -> str:
    """An IPv6 address is one of 2^64 that its owner may take in turn."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return f"{IPv6Address(int(ip) >> 64 << 64)}/64" if isinstance(ip, IPv6Address) else address


def shown(balance: Balance) -> Mapping[str, Any]:
    """What an answer says of it."""
    return {"cost": balance.extension}
