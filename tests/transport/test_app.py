"""The application around the doors: when it is ready, what it shows where, and which pages may call it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aftersales.asgi import create_app
from aftersales.demo.making import built
from aftersales.loops import Work
from aftersales.running import Running, build
from aftersales.settings import CannotStart, Mode, Settings
from aftersales.testing import FakeClock, places

OWN = "a secret of our own, of 32 bytes or more"
BOARD = "https://board.example"


@pytest.fixture
async def settings(_own_databases: None, tmp_path: Path) -> Settings:
    database, evidence = await places.place(tmp_path / "app.sqlite3"), f"file://{tmp_path / 'app.evidence'}"
    return Settings(database=database, evidence=evidence, secret=OWN, origins=frozenset({BOARD}))


@asynccontextmanager
async def client(running: Running, **beside: Work) -> AsyncIterator[httpx.AsyncClient]:
    works = {name: (lambda work=work: work) for name, work in beside.items()}
    app = create_app(running, beside=works)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client,
    ):
        yield client


async def test_it_is_ready_while_its_database_answers(settings: Settings) -> None:
    running = await build(settings)

    async with client(running) as here:
        before = await here.get("/readyz")
        await running.database.close()
        after = await here.get("/readyz")
        alive = await here.get("/healthz")

    assert (before.status_code, before.json()) == (200, {"ready": True})
    assert (after.status_code, after.json()) == (503, {"ready": False, "database": "does not answer"})
    assert alive.status_code == 200


async def test_it_is_not_ready_once_work_has_ended_that_should_go_on(settings: Settings) -> None:
    ended = asyncio.Event()

    async def ends() -> None:
        ended.set()

    async with client(await build(settings), world=ends()) as here:
        await ended.wait()
        told = await here.get("/readyz")

    assert (told.status_code, told.json()) == (503, {"ready": False, "world": "ended"})


@pytest.mark.engine("sqlite")  # a demo is a file
async def test_a_developer_is_shown_a_page_and_production_has_none(settings: Settings) -> None:
    html = {"accept": "text/html"}
    # as a demo, which has somebody who pays
    shown = await built(settings, FakeClock())
    hidden = await built(replace(settings, mode=Mode.PRODUCTION), FakeClock())

    async with client(shown) as here:
        assert (await here.get("/graphql", headers=html)).status_code == 200
        assert (await here.get("/")).headers["location"] == "/graphql"
    async with client(hidden) as here:
        assert (await here.get("/graphql", headers=html)).status_code == 406
        assert (await here.get("/")).status_code == 404


async def test_production_does_not_start_if_nobody_pays(settings: Settings) -> None:
    running = await build(replace(settings, mode=Mode.PRODUCTION))

    with pytest.raises(CannotStart, match="aftersales_refund_gateway"):
        create_app(running)

    await running.close()


@pytest.mark.parametrize(("origin", "allowed"), [(BOARD, BOARD), ("https://evil.example", None)])
async def test_only_known_pages_from_elsewhere_may_call(settings: Settings, origin: str, allowed: str | None) -> None:
    asks = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }

    async with client(await build(settings)) as here:
        before = await here.options("/graphql", headers=asks)
        answer = await here.post("/graphql", json={"query": "{ __typename }"}, headers={"origin": origin})

    assert before.headers.get("access-control-allow-origin") == allowed
    assert answer.headers.get("access-control-allow-origin") == allowed
    assert "access-control-allow-credentials" not in answer.headers
