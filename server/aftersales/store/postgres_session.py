"""One connection to PostgreSQL. A batch goes out as a pipeline and its answers come back together: one round trip."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from .database import Row, Statement
from .postgres_sql import encoded, gives_rows, translated, types

PREPARED = 500
CANCEL_SECONDS = 1.0

READS = b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
WRITES = b"BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"


class Lost(Exception):
    """The connection is gone.

    Args:
        unknown: it went when it may have been told to commit already.
    """

    def __init__(self, unknown: bool) -> None:
        super().__init__("The connection to the database was lost.")
        self.unknown = unknown


class Failed(Exception):
    """A statement failed, and the whole batch is undone.

    Args:
        statement: None: it was the transaction itself.
    """

    def __init__(self, statement: Statement | None, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.statement = statement
        self.error = error
        self.code = error.sqlstate or ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something sent, whose answer comes in turn.

    Args:
        statement: what it runs or prepares; None: it begins or ends the transaction.
        prepares: the text that it prepares; None: it runs.
    """

    statement: Statement | None = None
    prepares: str | None = None


class Session:
    """Made by `opened`. One batch at a time."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self.lost = False
        self._connection = connection
        self._pg = connection.pgconn
        self._rows = Transformer(connection)
        self._prepared: OrderedDict[str, bytes] = OrderedDict()
        self._names = 0
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._socket = self._pg.socket
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        # all the time, so that a connection that is lost while nobody uses it is known as lost
        self._hearing = True
        self._loop.add_reader(self._socket, self._readable)

    @classmethod
    async def opened(cls, conninfo: str) -> Session:
        return cls(await psycopg.AsyncConnection.connect(conninfo, autocommit=True))

    async def run(self, begin: bytes | None, statements: Sequence[Statement]) -> list[list[Row]]:
        """
        Args:
            begin: what begins the transaction; None: a single statement that only reads.

        Raises:
            Failed: nothing was done.
            Lost.
        """
        failed: Failed | None = None
        try:
            commands = self._send(begin, statements)
            await self._flushed()
            answers, failed = await self._answers(commands)
            if begin is not None:
                _, not_ended = await self._answers([Command()])
                failed = failed or not_ended
        except psycopg.OperationalError as error:
            self.lost = True
            # here, and not only when it is closed: until then others may run, and open a socket of the same number
            self._hear_no_more()
            raise failed or Lost(unknown=begin is WRITES) from error
        if failed:
            raise failed
        return answers

    async def cancel(self) -> None:
        """Ask the server to stop what runs; by a connection of its own, as its protocol has it."""
        await self._connection.cancel_safe(timeout=CANCEL_SECONDS)

    async def close(self) -> None:
        self.lost = True
        self._hear_no_more()
        await self._connection.close()

    def _send(self, begin: bytes | None, statements: Sequence[Statement]) -> list[Command]:
        # first all of them, so that one that cannot be sent leaves no half pipeline behind
        values = [encoded(statement.args) for statement in statements]
        commands = []
        if begin is not None:
            self._pg.send_query_params(begin, None)
            commands.append(Command())
        for statement, args in zip(statements, values, strict=True):
            commands += self._send_statement(statement, args)
        self._pg.pipeline_sync()
        if begin is not None:
            # beyond the point at which a failed batch stops: there COMMIT undoes it, without a word from us
            self._pg.send_query_params(b"COMMIT", None)
            self._pg.pipeline_sync()
        return commands

    def _send_statement(self, statement: Statement, args: list[bytes | None]) -> list[Command]:
        text = translated(statement.sql, statement.rows)
        commands = [Command(statement)]
        name = self._prepared.get(text)
        if name is None:
            self._names += 1
            name = f"s{self._names}".encode()
            self._pg.send_prepare(name, text.encode(), types(statement.args))
            self._prepared[text] = name
            commands.insert(0, Command(statement, text))
        self._prepared.move_to_end(text)
        self._pg.send_query_prepared(name, args)
        if len(self._prepared) > PREPARED:
            _, oldest = self._prepared.popitem(last=False)
            self._pg.send_query_params(b"DEALLOCATE " + oldest, None)
            commands.append(Command())
        return commands

    async def _flushed(self) -> None:
        while self._pg.flush():
            writable = self._loop.create_future()
            self._loop.add_writer(self._socket, _settle, writable)
            try:
                await writable
            finally:
                self._loop.remove_writer(self._socket)

    async def _answers(self, commands: Sequence[Command]) -> tuple[list[list[Row]], Failed | None]:
        """What came of commands, up to the point where the pipeline is in step again."""
        answers: list[list[Row]] = []
        failed: Failed | None = None
        for command in commands:
            result = await self._result()
            if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED):
                if command.prepares:
                    self._prepared.pop(command.prepares, None)
                if failed is None:
                    failed = Failed(command.statement, _error(result))
            elif command.statement and not command.prepares:
                answers.append(self._loaded(command.statement, result))
        while (await self._result()).status != pq.ExecStatus.PIPELINE_SYNC:
            continue
        return answers, failed

    def _loaded(self, statement: Statement, result: pq.abc.PGresult) -> list[Row]:
        if not result.ntuples or (statement.rows is not None and not gives_rows(statement.sql)):
            return []
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    async def _result(self) -> pq.abc.PGresult:
        while True:
            while self._pg.is_busy():
                if self.lost:
                    raise psycopg.OperationalError("the connection was lost")
                self._arrived.clear()
                await self._arrived.wait()
            result = self._pg.get_result()
            if result is not None:
                return result
            if self.lost:
                raise psycopg.OperationalError("the connection was lost")

    def _readable(self) -> None:
        try:
            self._pg.consume_input()
        except psycopg.OperationalError:
            self.lost = True
            self._hear_no_more()
        self._arrived.set()

    def _hear_no_more(self) -> None:
        """Once: the driver closes the socket of a lost connection, and its number is then somebody else's."""
        if self._hearing and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
        self._hearing = False


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """
    Raises:
        OperationalError: it is no word of the server's: the connection is gone.
    """
    error = error_from_result(result, "utf-8")
    if error.sqlstate is None:
        raise psycopg.OperationalError(str(error))
    return error
