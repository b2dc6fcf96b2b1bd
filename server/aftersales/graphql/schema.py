"""Joins what the core and the plugins say in GraphQL into one schema, and refuses what would clash."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from ..engine.machines import MACHINES
from ..engine.process import mutation_name
from ..registry import Plugin, PluginConflict, Registry
from . import cases, types
from .directives import PAGE, ContributedBy, Cost
from .evidence import EvidenceMutations
from .executor import FastExecutor
from .inputs import camel
from .marketplace import MarketplaceMutations
from .mutations import OPTIONAL, AppealMutations, CoreMutations, DisputeMutations
from .previews import PreviewQueries
from .privacy import PrivacyMutations
from .problems import MEMBERS
from .queries import Query
from .scalars import SCALARS
from .seller_refunds import SellerRefundMutations
from .shop_rules import ShopRuleMutations, ShopRuleQueries
from .subscriptions import Subscription
from .uploads import UploadMutations

# Of the root's fields, those that cost more than one of their kind does.
# fmt: off
PRICES = {
    "requests":             PAGE,
    "appeals":              PAGE,
    "nodes":                PAGE,
    "request_counts":       Cost(weight=10),
    "eligibility":          Cost(weight=10),
    "policies":             Cost(weight=10),
    "plugins":              Cost(weight=10),
    "request_open_preview": Cost(weight=5),
    "request_act_preview":  Cost(weight=5),
    "shop_rule_preview":    Cost(weight=20, per_item=1),
    "orders_import":        Cost(weight=200),
    "carrier_report":       Cost(weight=100),
}
# fmt: on


def build_schema(registry: Registry) -> strawberry.Schema:
    """The schema of this server with these plugins.

    Raises:
        PluginConflict: naming every mutation outside its plugin's prefix, and every name taken twice.
    """
    fields = {field.python_name: field for owner in core_owners(registry) for field in fields_of(owner)}
    faults: list[str] = []
    for plugin, field in contributed(registry, faults):
        name = camel(field.python_name)
        if field.python_name in fields:
            faults.append(f"{plugin.name}: the mutation {name} exists already")
        fields[field.python_name] = marked(field, ContributedBy(plugin=plugin.name, since=since(plugin)))
    faults.extend(doorless(registry, {camel(name) for name in fields}))
    if faults:
        raise PluginConflict(faults)
    return strawberry.Schema(
        query=create_type(
            "Query",
            priced([*fields_of(Query), *fields_of(PreviewQueries), *fields_of(ShopRuleQueries)]),
            description="Reading. What the caller may not see is not there.",
        ),
        mutation=create_type(
            "Mutation",
            priced(fields.values()),
            description="Writing: each field one act, with one input and one payload.",
        ),
        subscription=Subscription,
        types=[*MEMBERS, types.Deadline, types.Evidence, cases.Dispute, cases.Appeal, *details(registry)],
        execution_context_class=FastExecutor,
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
    )


def core_owners(registry: Registry) -> Iterator[type]:
    """The core's mutations; those of a leg, and of offers, only where an installed kind has acts for them."""
    yield CoreMutations
    yield MarketplaceMutations
    yield EvidenceMutations
    yield SellerRefundMutations
    yield ShopRuleMutations
    yield PrivacyMutations
    yield UploadMutations
    yield DisputeMutations
    yield AppealMutations
    possible = {row.action for kind in registry.kinds.values() for row in kind.process.rows}
    for mutations, action in OPTIONAL:
        if action in possible:
            yield mutations


def contributed(registry: Registry, faults: list[str]) -> Iterator[tuple[Plugin, StrawberryField]]:
    for plugin in registry.plugins:
        for type in plugin.types:
            for field in fields_of(type.mutations) if type.mutations else ():
                if not field.python_name.startswith(f"{type.name}_"):
                    faults.append(f"{plugin.name}: {camel(field.python_name)} must begin with {camel(type.name)}")
                yield plugin, field


def doorless(registry: Registry, mutations: set[str]) -> Iterator[str]:
    """Every act that a person may do has a mutation, or they could never do it."""
    tables = [(kind.name, kind.process) for kind in registry.kinds.values()]
    tables += [(name, machine.process) for name, machine in MACHINES.items()]
    for table, process in tables:
        for row in process.rows:
            if row.personal and mutation_name(row.owner, row.action) not in mutations:
                yield f"{table}: {row.rule} ({row.action}) has no mutation {mutation_name(row.owner, row.action)}"


def details(registry: Registry) -> list[Any]:
    return [type.details for type in registry.types.values() if type.details is not None]


def fields_of(type: Any) -> list[StrawberryField]:
    return list(type.__strawberry_definition__.fields)


def marked(field: StrawberryField, directive: object) -> StrawberryField:
    # a copy: the plugin's own class serves other schemas of the same process too
    field = copy.copy(field)
    field.directives = [*field.directives, directive]
    return field


def priced(fields: Iterable[StrawberryField]) -> list[StrawberryField]:
    return [marked(field, PRICES[field.python_name]) if field.python_name in PRICES else field for field in fields]


def since(plugin: Plugin) -> str:
    return ".".join(plugin.version.split(".")[:2])
