"""What cannot run together does not start, and each reason is told at once."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import strawberry

from aftersales.engine.refusal import Problem
from aftersales.engine.request import Change
from aftersales.graphql.schema import build_schema
from aftersales.plugin import (
    PENDING_REVIEW,
    REFUNDING,
    DecisionInput,
    Info,
    OpenInput,
    Party,
    RequestPayload,
    RequestType,
    Stage,
    Status,
    Transition,
    act,
    expiry,
    grant,
    hookimpl,
    open_request,
    reasons,
    reject_codes,
)
from aftersales.policy_book import book
from aftersales.registry import Plugin, PluginConflict, Registry


@strawberry.input
class RepairOpenInput(OpenInput):
    """Nothing of its own."""


@strawberry.input
class RepairApproveInput(DecisionInput):
    """Nothing of its own."""


@strawberry.type
class RepairMutations:
    @strawberry.mutation(description="Ask for a repair.")
    async def repair_open(self, info: Info, input: RepairOpenInput) -> RequestPayload:
        return await open_request(info, "repair", input)

    @strawberry.mutation(description="Grant it.")
    async def repair_approve(self, info: Info, input: RepairApproveInput) -> RequestPayload:
        return await act(info, "approve", input)


APPROVE = Transition("AC1", PENDING_REVIEW, "approve", REFUNDING, Party.SELLER, "Approve", effect=grant())
REPAIR = RequestType(
    name="repair",
    label="Repair",
    approved=REFUNDING,
    transitions=(APPROVE,),
    reasons=reasons("other"),
    reject_codes=reject_codes("unclear_or_no_evidence"),
    mutations=RepairMutations,
)
MENDING = Stage("mending", Status.IN_PROGRESS, "Being mended", Party.SELLER, "mending")
MENDED = (
    Transition("AC2", PENDING_REVIEW, "take", MENDING, Party.SELLER, "Take it in"),
    Transition("AC3", MENDING, expiry("mending"), REFUNDING, Party.SYSTEM, effect=grant()),
)


class Contributes:
    """A plugin that brings one kind, or whatever it is given."""

    def __init__(self, type: Any) -> None:
        self.type = type

    @hookimpl
    def aftersales_request_type(self) -> RequestType:
        if isinstance(self.type, Exception):
            raise self.type
        return self.type  # type: ignore[no-any-return]


class Misspelt:
    @hookimpl
    def aftersales_chnged(self, change: Change) -> None: ...

    @hookimpl
    def aftersales_objection(self, change: Change) -> Iterable[Problem]:
        return []


class Greedy:
    @hookimpl
    def aftersales_changed(self, change: Change, database: object) -> None: ...


def plugin(type: Any, name: str = "acme") -> Plugin:
    return Plugin(name, "1.2.3", Contributes(type))


def faults(*plugins: Plugin) -> tuple[str, ...]:
    with pytest.raises(PluginConflict) as conflict:
        Registry(plugins, book().keys)
    return conflict.value.faults


def schema_faults(*plugins: Plugin) -> tuple[str, ...]:
    registry = Registry(plugins, book().keys)
    with pytest.raises(PluginConflict) as conflict:
        build_schema(registry)
    return conflict.value.faults


def mutations(**names: str) -> type:
    """A strawberry type whose fields are named so, beside what a repair needs."""

    async def perform(info: Info, input: RepairApproveInput) -> RequestPayload:
        return await act(info, "approve", input)

    fields = {name: strawberry.mutation(resolver=perform, description=text) for name, text in names.items()}
    return strawberry.type(type("Mutations", (RepairMutations,), fields))


def test_a_plugin_without_fault_appears_with_its_kind_its_version_and_its_mutations() -> None:
    registry = Registry([plugin(REPAIR)], book().keys)

    sdl = str(build_schema(registry))

    found = registry.plugin_of("repair")
    assert found is not None
    assert (found.name, found.version, list(registry.kinds)) == ("acme", "1.2.3", ["repair"])
    assert (
        'repairApprove(input: RepairApproveInput!): RequestPayload! @contributedBy(plugin: "acme", since: "1.2")' in sdl
    )


def test_two_plugins_may_not_bring_one_kind() -> None:
    assert faults(plugin(REPAIR), plugin(REPAIR, "other")) == ("acme and other both contribute repair",)


def test_two_plugins_may_not_have_one_name() -> None:
    [fault] = faults(plugin(REPAIR), plugin(replace(REPAIR, name="mend")))

    assert fault.startswith("acme: ")


def test_a_kind_is_named_in_lower_case() -> None:
    assert faults(plugin(replace(REPAIR, name="Repair")))[0] == "Repair is not a lower-case name"


def test_each_misspelt_hook_is_named() -> None:
    assert faults(Plugin("acme", "1", Misspelt())) == (
        "acme: there is no hook aftersales_chnged",
        "acme: there is no hook aftersales_objection",
    )


def test_a_hook_that_asks_for_what_there_is_not_is_named() -> None:
    [fault] = faults(Plugin("acme", "1", Greedy()))

    assert "acme" in fault
    assert "aftersales_changed" in fault
    assert "database" in fault


@pytest.mark.parametrize(
    ("api", "fault"),
    [(">=2,<3", "acme asks for API >=2,<3, this server has 1.0"), ("one", "acme: Invalid specifier: 'one'")],
)
def test_a_plugin_for_another_api_is_refused(api: str, fault: str) -> None:
    assert faults(plugin(replace(REPAIR, api=api))) == (fault,)


def test_each_clock_needs_a_policy() -> None:
    assert faults(plugin(replace(REPAIR, transitions=(APPROVE, *MENDED)))) == (
        "repair has the clock mending, and no policy says how long it runs",
    )


def test_a_process_that_cannot_be_lived_by_is_refused_with_all_its_faults() -> None:
    rows = (APPROVE, MENDED[0], replace(APPROVE, rule="", label=""))

    [fault] = faults(plugin(replace(REPAIR, transitions=rows)))

    assert fault.startswith("acme: repair: ")
    for part in ("mending has no way out", "mending does not say what follows", "has no number", "has no label"):
        assert part in fault


def test_a_stage_of_the_core_is_not_defined_anew() -> None:
    review = replace(PENDING_REVIEW, label="Judging")
    rows = (APPROVE, Transition("AC4", PENDING_REVIEW, "look", review, Party.SELLER, "Look again"))

    assert "pending_review is defined twice, and differently" in faults(plugin(replace(REPAIR, transitions=rows)))[0]


def test_two_plugins_agree_on_a_stage() -> None:
    end = Transition("AC3", MENDING, expiry("review.first"), REFUNDING, Party.SYSTEM, effect=grant())

    def mends(name: str, label: str) -> RequestType:
        stage = replace(MENDING, label=label, clock="review.first")
        rows = (APPROVE, replace(MENDED[0], target=stage), replace(end, on=stage))
        return replace(REPAIR, name=name, transitions=rows)

    assert faults(plugin(mends("repair", "Mending")), plugin(mends("mend", "In the workshop"), "other")) == (
        "mend defines the stage mending otherwise than another kind",
    )


@pytest.mark.parametrize(
    ("brought", "fault"),
    [
        (None, "acme contributes None, which is no RequestType"),
        (LookupError("no table"), "acme failed while asked for its request type: LookupError('no table')"),
    ],
)
def test_a_plugin_that_brings_no_kind_when_asked_is_named(brought: object, fault: str) -> None:
    assert faults(plugin(brought)) == (fault,)


def test_a_plugin_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "broken-1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (told / "entry_points.txt").write_text("[aftersales]\nbroken = nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(PluginConflict) as conflict:
        Registry.installed()

    [fault] = conflict.value.faults
    assert fault.startswith("broken (nowhere_to_be_found) cannot be imported: ModuleNotFoundError")


def test_all_faults_of_all_plugins_are_told_at_once() -> None:
    told = faults(
        plugin(REPAIR, "one"),
        plugin(REPAIR, "two"),
        plugin(replace(REPAIR, name="late", api=">=9"), "three"),
        plugin(replace(REPAIR, name="mend", transitions=(APPROVE, *MENDED)), "four"),
        plugin(replace(REPAIR, name="stuck", transitions=(MENDED[0],)), "five"),
        plugin(None, "six"),
        Plugin("seven", "1", Misspelt()),
    )

    for part in (
        "one and two both contribute repair",
        "three asks for API >=9",
        "mend has the clock mending",
        "five: stuck: mending has no way out",
        "six contributes None",
        "seven: there is no hook aftersales_chnged",
        "seven: there is no hook aftersales_objection",
    ):
        assert [fault for fault in told if part in fault], part


def test_a_mutation_outside_the_prefix_is_refused() -> None:
    stray = replace(REPAIR, mutations=mutations(mend_everything="Mend all."))

    assert schema_faults(plugin(stray)) == ("acme: mendEverything must begin with repair",)


def test_a_mutation_that_exists_already_is_refused() -> None:
    @strawberry.type
    class Mutations:
        @strawberry.mutation(description="Taken.")
        async def request_cancel(self, info: Info, input: RepairApproveInput) -> RequestPayload:
            return await act(info, "approve", input)

    greedy = replace(REPAIR, name="request", mutations=Mutations)

    assert "acme: the mutation requestCancel exists already" in schema_faults(plugin(greedy))


def test_an_act_of_a_person_without_a_mutation_is_refused() -> None:
    look = Transition("AC5", PENDING_REVIEW, "look", None, Party.SELLER, "Look at it")

    assert schema_faults(plugin(replace(REPAIR, transitions=(APPROVE, look)))) == (
        "repair: AC5 (look) has no mutation repairLook",
    )


def test_all_that_is_wrong_with_mutations_is_told_at_once() -> None:
    look = Transition("AC5", PENDING_REVIEW, "look", None, Party.SELLER, "Look at it")
    first = replace(REPAIR, transitions=(APPROVE, look), mutations=mutations(mend="Mend.", heal="Heal."))
    second = replace(REPAIR, name="rep")

    told = schema_faults(plugin(first, "one"), plugin(second, "two"))

    for part in (
        "one: mend must begin with repair",
        "one: heal must begin with repair",
        "two: the mutation repairOpen exists already",
        "repair: AC5 (look) has no mutation repairLook",
        "rep: AC1 (approve) has no mutation repApprove",
    ):
        assert part in told
