"""The command line: what each command prints, and that a no is a sentence and a status, never a traceback."""

import json
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.market import order_told, shop_told
from tests.processes import run

from aftersales.engine.diagram import diagram
from aftersales.graphql.published import sdl
from aftersales.registry import Registry
from aftersales.settings import DEVELOPMENT_SECRET, describe
from aftersales.testing.places import on_sqlite
from aftersales.transport.auth import Authenticator, AuthSettings

COMMANDS = ("serve", "migrate", "backup", "import", "attention", "token", "schema", "picture", "plugins")
OWN = "a secret of our own, of 32 bytes or more"


@pytest.fixture
async def _migrated(tmp_path: Path) -> None:
    """The database that a command finds when none is named."""
    await on_sqlite(tmp_path / "aftersales.sqlite3")


def test_help_names_every_command() -> None:
    told = run("--help", cold=True)

    assert told.returncode == 0
    assert all(f"\n    {command}" in told.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    told = run(command, "--help")

    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: aftersales {command}")


def test_the_help_of_serve_lists_every_setting() -> None:
    told = run("serve", "--help").stdout

    assert all(f"\n  {setting.name}" in told for setting in describe())


def test_the_schema_printed_is_the_schema_of_the_code() -> None:
    assert run("schema").stdout == sdl(Registry.installed())
    assert run("schema", "--core").stdout == sdl(Registry([]))


def test_a_picture_is_the_process_as_a_diagram() -> None:
    assert run("picture", "refund_only").stdout == diagram(Registry.installed().kinds["refund_only"].process)


def test_plugins_are_listed_with_their_kinds() -> None:
    told = run("plugins", settings={"AFTERSALES_PLUGINS": "refund_only"})

    assert told.stdout == "refund_only 1.0.0: refund_only (API >=1,<2)\n"


async def test_a_token_is_taken_by_a_server_of_the_same_settings() -> None:
    settings = {"AFTERSALES_SECRET": OWN, "AFTERSALES_AUDIENCE": "board", "AFTERSALES_ISSUER": "us"}
    who = ("--party", "seller", "--id", "ani", "--shop", "1", "--shop", "2", "--grant", "view", "--hours", "0.5")

    token = run("token", *who, settings=settings).stdout.strip()

    now = datetime.now(UTC)
    authenticate = Authenticator(AuthSettings(OWN, audience="board", issuer="us"), lambda: now)
    claims = await authenticate(f"Bearer {token}")
    assert claims is not None
    assert (claims.party, claims.sub) == ("seller", "ani")
    assert (claims.shops, claims.grants) == (frozenset({"1", "2"}), frozenset({"view"}))
    assert 1_700 < (claims.expires_at - now).total_seconds() <= 1_800


def test_migrating_twice_is_harmless(tmp_path: Path) -> None:
    first, second = (run("migrate", folder=tmp_path) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0)
    assert "Applied: 0001_initial" in first.stdout
    assert "There was nothing to do." in second.stdout
    assert (tmp_path / "aftersales.sqlite3").exists()


@pytest.mark.usefixtures("_migrated")
def test_an_import_tells_each_bad_row_and_does_the_others(tmp_path: Path) -> None:
    rows = [{"shop": shop_told()}, {"order": order_told("A1")}, {"order": order_told("A2", total="1")}]
    lines = [*map(json.dumps, rows), "{not json"]
    (tmp_path / "rows.ndjson").write_text("\n".join(lines), encoding="utf-8")

    told = run("import", "rows.ndjson", folder=tmp_path)

    *refused, counts = told.stdout.splitlines()
    assert told.returncode == 1
    assert counts == "2 created, 0 updated, 0 unchanged, 2 refused."
    assert [line.split(" at ")[0].split(": ")[0] for line in refused] == ["line 3 (A2)", "line 4"]


@pytest.mark.usefixtures("_migrated")
def test_an_import_of_good_rows_succeeds_as_often_as_one_likes(tmp_path: Path) -> None:
    rows = "\n".join(map(json.dumps, [{"shop": shop_told()}, {"order": order_told()}]))

    first, second = (run("import", "-", folder=tmp_path, input=rows) for _ in range(2))

    assert (first.returncode, first.stdout) == (0, "2 created, 0 updated, 0 unchanged, 0 refused.\n")
    assert (second.returncode, second.stdout) == (0, "0 created, 0 updated, 2 unchanged, 0 refused.\n")


@pytest.mark.usefixtures("_migrated")
def test_returns_are_brought_in_and_what_cannot_be_followed_waits_for_a_person(tmp_path: Path) -> None:
    run("import", "-", folder=tmp_path, input=json.dumps({"shop": shop_told(id="77")}))
    item = {"sku_id": "1", "refund_amount": {"currency": "IDR", "refund_total": "5000"}}
    told = {"return_id": 1, "order_id": 2, "return_type": "REFUND", "return_status": "REQUEST_REJECTED",
            "update_time": 1740900000, "return_line_items": [item]}  # fmt: skip
    rows = "\n".join(map(json.dumps, [told, told | {"return_id": 3, "return_status": "LOST_IN_SPACE"}]))
    bring = ("import", "--format", "tiktok", "--shop", "77", "-")

    first, again = (run(*bring, folder=tmp_path, input=rows) for _ in range(2))
    waits = run("attention", folder=tmp_path)
    nobody = run(*bring[:4], "78", "-", folder=tmp_path, input=rows)

    assert first.returncode == again.returncode == waits.returncode == nobody.returncode == 1
    assert first.stdout.splitlines() == [
        "line 2 (3): LOST_IN_SPACE says nothing that is known here of a REFUND.",
        "1 created, 0 updated, 0 unchanged, 0 stale, 1 unmapped, 0 refused.",
    ]
    assert again.stdout.splitlines()[-1] == "0 created, 0 updated, 1 unchanged, 0 stale, 1 unmapped, 0 refused."
    assert waits.stdout.startswith("return 3 (LOST_IN_SPACE), order 2: LOST_IN_SPACE says nothing")
    assert "There is no shop 78" in nobody.stderr


PRODUCTION = {"AFTERSALES_MODE": "production", "AFTERSALES_SECRET": OWN}

ISSUER = {"AFTERSALES_JWKS_URL": "https://issuer.example"}
KEYS = {"AFTERSALES_MODE": "production", **ISSUER}
SERVER = {"AFTERSALES_DATABASE": "postgres://me:hush@127.0.0.1:1/x"}
KNOWN = {"AFTERSALES_MODE": "production", "AFTERSALES_SECRET": DEVELOPMENT_SECRET}

# By case: the command, the settings, the status, what is said.
NOES: dict[str, tuple[str, Mapping[str, str], int, str]] = {
    "bad settings": ("serve", {"AFTERSALES_PORT": "x"}, 2, "AFTERSALES_PORT: 'x' is not"),
    "a secret that is missing": ("serve", {"AFTERSALES_MODE": "production"}, 2, "a secret that everybody knows"),
    "a secret that is known": ("serve", KNOWN, 2, "a secret that everybody knows"),
    "nobody pays": ("serve", PRODUCTION, 1, "aftersales_refund_gateway"),
    "a demo in production": ("serve --demo", PRODUCTION, 1, "there is no demo there"),
    "haste in production": ("serve --speed 2", PRODUCTION, 1, "time passes as it does"),
    "an old database": ("serve --database sqlite://old.db", {}, 1, "Run: aftersales migrate"),
    "no database": ("serve --database sqlite://rows.txt", {}, 1, "cannot be opened"),
    "no database to migrate": ("migrate --database sqlite://rows.txt", {}, 1, "cannot be opened"),
    "no database for a demo": ("serve --demo --database sqlite://rows.txt", {}, 1, "cannot be opened"),
    "a demo with bad policies": ("serve --demo", {"AFTERSALES_POLICIES": "rows.txt"}, 1, "rows.txt"),
    "a folder that is not there": ("serve --demo --database sqlite://rows.txt/demo.db", {}, 1, "rows.txt"),
    "a server that is not there": (
        "serve --database postgres://me:hush@127.0.0.1:1/x",
        {},
        1,
        "me:***@127.0.0.1:1/x cannot be opened",
    ),
    "workers on a file": ("serve --workers 2", {}, 1, "Take --workers and AFTERSALES_WORKERS away"),
    "workers of a demo": ("serve --demo", {"AFTERSALES_WORKERS": "2"}, 1, "have one process"),
    "no place for all": ("serve", PRODUCTION | SERVER, 1, "Set it to a place that all of them reach"),
    "no secret for all": (
        "serve",
        KEYS | SERVER | {"AFTERSALES_EVIDENCE": "file://here"},
        1,
        "AFTERSALES_ADDRESS_SECRET",
    ),
    "a short secret": ("serve", {"AFTERSALES_ADDRESS_SECRET": "short"}, 2, "AFTERSALES_ADDRESS_SECRET is too short"),
    "another database": ("serve --database mysql://x", {}, 1, "use sqlite://FILE or postgres://"),
    "a plugin that is not there": ("serve", {"AFTERSALES_PLUGINS": "repair"}, 1, "no such plugin is installed"),
    "policies that are none": ("serve", {"AFTERSALES_POLICIES": "rows.txt"}, 1, "rows.txt"),
    "no demo's database": ("serve --demo --database sqlite://aftersales.sqlite3", {}, 1, "is no demo's"),
    "a file that is not there": ("import gone.ndjson", {}, 1, "gone.ndjson cannot be read"),
    "returns of nobody": ("import --format tiktok rows.txt", {}, 1, "--shop ID"),
    "an import into nothing": ("import - --database sqlite://new.db", {}, 1, "Run: aftersales migrate"),
    "no such kind": (
        "picture repair",
        {},
        1,
        "There are: exchange, refund_only, reshipment, return_refund, dispute, appeal.",
    ),
    "tokens of an issuer": ("token --party buyer --id 1", ISSUER, 1, "made by the issuer"),
    "a party that is none": ("token --party king --id 1", {}, 2, "invalid choice"),
    "a port that is none": ("serve --port 70000", {}, 2, "'70000' is not a number from 0 to 65535"),
    "time that stands still": ("serve --speed 0", {}, 2, "'0' is not a number"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a database of today, one that is none, and one that was never migrated."""
    folder = tmp_path_factory.mktemp("cli")
    run("migrate", folder=folder)
    (folder / "rows.txt").write_text("this is no database, and no policy; it is long enough to be looked at" * 20)
    (folder / "old.db").touch()
    return folder


@pytest.mark.parametrize("case", NOES)
def test_a_no_is_a_sentence_and_a_status(case: str, folder: Path) -> None:
    command, settings, status, said = NOES[case]

    told = run(*command.split(), folder=folder, settings=settings)

    assert told.returncode == status, told.stderr
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_port_that_is_taken_is_said_so(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = run("serve", "--port", str(port), folder=folder)

    assert told.returncode == 1
    assert told.stderr.splitlines()[-1] == f"127.0.0.1:{port} cannot be listened on: Address already in use."


def test_every_fault_of_the_settings_stands_in_a_line_of_its_own() -> None:
    bad: Mapping[str, str] = {"AFTERSALES_PORT": "x", "AFTERSALES_LOG_LEVEL": "loud"}

    told = run("plugins", settings=bad)

    assert told.stderr.splitlines() == [
        "The settings cannot be used:",
        "AFTERSALES_PORT: 'x' is not a whole number from 0 to 65535.",
        "AFTERSALES_LOG_LEVEL: 'loud' is not one of: debug, info, warning, error.",
    ]
