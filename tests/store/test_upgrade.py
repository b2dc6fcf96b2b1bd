"""The release before works on the schema that this one has made, alone and beside it (ADR 0022).

Both are real processes, found by a client over HTTP. The release before is the git ref in `previous-release`.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.missing import left_out
from tests.postgres import Postgres, drop, new_database
from tests.processes import environment
from tests.store.releases import AGENT, SELLER, brought_in, run_out, serves

from aftersales.testing.places import on_sqlite

ROOT = Path(__file__).parents[2]
REF = Path(__file__).with_name("previous-release").read_text().strip()


@pytest.fixture(scope="module")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What makes a process run it."""
    if not (ROOT / ".git").exists():
        left_out(f"no release before to upgrade from: there is no git history here to take {REF} from")
    archived = subprocess.run(["git", "archive", REF, "server", "plugins"], cwd=ROOT, capture_output=True)
    if archived.returncode:
        left_out(f"no release before to upgrade from: {REF} is not in this git history: {archived.stderr.decode()}")
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-x"], cwd=folder, input=archived.stdout, check=True)
    parts = [folder / "server", *sorted((folder / "plugins").iterdir())]
    settings = {"PYTHONPATH": os.pathsep.join(map(str, parts))}
    told = "import aftersales, aftersales_refund_only as r; print(aftersales.__file__, r.__file__)"
    found = subprocess.run([sys.executable, "-c", told], env=environment(settings), capture_output=True, text=True)
    assert [Path(name).is_relative_to(folder) for name in found.stdout.split()] == [True, True], found
    return settings


@pytest.fixture
async def url(engine: Postgres | None, tmp_path: Path) -> AsyncIterator[str]:
    """A copy of a database that this release has migrated from nothing, with a shop and orders in it."""
    url = await on_sqlite(tmp_path / "s.db") if engine is None else new_database()
    await asyncio.to_thread(brought_in, url)
    yield url
    if engine is not None:
        drop(url)


@pytest.mark.engine("sqlite")  # of PostgreSQL: below
async def test_on_a_file_each_release_goes_on_where_the_other_has_left_it(
    url: str, release_before: dict[str, str]
) -> None:
    with serves("new", url) as new, new.follow(SELLER) as heard:
        first, second = new.open(0), new.open(1)
        heard.until("RequestCreated", second)
        cursor = heard.cursor

    with serves("old", url, release_before) as old, old.follow(SELLER, cursor) as heard:
        old.approve(first)
        heard.until("RequestApproved", first)
        await run_out(url, second)
        assert "RequestApproved" in heard.until("DeadlineExpired", second)
        third = old.open(2)
        cursor = heard.cursor
        told = {id: old.types(id) for id in (first, second, third)}

    with serves("new-again", url) as new, new.follow(SELLER, cursor) as heard:
        heard.until("RequestCreated", third)
        await run_out(url, third)
        assert "RequestApproved" in heard.until("DeadlineExpired", third)
        assert {id: new.types(id)[: len(each)] for id, each in told.items()} == told
        assert new.types(third).count("DeadlineExpired") == 1


@pytest.mark.engine("postgres")  # of SQLite: above
async def test_the_release_before_works_alone_and_beside_this_one_on_what_this_one_has_migrated(
    url: str, release_before: dict[str, str]
) -> None:
    with ExitStack() as olds:
        old = olds.enter_context(serves("old", url, release_before))
        with old.follow(SELLER) as heard, old.follow(AGENT) as all_heard:
            alone = old.open(0)
            await run_out(url, alone)
            assert "RequestApproved" in heard.until("DeadlineExpired", alone)
            assert "RequestApproved" in all_heard.until("DeadlineExpired", alone)
            cursors = heard.cursor, all_heard.cursor

        with ExitStack() as news:
            new = news.enter_context(serves("new", url))
            with ExitStack() as streams:
                # each goes on in the other's release from where it was
                followed = [
                    streams.enter_context(release.follow(who, at))
                    for who, at in zip((SELLER, AGENT), cursors, strict=True)
                    for release in (old, new)
                ]
                of_old, of_new = old.open(1), new.open(2)
                new.approve(of_old)
                old.approve(of_new)
                silent = old.open(3), new.open(4)
                await run_out(url, *silent)
                ends = dict.fromkeys((of_old, of_new), "RequestApproved") | dict.fromkeys(silent, "DeadlineExpired")
                for heard in followed:
                    types = heard.all_until(ends)
                    assert {id: each[:1] for id, each in types.items()} == {id: ["RequestCreated"] for id in ends}
            last = new.open(5), old.open(6)
            olds.close()

            with new.follow(SELLER) as heard:
                await run_out(url, *last)
                heard.all_until(dict.fromkeys(last, "DeadlineExpired"))
            ids = (alone, of_old, of_new, *silent, *last)
            told = {id: new.types(id) for id in ids}

    # and back again, as after a release that was taken back
    with serves("back", url, release_before) as old:
        # whatever has been added since, such as a try to pay
        assert {id: old.types(id)[: len(each)] for id, each in told.items()} == told
        assert {id: types.count("RequestApproved") for id, types in told.items()} == dict.fromkeys(ids, 1)
        assert [told[id].count("DeadlineExpired") for id in (alone, *silent, *last)] == [1] * 5
        again = old.open(7)
        with old.follow(SELLER) as heard:
            await run_out(url, again)
            heard.until("DeadlineExpired", again)
