"""Serves: a database that is there, or the demo."""

import asyncio
import logging
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from ..asgi import create_app, transport_settings
from ..clock import FastClock
from ..demo.making import FILE, make_apart
from ..demo.people import PEOPLE
from ..demo.place import Demo, take_up
from ..running import Running, build, left_at, policies_of, registry_of
from ..settings import DEVELOPMENT_SECRET, Settings
from ..store.urls import path_of
from ..transport.launcher import serve as launch
from . import logs
from .tokens import made
from .workers import told_of_the_address

log = logging.getLogger("aftersales")

WEEK = timedelta(days=7)
ALONE = ("127.0.0.1", "::1", "localhost")


def serve_alone(args: Namespace, settings: Settings) -> int:
    logs.configure(settings)
    # told to stop while still starting, it leaves nothing behind; once it serves, the launcher listens for this
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if args.demo:
        _demo(args, settings)
    else:
        _serve(asyncio.run(_built(settings, args.speed)))
    return 0


def _demo(args: Namespace, settings: Settings) -> None:
    with ExitStack() as stack:
        url = args.database
        if url is None:
            # of its own: a database that the environment names may hold what matters
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="aftersales-demo-"))
            url = f"sqlite://{Path(folder) / FILE}"
        # and its files beside it
        settings = replace(settings, database=url, jwks_url=None, evidence=None)
        path = path_of(url)
        if path.exists():
            print(f"The world of {path} is taken up where it was left.", flush=True)
        else:
            # what stands against it is said here: the process that makes the world has no words for it
            registry_of(settings, policies_of(settings))
            print("Making a world, once; this takes up to half a minute.", flush=True)
            asyncio.run(make_apart(path))
        demo = asyncio.run(take_up(settings, args.speed))
        _serve(demo.running, demo, partial(_people, settings))


async def _built(settings: Settings, speed: float) -> Running:
    running = await build(settings)
    if speed == 1:
        return running
    await running.close()
    return await build(settings, clock=FastClock(speed, await left_at(settings.database)))


def serve_beside(settings: Settings, ready: Callable[[], None], *, first: bool) -> None:
    """As one of several on the same address.

    Args:
        first: says for all of them what they have in common.
    """
    running = asyncio.run(build(settings))
    if first:
        _warn(running)
    app = create_app(running)
    doors = transport_settings(settings)
    launch(app, settings.host, settings.port, settings=doors, ready=lambda address: ready(), supervised=True)


def _serve(running: Running, demo: Demo | None = None, people: Callable[[], Mapping[str, str]] = dict) -> None:
    settings = running.settings
    _warn(running)
    app = create_app(
        running,
        tokens=people,
        orders=[(order.id, order.lines[0].id) for order in demo.orders] if demo else [],
        beside={"world": demo.world.play} if demo else {},
    )
    doors = transport_settings(settings)

    def ready(address: str) -> None:
        url = f"{address}{doors.path}"
        if demo:
            print("\n".join(_welcome(url, people(), demo)))
        print(f"Ready at {url}", flush=True)

    with told_of_the_address(settings):
        launch(app, settings.host, settings.port, settings=doors, ready=ready)


def _warn(running: Running) -> None:
    settings = running.settings
    if not settings.production and settings.host not in ALONE and settings.secret == DEVELOPMENT_SECRET:
        log.warning("whoever reaches %s can make tokens: the secret is known to everybody", settings.host)
    if not running.registry.has_gateway:
        log.warning("no installed plugin can pay refunds: they will wait")


def _welcome(url: str, people: Mapping[str, str], demo: Demo) -> Iterator[str]:
    yield f"\nTry it in a browser: {url}\n\nTokens, good for a week:\n"
    for name, token in people.items():
        yield f"{name}\n  {token}"
    if demo.orders:
        yield "\nOrders that Dewi may claim, each with a line of it:\n"
    for order in demo.orders:
        line = order.lines[0]
        yield f"{line.product_name}, from {order.shop.name}\n  {order.id}\n  {line.id}"
    yield ""


def _people(settings: Settings) -> dict[str, str]:
    return {name: made(settings, claims, WEEK) for name, claims in PEOPLE.items()}
