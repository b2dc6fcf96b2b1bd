"""What every plugin that brings a kind must keep, as tests that pytest runs once for each kind.

A test module may say which: `KINDS = ("acme_repair",)`; else all that are installed. A kind with
`details` needs an example: `DETAILS = {"acme_repair": {"wish": "mend"}}`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from strawberry.types.field import StrawberryField

from .. import settings
from ..engine.diagram import diagram
from ..engine.process import Transition, mutation_name
from ..engine.refusal import CODES
from ..graphql.inputs import camel
from ..graphql.schema import core_owners, fields_of
from ..registry import GROUP, Plugin, Registry
from ..running import policies_of, registry_of
from ..store.values import from_json, json

CODE = re.compile("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")


def pytest_generate_tests(metafunc: Any) -> None:
    """Each of the tests below, once for each kind."""
    if metafunc.function.__module__ == __name__:
        kinds = getattr(metafunc.module, "KINDS", None) or sorted(installed().kinds)
        metafunc.parametrize("kind", kinds)
        if "examples" in metafunc.fixturenames:
            metafunc.parametrize("examples", [getattr(metafunc.module, "DETAILS", {})], ids=[""])


def test_each_act_of_a_person_has_a_mutation(kind: str) -> None:
    needed = {mutation_name(kind, "open"), *(mutation_name(row.owner, row.action) for row in acts(kind))}

    missing = sorted(needed - {name(field) for field in (*own(kind), *of_the_core())})

    assert missing == [], f"{kind}: nobody can do {', '.join(missing)}, as there is no such mutation"


def test_each_mutation_performs_an_act(kind: str) -> None:
    performed = {mutation_name(kind, "open"), *(mutation_name(row.owner, row.action) for row in acts(kind))}

    idle = sorted({name(field) for field in own(kind)} - performed)

    assert idle == [], f"{kind}: {', '.join(idle)} performs no act of the table"


def test_each_mutation_is_described(kind: str) -> None:
    silent = sorted(name(field) for field in own(kind) if not (field.description or "").strip())

    assert silent == [], f"{kind}: {', '.join(silent)} has no description"


def test_each_problem_code_stands_in_the_readme(kind: str) -> None:
    codes = codes_of(plugin(kind)) - CODES.keys()
    text = readme(plugin(kind))

    missing = sorted(code for code in codes if f"`{code}`" not in text)
    crooked = sorted(code for code in codes if not CODE.fullmatch(code))

    assert missing == [], f"{kind}: the README does not tell of {', '.join(missing)}"
    assert crooked == [], f"{kind}: {', '.join(crooked)} should be SCREAMING_SNAKE"


def test_details_survive_json(kind: str, examples: Mapping[str, Any]) -> None:
    details: Any = installed().types[kind].details
    if details is None:
        return
    assert kind in examples, f"{kind} has details: give an example of them in DETAILS"

    stored = from_json(json(examples[kind]))

    assert stored == examples[kind], f"{kind}: the details are other ones once they were stored"
    assert details.of(None, stored) == details.of(None, examples[kind])


def test_the_picture_in_the_readme_is_the_table(kind: str) -> None:
    picture = f"```mermaid\n{diagram(installed().kinds[kind].process)}```"

    assert picture in readme(plugin(kind)), f"{kind}: put what `aftersales picture {kind}` prints into the README"


@cache
def installed() -> Registry:
    """All plugins of this environment, with the policies that the settings name."""
    chosen = settings.read()
    return registry_of(chosen, policies_of(chosen))


def plugin(kind: str) -> Plugin:
    found = installed().plugin_of(kind)
    assert found is not None, f"no plugin that is installed brings {kind}"
    return found


def acts(kind: str) -> Iterator[Transition]:
    return (row for row in installed().kinds[kind].process.rows if row.personal)


def own(kind: str) -> list[StrawberryField]:
    mutations = installed().types[kind].mutations
    return fields_of(mutations) if mutations else []


def of_the_core() -> Iterator[StrawberryField]:
    return (field for owner in core_owners(installed()) for field in fields_of(owner))


def name(field: StrawberryField) -> str:
    return camel(field.python_name)


def codes_of(plugin: Plugin) -> set[str]:
    """The codes that its source gives to `Problem`."""
    calls = (
        node
        for path in sources(plugin.object)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"
    )
    given = (
        next((word.value for word in call.keywords if word.arg == "code"), call.args[0] if call.args else None)
        for call in calls
    )
    return {code.value for code in given if isinstance(code, ast.Constant) and isinstance(code.value, str)}


def sources(module: ModuleType) -> list[Path]:
    file = Path(module.__file__ or "")
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]


def readme(plugin: Plugin) -> str:
    """Beside the plugin's pyproject.toml, or what its distribution carries of it."""
    for folder in Path(plugin.object.__file__).parents[:3]:
        if (folder / "pyproject.toml").exists() and (folder / "README.md").exists():
            return (folder / "README.md").read_text(encoding="utf-8")
    return carried(plugin.name)


def carried(plugin: str) -> str:
    points = entry_points(group=GROUP, name=plugin)
    return "".join(point.dist.read_text("METADATA") or "" for point in points if point.dist)
