"""Copied while it is served and written to, put back elsewhere, and served again: docs/backup.md, as it says."""

import asyncio
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.embedded import NoPostgres, programs
from tests.missing import left_out
from tests.postgres import Postgres, another_server, drop, new_database
from tests.processes import run
from tests.store.releases import AGENT, SELLER, Release, brought_in, serves

from aftersales.store.log import Log
from aftersales.store.urls import open_database
from aftersales.testing.places import on_sqlite

# More transactions than a server has counted that was just made.
BUSY = "DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"


async def serials(url: str) -> list[int]:
    database = await open_database(url)
    try:
        return [line.serial for line in await Log(database).after(0, 10_000)]
    finally:
        await database.close()


def cursor_of(release: Release, who: dict[str, str]) -> str:
    with release.follow_if(who) as heard:
        heard.next()
        return heard.cursor


def begins_anew(release: Release, who: dict[str, str], after: str) -> str:
    """The cursor that a stream is told to go on from."""
    with release.follow_if(who, after) as heard:
        first = heard.next()
    assert (first["__typename"], first["reason"]) == ("StreamReset", "CURSOR_EXPIRED")
    return heard.cursor


async def restored(url: str, other: str, copy: Any, put_back: Any) -> None:
    """What holds on both databases."""
    with serves("first", url) as first, ThreadPoolExecutor() as pool:
        whole = [first.open(0), first.open(1)]
        before = [cursor_of(first, who) for who in (SELLER, AGENT)]
        writing = pool.submit(lambda: [first.open(number) for number in (2, 3, 4)])
        copy()
        lost = writing.result()
        told = {id: first.types(id) for id in (*whole, *lost)}
        after = [cursor_of(first, who) for who in (SELLER, AGENT)]
    put_back()
    assert run("migrate", "--database", other).returncode == 0
    kept = await serials(other)
    assert set(kept) <= set(await serials(url))

    with serves("second", other) as second:
        assert [second.types(id) for id in whole] == [told[id] for id in whole]
        # each is there from its beginning, or not at all
        found = [id for id in lost if second.is_there(id)]
        assert [second.types(id) for id in found] == [told[id] for id in found]
        for who, *cursors in zip((SELLER, AGENT), before, after, strict=True):
            for cursor in cursors:
                begins_anew(second, who, cursor)
        cursors = [begins_anew(second, who, cursor) for who, cursor in zip((SELLER, AGENT), after, strict=True)]
        again = second.open(5)
        for who, cursor in zip((SELLER, AGENT), cursors, strict=True):
            with second.follow(who, cursor) as heard:
                heard.until("DeadlineStarted", again)
    assert [serial for serial in await serials(other) if serial > kept[-1]] == (await serials(other))[len(kept) :]
    assert len(await serials(other)) == len(kept) + 2


@pytest.mark.engine("sqlite")
async def test_a_file_is_copied_while_it_is_served_and_put_back(engine: None, tmp_path: Path) -> None:
    url, other, copy = await on_sqlite(tmp_path / "s.db"), f"sqlite://{tmp_path / 'other.db'}", tmp_path / "copy.db"
    brought_in(url)

    def back_up() -> None:
        told = run("backup", str(copy), "--database", url)
        assert told.returncode == 0, told.stderr
        assert told.stdout == f"{url} is copied to {copy}: {copy.stat().st_size} bytes.\n"

    await restored(url, other, back_up, lambda: copy.rename(tmp_path / "other.db"))


@pytest.mark.engine("sqlite")
def test_a_copy_is_never_made_over_a_file_nor_of_none(engine: None, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    (tmp_path / "no.db").write_text("no database, though it is there and long enough to be looked at" * 100)

    def said(file: str, url: str) -> str:
        told = run("backup", file, "--database", url, folder=tmp_path)
        assert (told.returncode, told.stdout) == (1, "")
        return told.stderr.strip()

    assert said("copy", "sqlite://none.db") == "There is no file none.db."
    asyncio.run(on_sqlite(tmp_path / "s.db"))
    assert said("there", "sqlite://s.db") == "there is there already. Name another, or take it away."
    assert said("copy", "sqlite://no.db") == "no.db could not be copied: file is not a database."
    assert said("copy", "postgres:///x").startswith("postgres:///x is backed up by PostgreSQL's own tools")
    assert (tmp_path / "there").read_text() == "mine"
    assert list(tmp_path.glob("copy*")) == []


@pytest.fixture
def elsewhere() -> str:
    """Another server, with a database that has nothing in it."""
    try:
        return another_server()
    except NoPostgres as reason:
        left_out(f"no PostgreSQL to restore into: {reason}")


@pytest.fixture
def url(engine: Postgres) -> Iterator[str]:
    url = new_database()
    brought_in(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(BUSY)
    yield url
    drop(url)


@pytest.mark.engine("postgres")
async def test_a_database_is_dumped_while_it_is_served_and_restored_into_another_server(
    url: str, elsewhere: str, tmp_path: Path
) -> None:
    dump = tmp_path / "aftersales.dump"

    def ran(program: str, *args: str | Path) -> None:
        subprocess.run([programs() / program, *args], check=True, capture_output=True)

    def put_back() -> None:
        ran("pg_restore", "--no-owner", "--exit-on-error", "--dbname", elsewhere, dump)
        told = run("serve", "--database", elsewhere)
        assert told.returncode == 1
        assert "was restored from another server. Run: aftersales migrate" in told.stderr

    await restored(url, elsewhere, lambda: ran("pg_dump", "--format=custom", "--file", dump, url), put_back)
