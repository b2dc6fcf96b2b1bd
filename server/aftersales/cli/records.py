"""Commands on the database: its schema, and what comes in from outside."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path
from typing import BinaryIO

from ..engine.refusal import Refused
from ..engine.vocabulary import Actor, Party
from ..environment import shown
from ..marketplace import FORMAT, Outcome, RowResult, Summary, TooLarge, import_file, import_returns, shop_id
from ..marketplace.returns import Summary as ReturnsSummary
from ..running import build, told_in_words
from ..settings import CannotStart, Settings
from ..store.backup import BackupFailed, back_up
from ..store.migrate import migrate as bring_up
from ..store.migrate import schema_state
from ..store.urls import is_postgres, path_of


def migrate(args: Namespace, settings: Settings) -> int:
    with told_in_words(settings.database):
        before = asyncio.run(bring_up(settings.database))
        after = asyncio.run(schema_state(settings.database))
    where = shown(settings.database)
    if before.pending:
        print(f"{where} is now at {after.current}. Applied: {', '.join(before.pending)}.")
    else:
        print(f"{where} is at {after.current}. There was nothing to do.")
    return 0


def backup(args: Namespace, settings: Settings) -> int:
    where = shown(settings.database)
    if is_postgres(settings.database):
        raise CannotStart(
            f"{where} is backed up by PostgreSQL's own tools: pg_dump, or pg_basebackup. See docs/backup.md."
        )
    try:
        back_up(path_of(settings.database), args.file)
    except (BackupFailed, OSError) as error:
        raise CannotStart(str(error)) from error
    print(f"{where} is copied to {args.file}: {args.file.stat().st_size} bytes.")
    return 0


def erase(args: Namespace, settings: Settings) -> int:
    return asyncio.run(_erase(args.buyer, args.by, settings))


async def _erase(buyer_id: str, by: str, settings: Settings) -> int:
    running = await build(settings)
    try:
        # whoever reaches the database needs no grant
        actor = Actor(Party.PLATFORM, by, grants=frozenset({"privacy"}), client="aftersales erase")
        done = (await running.house.privacy.erase(buyer_id, actor)).erasure
    except Refused as refused:
        print(*(problem.text() for problem in refused.problems), sep="\n", file=sys.stderr)
        return 1
    finally:
        await running.close()
    print(f"Erased: {done.orders} orders, {done.requests} requests, {done.files} files. The buyer is {done.id} now.")
    return 0


def bring(args: Namespace, settings: Settings) -> int:
    if args.format == FORMAT:
        return _bring_returns(args, settings)
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


def _bring_returns(args: Namespace, settings: Settings) -> int:
    if not args.shop:
        raise CannotStart("Say whose returns they are: --shop ID, the marketplace's own.")
    source = sys.stdin.buffer if args.file == "-" else Path(args.file)
    try:
        summary = asyncio.run(_returned(source, args.shop, settings))
    except OSError as error:
        raise CannotStart(f"{args.file} cannot be read: {error.strerror}.") from error
    except TooLarge as error:
        raise CannotStart(f"{args.file} cannot be read: {error}.") from error
    print(f"{summary}.")
    return 1 if summary.wants_a_person else 0


async def _returned(source: Path | BinaryIO, shop: str, settings: Settings) -> ReturnsSummary:
    running = await build(settings)
    summary = ReturnsSummary()
    try:
        known = await running.desk.ledger.shops([shop_id(shop)])
        if not known:
            raise CannotStart(f"There is no shop {shop}: bring it in first, with `aftersales import`.")
        async for result in import_returns(source, running.desk, known[shop_id(shop)]):
            summary.add(result)
            if result.text:
                print(f"line {result.place}{f' ({result.id})' if result.id else ''}: {result.text}")
    finally:
        await running.close()
    return summary


def _tell(result: RowResult) -> None:
    for problem in result.problems:
        where = f" at {problem.field}" if problem.field else ""
        print(f"line {result.place}{f' ({result.name})' if result.name else ''}{where}: {problem.text()}")
