"""Tests whose folder, or who themselves, ask for `engine` can run on both databases.

Without `--engine` those of the folders in `BOTH` do, and all others run on SQLite; `--engine both` runs them all twice.

Of `transport`, most files ask a small schema behind real doors (`world.py`) and know of no database, so that they do
not ask for `engine` either. Those that serve a record do: `test_app`, `test_evidence`, `test_generated`, `test_kill`,
`test_hostile_values`, `test_live`, `test_logs`, `test_races`, `test_vanished`. The demo of `test_serve` is a file, and
so is the record of whoever has named none yet.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded import NoPostgres
from tests.missing import left_out
from tests.postgres import Postgres, server
from tests.processes import made_demo

from aftersales.testing import places

ENGINES = ("sqlite", "postgres")
# What is shown here is shown of a database. Beyond them the same is asked again from further off.
BOTH = ("store", "desk", "graphql", "transport")
# Minutes and half minutes: begun first, so that no process is left with one of them at the end.
LONGEST = (
    "demo/test_world", "page/test_operations", "transport/test_hostile_values", "page/test_looks",
    "transport/test_vanished", "transport/test_generated", "transport/test_workers", "transport/test_evidence",
    "transport/test_races", "page/test_board", "graphql/test_stream", "transport/test_serve", "transport/test_kill",
    "store/test_lists", "store/test_postgres_migrations", "rights/test_matrix", "engine/test_actions",
    "transport/test_live", "transport/test_metrics", "store/test_backup", "store/test_upgrade",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=(*ENGINES, "both"), help="this database only, or both for all")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "engine(name): runs on this database only, for the reason beside it")
    config.option.loadscopereorder = False  # what has most tests does not take longest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("engine")
        chosen = metafunc.config.getoption("engine") or default_engine(metafunc.definition.path)
        names = [name for name in ((only.args[0],) if only else ENGINES) if chosen in ("both", name)]
        metafunc.parametrize("engine", names, indirect=True, scope="module")


def default_engine(path: Path) -> str:
    """Twice the whole would take longer than anybody waits for it before each change."""
    return "both" if path.parent.name in BOTH else "sqlite"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # one engine after the other within a file, so that what a file shares is made once for each
    order = {item: index for index, item in enumerate(items)}
    files: dict[Path, int] = {}
    for item in items:
        files.setdefault(item.path, len(files))
    items.sort(key=lambda item: (_rank(item.path), files[item.path], _engine_of(item), order[item]))


def _rank(path: Path) -> int:
    name = f"{path.parent.name}/{path.stem}"
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def _engine_of(item: pytest.Item) -> int:
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return int(params.get("engine") == ENGINES[-1])


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    """What a test's databases are made with; None: SQLite."""
    if request.param == "sqlite":
        yield None
        return
    try:
        server()
    except NoPostgres as reason:
        left_out(f"no PostgreSQL: {reason}")
    postgres = Postgres()
    places.place = postgres.place
    yield postgres
    places.place = places.on_sqlite
    postgres.forget()


@pytest.fixture
def _own_databases(engine: Postgres | None) -> Iterator[None]:
    """Those that a test made go with it; those of its file stay."""
    known = set(engine.urls) if engine else set()
    yield
    if engine:
        engine.forget(known)


@pytest.fixture(scope="session")
def demo_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[str, ...]]:
    """What to say to `serving` for a demo of one's own: each call copies the world, which takes long to make."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent

    def copy() -> tuple[str, ...]:
        own = tmp_path_factory.mktemp("demo") / "world"
        shutil.copytree(made_demo(shared / "made"), own)
        return "--demo", "--database", f"sqlite://{own / 'demo.sqlite3'}"

    return copy


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what was left out and why: a run that is green without it has shown less."""
    reasons = {
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    }
    if reasons:
        terminalreporter.section("LEFT OUT", red=True, bold=True)
        for reason in sorted(reasons):
            terminalreporter.write_line(reason, red=True)
