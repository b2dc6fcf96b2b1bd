"""Finds the plugins, checks them against each other, and calls their hooks: typed, timed, awaited, named in errors."""

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

import pluggy
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from . import hookspecs
from .engine.kind import Kind
from .engine.machines import MACHINES
from .engine.process import MalformedProcess
from .engine.refusal import Problem
from .engine.request import Change
from .engine.stages import CORE_STAGES
from .engine.vocabulary import Shop, Stage
from .hookspecs import RefundGateway, Stock
from .request_type import RequestType
from .watching.watch import Watch

API_VERSION = "1.0"
GROUP = "aftersales"
HEARING_SECONDS = 5.0

log = logging.getLogger("aftersales.registry")


class PluginConflict(Exception):
    """Plugins that cannot run together, or with this server. Names every fault at once."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class KeepsPolicies(Protocol):
    """What the registry must know of the policy book: that every clock has a policy."""

    @property
    def keys(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed plugin: its entry point's name, its distribution's version, and the kinds it brought."""

    name: str
    version: str
    object: Any
    types: tuple[RequestType, ...] = ()


class Registry:
    """All that the plugins brought, frozen once it is built.

    Raises:
        PluginConflict: for a misspelt hook, a name taken twice, a stage defined differently, an API out of
            range, a clock without a policy, or a process that is not whole.
    """

    def __init__(
        self, plugins: Sequence[Plugin], policy_keys: frozenset[str] | None = None, watch: Watch | None = None
    ) -> None:
        self.watch = watch or Watch()
        self._hooks = pluggy.PluginManager(GROUP)
        self._hooks.add_hookspecs(hookspecs)
        # held here, as the loop alone would let go of them
        self._hearings: set[asyncio.Future[None]] = set()
        faults: list[str] = []
        found = []
        for plugin in plugins:
            try:
                self._hooks.register(plugin.object, name=plugin.name)
            except (pluggy.PluginValidationError, ValueError) as error:
                faults.append(f"{plugin.name}: {error}")
            else:
                found.append(self._with_types(plugin, faults))
        self.plugins = tuple(found)
        faults.extend(self._misspelt())
        self.types: Mapping[str, RequestType] = {t.name: t for p in self.plugins for t in p.types}
        self.kinds: Mapping[str, Kind] = self._kinds(faults)
        faults.extend(self._clashes())
        faults.extend(self._stages_apart())
        faults.extend(self._without_policy(policy_keys))
        if faults:
            raise PluginConflict(faults)

    @classmethod
    def installed(
        cls, only: frozenset[str] | None = None, extra: Sequence[Plugin] = (),
        policy_keys: frozenset[str] | None = None, watch: Watch | None = None,
    ) -> "Registry":  # fmt: skip
        """Every plugin that an entry point announces, or those named in `only`.

        Raises:
            PluginConflict: also when one cannot be imported: better no server than half of one.
        """
        plugins, faults = list(extra), []
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            if only is None or point.name in only:
                try:
                    plugins.append(_loaded(point))
                except Exception as error:
                    faults.append(f"{point.name} ({point.value}) cannot be imported: {error!r}")
        if faults:
            raise PluginConflict(faults)
        return cls(plugins, policy_keys, watch)

    def stage_of(self, kind: str, stage: str) -> Stage | None:
        """The stage by name; None when the plugin that knew it is gone."""
        known = self.kinds.get(kind)
        return known.process.stages.get(stage) if known else None

    def plugin_of(self, kind: str) -> Plugin | None:
        return next((plugin for plugin in self.plugins if any(t.name == kind for t in plugin.types)), None)

    def objections(self, change: Change) -> tuple[Problem, ...]:
        """What plugins hold against a change. A hook that fails refuses it: silence must not be consent by accident."""
        problems: list[Problem] = []
        for plugin, function in self._implementations("aftersales_objections"):
            try:
                with self.watch.hook(plugin, "objections"):
                    problems.extend(function(change=change) or ())
            except Exception as error:
                raise RuntimeError(f"plugin {plugin} failed while asked for objections") from error
        return tuple(problems)

    def tell(self, change: Change) -> None:
        """Let every plugin hear of a committed change, in the order of the changes. What one raises harms nobody.

        What they return to be awaited goes on by itself, so that nobody waits for a plugin that is slow.
        """
        for plugin, function in self._implementations("aftersales_changed"):
            awaitable = self._begin(plugin, function, change)
            if awaitable is not None:
                hearing = asyncio.ensure_future(self._hear(plugin, awaitable))
                self._hearings.add(hearing)
                hearing.add_done_callback(self._hearings.discard)

    async def heard(self) -> None:
        """Wait until all that was told has been heard, or has taken too long."""
        await asyncio.gather(*self._hearings)

    def gateway(self, shop: Shop) -> RefundGateway | None:
        return self._hooks.hook.aftersales_refund_gateway(shop=shop)  # type: ignore[no-any-return]

    @property
    def has_gateway(self) -> bool:
        return bool(self._hooks.hook.aftersales_refund_gateway.get_hookimpls())

    def stock(self, shop: Shop) -> Stock | None:
        return self._hooks.hook.aftersales_stock(shop=shop)  # type: ignore[no-any-return]

    def _implementations(self, hook: str) -> list[tuple[str, Callable[..., Any]]]:
        """Each implementation, taking all that the hook gives and passing on what it asked for."""
        return [(impl.plugin_name, _fewer(impl)) for impl in getattr(self._hooks.hook, hook).get_hookimpls()]

    def _begin(self, plugin: str, function: Callable[..., Any], change: Change) -> Any:
        try:
            with self.watch.hook(plugin, "changed"):
                answer = function(change=change)
        except Exception:
            log.exception("plugin %s failed while told of %s", plugin, change.request.id)
            return None
        return answer if inspect.isawaitable(answer) else None

    async def _hear(self, plugin: str, awaitable: Any) -> None:
        try:
            with self.watch.hook(plugin, "changed_awaited"):
                async with asyncio.timeout(HEARING_SECONDS):
                    await awaitable
        except TimeoutError:
            log.error("plugin %s took more than %s s to hear of a change", plugin, HEARING_SECONDS)
        except Exception:
            log.exception("plugin %s failed while told of a change", plugin)

    def _misspelt(self) -> Iterable[str]:
        """Functions marked as hooks that are none. pluggy's own `check_pending` names but the first."""
        for name, caller in vars(self._hooks.hook).items():
            if isinstance(caller, pluggy.HookCaller) and not caller.has_spec():
                for impl in caller.get_hookimpls():
                    if not impl.optionalhook:
                        yield f"{impl.plugin_name}: there is no hook {name}"

    def _with_types(self, plugin: Plugin, faults: list[str]) -> Plugin:
        types = []
        for impl in self._hooks.hook.aftersales_request_type.get_hookimpls():
            if impl.plugin is plugin.object:
                try:
                    type = impl.function()
                except Exception as error:
                    faults.append(f"{plugin.name} failed while asked for its request type: {error!r}")
                    continue
                if isinstance(type, RequestType):
                    types.append(type)
                else:
                    faults.append(f"{plugin.name} contributes {type!r}, which is no RequestType")
        return Plugin(plugin.name, plugin.version, plugin.object, tuple(types))

    def _kinds(self, faults: list[str]) -> dict[str, Kind]:
        kinds = {}
        for plugin in self.plugins:
            for type in plugin.types:
                try:
                    if API_VERSION not in SpecifierSet(type.api):
                        faults.append(f"{plugin.name} asks for API {type.api}, this server has {API_VERSION}")
                    kinds[type.name] = type.kind()
                except (MalformedProcess, InvalidSpecifier) as error:
                    faults.append(f"{plugin.name}: {error}")
        return kinds

    def _clashes(self) -> Iterable[str]:
        owners: dict[str, list[str]] = {}
        for plugin in self.plugins:
            for type in plugin.types:
                owners.setdefault(type.name, []).append(plugin.name)
        for name, plugins in owners.items():
            if len(plugins) > 1:
                yield f"{' and '.join(plugins)} both contribute {name}"
            if not name.isidentifier() or name != name.lower():
                yield f"{name} is not a lower-case name"

    def _stages_apart(self) -> Iterable[str]:
        known = {stage.name: stage for stage in CORE_STAGES}
        for kind in self.kinds.values():
            for name, stage in kind.process.stages.items():
                if known.setdefault(name, stage) != stage:
                    yield f"{kind.name} defines the stage {name} otherwise than another kind"

    def _without_policy(self, policy_keys: frozenset[str] | None) -> Iterable[str]:
        tables = {kind.name: kind.process for kind in self.kinds.values()} | {
            name: machine.process for name, machine in MACHINES.items()
        }
        for name, process in tables.items() if policy_keys is not None else ():
            for key in sorted(process.clock_keys - (policy_keys or frozenset())):
                yield f"{name} has the clock {key}, and no policy says how long it runs"


def _loaded(point: EntryPoint) -> Plugin:
    version = point.dist.version if point.dist else "0"
    return Plugin(point.name, version, point.load())


def _fewer(impl: pluggy.HookImpl) -> Callable[..., Any]:
    return lambda **given: impl.function(**{name: given[name] for name in impl.argnames})
