"""A wire to PostgreSQL that can be counted on, and cut: a proxy in front of its socket."""

import asyncio
from contextlib import suppress
from types import TracebackType

from psycopg.conninfo import conninfo_to_dict


class Wire:
    """
    Args:
        trips: how often an answer came after something was asked.
        joined: how many connections there were.
        late: seconds that whatever the server says is on its way.
        deaf: what the server says is lost on the way.
        deaf_from: as `deaf`, from when we say this, at the end of a batch that writes.
        dumb: what we say is lost on the way.
    """

    def __init__(self, url: str) -> None:
        self.to = conninfo_to_dict(url)
        self.trips = self.joined = 0
        self.deaf = self.dumb = False
        self.late = 0.0
        self.deaf_from: bytes | None = None
        self._asked = False
        self._port = 0
        self._pairs: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"postgres://{self.to['user']}@127.0.0.1:{self._port}/{self.to['dbname']}?sslmode=disable&gssencmode=disable"

    async def __aenter__(self) -> "Wire":
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    async def mend(self) -> None:
        self.deaf, self.dumb, self.deaf_from, self.late = False, False, None, 0.0
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        self._server.close()
        for writer in self._pairs:
            writer.transport.abort()
        self._pairs.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.joined += 1
        if str(self.to["host"]).startswith("/"):
            path = f"{self.to['host']}/.s.PGSQL.{self.to.get('port', 5432)}"
            answers, asks = await asyncio.open_unix_connection(path)
        else:
            answers, asks = await asyncio.open_connection(str(self.to["host"]), int(self.to.get("port") or 5432))
        self._pairs |= {writer, asks}
        for pair in ((reader, asks, True), (answers, writer, False)):
            task = asyncio.create_task(self._carry(*pair))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, asks: bool) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(65_536):
                if not asks and self._asked:
                    self.trips += 1
                self._asked = asks
                if asks and self.deaf_from and self.deaf_from in chunk:
                    self.deaf = True
                if self.late and not asks:
                    await asyncio.sleep(self.late)
                if not (self.dumb if asks else self.deaf):
                    to.write(chunk)
                    await to.drain()
            to.close()
