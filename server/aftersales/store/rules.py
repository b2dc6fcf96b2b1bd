"""The rules of shops, as data. One that is removed is kept, as history names it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..engine.money import Money
from ..engine.shop_rules import MOST_RULES, Conditions, Rule
from ..engine.vocabulary import OrderState
from .columns import insert, select
from .conflicts import KeyTaken, StaleVersion
from .database import Database, Row, Statement, alone
from .keys import Key
from .values import from_json, instant, json, micros


class Rules:
    database: Database

    async def rules(self, shop_id: str) -> list[Rule]:
        """Those that stand, oldest first: the first that matches decides."""
        [rows] = await self.database.read(rules_of("?", shop_id))
        return [rule(row) for row in rows]

    async def rule(self, id: str) -> Rule | None:
        [rows] = await self.database.read(Statement(f"{select('shop_rules')} WHERE id = ?", (id,)))
        return rule(rows[0]) if rows else None

    async def save_rule(self, rule: Rule, *, key: Key, at: datetime) -> None:
        """Make it, or change the version before it.

        Raises:
            StaleVersion: it is another since it was read, or was removed; or the shop has as many as it may.
            KeyTaken: the key was used before.
        """
        body = json(_body(rule.conditions))
        if rule.version == 1:
            # counted as it is written: of two who make the last one, one finds the shop full
            written = [
                alone(rule.shop_id),
                Statement(
                    "SELECT 1 WHERE (SELECT COUNT(*) FROM shop_rules WHERE shop_id = ? AND removed_at IS NULL) < ?",
                    (rule.shop_id, MOST_RULES), 1, StaleVersion,
                ),
                Statement(
                    insert("shop_rules"),
                    (
                        rule.id, rule.shop_id, rule.name, rule.active, body, 1, micros(rule.created_at),
                        micros(rule.updated_at), rule.updated_by, None,
                    ),
                ),
            ]  # fmt: skip
        else:
            written = [Statement(
                "UPDATE shop_rules SET name = ?, active = ?, body = ?, version = ?, updated_at = ?, updated_by = ?"
                " WHERE id = ? AND version = ? AND removed_at IS NULL",
                (
                    rule.name, rule.active, body, rule.version, micros(rule.updated_at), rule.updated_by, rule.id,
                    rule.version - 1,
                ), 1, StaleVersion,
            )]  # fmt: skip
        await self.database.write(_remembered(rule.id, rule.version, key, at), *written)

    async def remove_rule(self, rule: Rule, by: str, *, key: Key, at: datetime) -> None:
        """
        Raises:
            StaleVersion, KeyTaken: as `save_rule`.
        """
        removed = Statement(
            "UPDATE shop_rules SET removed_at = ?, active = ?, version = version + 1, updated_at = ?, updated_by = ?"
            " WHERE id = ? AND version = ? AND removed_at IS NULL",
            (micros(at), False, micros(at), by, rule.id, rule.version), 1, StaleVersion,
        )  # fmt: skip
        await self.database.write(_remembered(rule.id, rule.version + 1, key, at), removed)


def rules_of(shop: str, arg: str) -> Statement:
    """
    Args:
        shop: SQL that gives the shop's id from the argument.
    """
    return Statement(
        f"{select('shop_rules')} WHERE shop_id = {shop} AND removed_at IS NULL ORDER BY created_at, id LIMIT ?",
        (arg, MOST_RULES),
    )


def _remembered(id: str, version: int, key: Key, at: datetime) -> Statement:
    return Statement(
        f"{insert('idempotency')} ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
        " request_id = excluded.request_id, version = excluded.version, created_at = excluded.created_at"
        " WHERE idempotency.created_at < ?",
        (key.scope, key.key, key.fingerprint, id, version, micros(at), micros(at - key.lifetime)), 1, KeyTaken,
    )  # fmt: skip


def rule(row: Row) -> Rule:
    id, shop_id, name, active, body, version, created_at, updated_at, updated_by, _ = row
    conditions = _conditions(from_json(body))
    return Rule(
        id, shop_id, name, bool(active), conditions, version, instant(created_at), instant(updated_at), updated_by
    )


def _body(conditions: Conditions) -> dict[str, Any]:
    most = conditions.maximum
    return {
        "reasons": sorted(conditions.reasons),
        "orderStates": sorted(state.value for state in conditions.order_states),
        "maximum": [str(most.amount), most.currency] if most else None,
        "categories": sorted(conditions.categories),
        "evidence": conditions.evidence,
        "changeOfMind": conditions.change_of_mind,
    }


def _conditions(body: dict[str, Any]) -> Conditions:
    most: Sequence[str] | None = body["maximum"]
    return Conditions(
        frozenset(body["reasons"]), frozenset(OrderState(state) for state in body["orderStates"]),
        Money(Decimal(most[0]), most[1]) if most else None, frozenset(body["categories"]), body["evidence"],
        body["changeOfMind"],
    )  # fmt: skip
