"""The rules that shops make for themselves: kept, changed, tried out on what was asked before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from .audit import audited
from .desk import TRIES, Desk, key_reused, new_id
from .engine.filter import Filter
from .engine.money import Money
from .engine.permissions import may
from .engine.refusal import Problem, Refused, busy
from .engine.request import Request
from .engine.rights import may_see
from .engine.shop_rules import MOST_RULES, Conditions, Rule, failing, misnamed, objections, stood_at
from .engine.vocabulary import Actor
from .store.keys import Key
from .store.ledger import KeyTaken, StaleVersion
from .store.lists import Lists, Sort

LOOKED_AT = 200
PAGE = 100


class Ruled(Protocol):
    @property
    def id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Saved:
    """`rule` is None once it was removed."""

    rule: Rule | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """A request of before, and the conditions that it does not meet; none: the rule would have granted it."""

    request: Request
    failing: tuple[str, ...]


class Rulebooks:
    """Owners and staff with the grant `settings` make rules; apps do not (section 11)."""

    def __init__(self, desk: Desk, lists: Lists) -> None:
        self._desk = desk
        self._lists = lists

    @property
    def kinds(self) -> frozenset[str]:
        """Those whose requests a rule may grant."""
        kinds = self._desk.registry.kinds
        return frozenset(name for name, kind in kinds.items() if kind.process.at(kind.process.start.name, "match_rule"))

    @property
    def reasons(self) -> frozenset[str]:
        return frozenset(code for name in self.kinds for code in self._desk.registry.kinds[name].reasons)

    async def of(self, shop_id: str, actor: Actor) -> list[Rule]:
        self._may(shop_id, actor)
        return await self._desk.ledger.rules(shop_id)

    async def save(
        self, shop_id: str, rule_id: str | None, expected: int | None, name: str, active: bool,
        conditions: Conditions, actor: Actor, key: Key,
    ) -> Saved:  # fmt: skip
        """Make a rule, or change one.

        Raises:
            Refused: FORBIDDEN, NOT_FOUND, INVALID_INPUT, LIMIT_REACHED, VERSION_CONFLICT, KEY_REUSED.
        """
        self._may(shop_id, actor)
        if problems := (*misnamed(name), *self._objections(conditions)):
            raise Refused(problems)
        if not await self._desk.ledger.shops([shop_id]):
            # theirs by their token, and not brought in yet
            raise Refused([_no_shop()])
        for _ in range(TRIES):
            standing = await self._desk.ledger.rules(shop_id)
            before = await self._before(key)
            if before:
                return before
            made = self._made(standing, shop_id, rule_id, expected, actor)
            rule = replace(made, name=name.strip(), active=active, conditions=conditions)
            try:
                await self._desk.ledger.save_rule(rule, key=key, at=self._desk.clock())
            except (StaleVersion, KeyTaken):
                continue
            audited(actor, "shopRuleSave", f"{rule.id} of {shop_id}, version {rule.version}")
            return Saved(rule)
        raise Refused([busy()])

    async def remove(self, shop_id: str, rule_id: str, expected: int, actor: Actor, key: Key) -> Saved:
        """
        Raises:
            Refused: FORBIDDEN, NOT_FOUND, VERSION_CONFLICT, KEY_REUSED.
        """
        self._may(shop_id, actor)
        for _ in range(TRIES):
            before = await self._before(key)
            if before:
                return Saved(None, replayed=True)
            rule = _expected(_named(await self._desk.ledger.rules(shop_id), rule_id), expected)
            try:
                await self._desk.ledger.remove_rule(rule, actor.id, key=key, at=self._desk.clock())
            except (StaleVersion, KeyTaken):
                continue
            audited(actor, "shopRuleRemove", f"{rule.id} of {shop_id}")
            return Saved(None)
        raise Refused([busy()])

    async def tried(self, shop_id: str, conditions: Conditions, actor: Actor) -> list[Tried]:
        """What a rule would have decided, on the shop's latest requests that a rule may grant; at most 200."""
        self._may(shop_id, actor)
        if problems := tuple(self._objections(conditions)):
            raise Refused(problems)
        filter = Filter(scope_shops=frozenset({shop_id}), kinds=self.kinds)
        found: list[Tried] = []
        after: str | None = None
        while len(found) < LOOKED_AT:
            page = await self._lists.page(filter, Sort.CREATED_DESC, PAGE, after, now=self._desk.clock())
            requests = await self._desk.ledger.requests(page.ids)
            found += [self._tried(conditions, request) for request in requests.values()]
            if not page.has_next:
                break
            after = page.cursors[-1]
        return found

    def _tried(self, conditions: Conditions, request: Request) -> Tried:
        reasons = self._desk.registry.kinds[request.kind].reasons
        return Tried(request, tuple(failing(conditions, request, reasons, stood_at(request, reasons))))

    def _may(self, shop_id: str, actor: Actor) -> None:
        if not may_see(actor, shop_id, ""):
            raise Refused([_no_shop()])
        if denied := tuple(may(actor, "shopRules")):
            raise Refused(denied)

    def _objections(self, conditions: Conditions) -> Iterator[Problem]:
        try:
            digits = self._desk.ledger.digits(conditions.maximum.currency) if conditions.maximum else None
        except ValueError:
            digits = None
        return objections(conditions, self.reasons, digits)

    def _made(
        self, standing: Sequence[Rule], shop_id: str, rule_id: str | None, expected: int | None, actor: Actor
    ) -> Rule:
        now = self._desk.clock()
        if rule_id is not None:
            rule = _expected(_named(standing, rule_id), expected)
            return replace(rule, version=rule.version + 1, updated_at=now, updated_by=actor.id)
        if len(standing) >= MOST_RULES:
            raise Refused([
                Problem(
                    "LIMIT_REACHED", "A shop has at most {most} rules: remove one.", guard="G_RULES", most=MOST_RULES
                )
            ])  # fmt: skip
        return Rule(new_id("sr"), shop_id, "", True, Conditions(), 1, now, now, actor.id)

    async def _before(self, key: Key) -> Saved | None:
        ledger = self._desk.ledger
        remembered = await ledger.remembered(key, self._desk.clock() - key.lifetime)
        if remembered is None:
            return None
        if remembered.fingerprint != key.fingerprint:
            raise Refused([key_reused(remembered)])
        return Saved(await ledger.rule(remembered.request_id), replayed=True)


def granted(tried: Sequence[Tried]) -> tuple[Money, ...]:
    """What would have been refunded, by currency."""
    sums: dict[str, Money] = {}
    for each in tried:
        if not each.failing:
            amount = each.request.refund_max
            sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return tuple(sums[currency] for currency in sorted(sums))


def _named(rules: Sequence[Rule], id: str) -> Rule:
    found = next((rule for rule in rules if rule.id == id), None)
    if found is None:
        raise Refused([Problem("NOT_FOUND", "There is no such rule.", "ruleId", guard="G_OWNER")])
    return found


def _expected(rule: Rule, expected: int | None) -> Rule:
    if expected != rule.version:
        raise Refused([
            Problem("VERSION_CONFLICT", "The rule is at version {current}: look at it, then say expectedVersion.",
                    "expectedVersion", guard="G_VERSION", current=rule.version)
        ])  # fmt: skip
    return rule


def _no_shop() -> Problem:
    return Problem("NOT_FOUND", "There is no such shop.", "shopId", guard="G_OWNER")
