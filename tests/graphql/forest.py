"""A schema with a field of every sort, and objects to answer it from, whose values are not always as they should be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from aftersales.graphql.executor import FastExecutor
from aftersales.graphql.scalars import SCALARS, JSONValue

Odd = NewType("Odd", object)


def only_odd(value: Any) -> Any:
    """Knows no even number, and says so in each way a scalar can."""
    if value == 2:
        return None
    if value % 2 == 0:
        raise ValueError(f"{value} is even")
    return value


@strawberry.enum
class Colour(Enum):
    GREEN = "green"
    BROWN = "brown"


@strawberry.interface
class Plant:
    name: str


@strawberry.type
class Moss(Plant):
    damp: bool


@strawberry.type
class Tree(Plant):
    id: strawberry.ID
    age: int
    height: float
    old: bool
    colour: Colour
    planted_at: datetime
    price: Decimal
    odd: Odd
    note: str | None
    count: int | None
    tint: Colour | None
    any: JSONValue | None
    words: list[str]
    numbers: list[int | None] | None
    trunk: Trunk
    nest: Trunk | None
    branches: list[Tree]
    maybe: list[Tree | None] | None
    below: list[Plant]
    beside: Plant | None
    fails: strawberry.Private[object]

    @strawberry.field
    def loud(self) -> str:
        return self._unless_it_fails(self.name)  # type: ignore[no-any-return]

    @strawberry.field
    def times(self, times: int = 2, less: float | None = None) -> int | None:
        return self._unless_it_fails(self.age and self.age * times - int(less or 0))  # type: ignore[no-any-return]

    @strawberry.field
    def some(self, colours: list[Colour], first: int = 2) -> list[Tree]:
        return self._unless_it_fails([tree for tree in self.branches if tree.colour in colours][:first])  # type: ignore[no-any-return]

    @strawberry.field
    def like(self, colour: Colour = Colour.GREEN) -> Tree | None:
        return self._unless_it_fails(self if self.colour is colour else None)  # type: ignore[no-any-return]

    @strawberry.field
    async def later(self) -> str:
        return self._unless_it_fails(self.name)  # type: ignore[no-any-return]

    @strawberry.field
    async def grown(self) -> Tree | None:
        return self._unless_it_fails(self.branches[0] if self.branches else None)  # type: ignore[no-any-return]

    @strawberry.field
    def now_or_later(self) -> str:
        return self._later() if self.old else self.name  # type: ignore[return-value]

    @strawberry.field
    def seen(self, info: strawberry.Info) -> list[str]:
        return [info.field_name]

    async def _later(self) -> str:
        return self.name

    def _unless_it_fails(self, value: Any) -> Any:
        if isinstance(self.fails, Exception):
            raise self.fails
        return value


@strawberry.type
class Trunk:
    rings: int
    tree: Tree | None


@dataclass
class Ground:
    """What one operation asks of."""

    tree: Any
    trees: Any


@strawberry.type
class Query:
    @strawberry.field
    async def tree(self, info: strawberry.Info[Ground, None]) -> Tree | None:
        return info.context.tree  # type: ignore[no-any-return]

    @strawberry.field
    def trees(self, info: strawberry.Info[Ground, None]) -> list[Tree]:
        return info.context.trees  # type: ignore[no-any-return]


SCHEMA = strawberry.Schema(
    Query,
    types=[Moss],
    execution_context_class=FastExecutor,
    config=StrawberryConfig(
        scalar_map={**SCALARS, Odd: strawberry.scalar(name="Odd", serialize=only_odd, parse_value=only_odd)}
    ),
)

WRONG: tuple[Any, ...] = (
    None, None, None, 5, 2**31, -(2**31), 2.5, "a word", True, [], [None], ["a"], {"a": 1}, object(), "brown",
    ValueError("as a value"), GraphQLError("as a value", extensions={"code": "ODD"}), Colour.BROWN, (1, 2),
)  # fmt: skip


def grown(dice: Random, wrong: float, depth: int = 3) -> Tree:
    """A tree, each of whose values is wrong with that probability."""
    branches = [grown(dice, wrong, depth - 1) for _ in range(dice.randrange(3))] if depth else []
    right: dict[str, Any] = {
        "name": dice.choice(("oak", "élan", "")),
        "id": strawberry.ID(f"t{dice.randrange(99)}"),
        "age": dice.randrange(500),
        "height": dice.choice((2.5, 3, 1e300)),
        "old": dice.random() < 0.5,
        "colour": dice.choice(list(Colour)),
        "planted_at": datetime(2025, 3, 3, dice.randrange(24), tzinfo=UTC),
        "price": Decimal(dice.randrange(10**6)) / 100,
        "odd": dice.choice((1, 1, 1, 2, 4)) if wrong else 1,
        "note": dice.choice((None, "tall")),
        "count": dice.choice((None, 4)),
        "tint": dice.choice((None, Colour.GREEN)),
        "any": dice.choice((None, {"a": [1]}, "x", 0, 1.5, [])),
        "words": ["a", "b"][: dice.randrange(3)],
        "numbers": dice.choice((None, [1, None], (2, 3))),
        "trunk": Trunk(rings=dice.randrange(9), tree=branches[0] if branches else None),
        "nest": None,
        "branches": branches,
        "maybe": dice.choice((None, [None, *branches])),
        "below": [Moss(name="moss", damp=True), *branches][: dice.randrange(3)],
        "beside": dice.choice((None, Moss(name="moss", damp=False))),
        "fails": None,
    }
    told: dict[str, Any] = {
        name: dice.choice(WRONG) if dice.random() < wrong else value for name, value in right.items()
    }
    return Tree(**told)
