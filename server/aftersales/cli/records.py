"""Commands on the database: its schema, and what comes in from outside."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path
from typing import BinaryIO

from ..marketplace import Outcome, RowResult, Summary, import_file
from ..running import build, told_in_words
from ..settings import CannotStart, Settings
from ..store.migrate import migrate as bring_up
from ..store.migrate import schema_state


def migrate(args: Namespace, settings: Settings) -> int:
    with told_in_words(settings.database):
        before = asyncio.run(bring_up(settings.database))
        after = asyncio.run(schema_state(settings.database))
    if before.pending:
        print(f"{settings.database} is now at {after.current}. Applied: {', '.join(before.pending)}.")
    else:
        print(f"{settings.database} is at {after.current}. There was nothing to do.")
    return 0


def bring(args: Namespace, settings: Settings) -> int:
    try:
        summary = asyncio.run(_bring(sys.stdin.buffer if args.file == "-" else Path(args.file), settings))
    except OSError as error:
        raise CannotStart(f"{args.file} cannot be read: {error.strerror}.") from error
    print(f"{summary}.")
    return 1 if summary.refused else 0


async def _bring(source: Path | BinaryIO, settings: Settings) -> Summary:
    running = await build(settings)
    summary = Summary()
    try:
        async for result in import_file(source, running.desk.ledger, running.clock):
            summary.add(result)
            if result.outcome is Outcome.REFUSED:
                _tell(result)
    finally:
        await running.close()
    return summary


def _tell(result: RowResult) -> None:
    for problem in result.problems:
        where = f" at {problem.field}" if problem.field else ""
        print(f"line {result.place}{f' ({result.name})' if result.name else ''}{where}: {problem.text()}")
