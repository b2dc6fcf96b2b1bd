"""Who may do what, as a page: section 11 of the model, and what follows for every field of the API."""

from collections.abc import Iterator
from dataclasses import replace

from ..engine.machines import MACHINES
from ..engine.permissions import BUYER, CARRIER, OF_ACT, PARTNER, PERMISSIONS, PLATFORM, READINGS, SELLER, Permission
from ..engine.process import Transition, mutation_name
from ..engine.vocabulary import Party
from ..registry import Registry
from .markdown import code, table

HEAD = """
# Rights

Who may do what (section 11 of the model). The server's own table, `engine/permissions.py`, as a page; checks
and `availableActions` follow from it, and a test tries every field as everybody and compares.

*own*: their own records only. *yes*: in their own shops; the platform everywhere. A name: staff and apps need that
grant, and to see the record at all they need `view`. Owners hold all grants (`*`). Who may not see a record is told
that there is none, in the very words for one that never was. Strangers are asked to sign in (`UNAUTHENTICATED`).
""".strip()

COLUMNS = ("Buyer", "Owner", "Staff", "App", "Agent", "Carrier")


def cells(permission: Permission) -> tuple[str, ...]:
    """One for each of `COLUMNS`."""
    by, grant = permission.by, permission.grant
    in_person = bool(by & PARTNER)
    app = in_person or (bool(by & SELLER) and permission.apps)
    held = code(grant) if grant else "yes"
    return (
        "own" if by & BUYER else "",
        "yes" if by & SELLER else "",
        held if by & SELLER else "",
        held if app else "",
        (code(grant) if permission.of_platform else "yes") if by & PLATFORM else "",
        "yes" if by & CARRIER else "",
    )


def fields(registry: Registry) -> dict[str, Permission]:
    """What governs each mutation, each query and each item of the stream."""
    found: dict[str, Permission] = {}
    for kind in registry.kinds.values():
        found[mutation_name(kind.name, "open")] = OF_ACT["open"]
    processes = [kind.process for kind in registry.kinds.values()] + [machine.process for machine in MACHINES.values()]
    rows = [row for process in processes for row in process.rows]
    for row in rows:
        if row.personal:
            name = mutation_name(row.owner, row.action)
            found[name] = joined(found.get(name), OF_ACT[row.action], row)
    acts = {row.action for row in rows} | {"open"}
    return found | {name: permission for name, permission in OF_ACT.items() if name not in acts}


def joined(known: Permission | None, permission: Permission, row: Transition) -> Permission:
    """The rows of an act, each of which may let fewer parties do it than its permission does."""
    by = row.by & permission.by | (known.by if known else Party(0))
    return replace(permission, by=by)


def page(registry: Registry) -> str:
    return (
        "\n\n".join(
            (
                HEAD,
                "## The table",
                table(("Permission", *COLUMNS), ((row.what, *cells(row)) for row in (*PERMISSIONS, *READINGS))),
                "## Every field",
                "Each mutation, query and item of the stream, as tried.",
                table(("Field", *COLUMNS, "Permission"), _fields(fields(registry))),
            )
        )
        + "\n"
    )


def _fields(found: dict[str, Permission]) -> Iterator[tuple[str, ...]]:
    for name, permission in sorted(found.items()):
        yield code(name), *cells(permission), code(permission.handle)
