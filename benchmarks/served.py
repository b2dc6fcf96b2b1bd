"""A server to be measured, on a file: `python -m benchmarks.served ours FILE`, or `bare`. Prints its address.

Ours is also served on whatever a URL names.
"""

import asyncio
import sys
from pathlib import Path

from starlette.types import ASGIApp

from aftersales.transport.launcher import serve


def main(which: str, place: str) -> None:
    serve({"ours": ours, "bare": bare}[which](place), port=0, ready=lambda address: print(address, flush=True))


def bare(place: str) -> ASGIApp:
    from .bare import Bare

    return Bare(Path(place))


def ours(place: str) -> ASGIApp:
    # here, as the bare one shall not carry what it does not need
    from aftersales.asgi import create_app
    from aftersales.registry import Plugin
    from aftersales.running import build
    from aftersales.settings import Settings

    from .provider import SlowProvider

    settings = Settings(database=place if "://" in place else f"sqlite://{place}")
    return create_app(asyncio.run(build(settings, plugins=[Plugin("slow", "1.0", SlowProvider())])))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
