"""The least that could answer the same: a bare ASGI application that knows five documents, and hand-written SQL.

No GraphQL, no rights, no plugins, no rulebook, no migration: what is asked is told by the operation's name
and answered from constants and rows. It takes the same bytes and gives the same answers; `compared.py` holds
the two against each other, the answers and the rows that are written.
"""

import sqlite3
from pathlib import Path

import orjson
from starlette.types import Receive, Scope, Send

from . import bare_reads, bare_writes
from .bare_reads import Answer

HEADERS = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]


class Bare:
    def __init__(self, path: Path) -> None:
        # in the loop's own thread: nothing is cheaper, though everybody waits for everybody's commit
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.terms = bare_writes.terms(self.connection)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        asked = orjson.loads(body)
        program = next((value.decode() for name, value in scope["headers"] if name == b"user-agent"), "")
        answer = orjson.dumps({"data": self.answer(asked["operationName"], asked["variables"], program)})
        headers = [*HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def answer(self, name: str, variables: Answer, program: str) -> Answer:
        match name:
            case "Board":
                return bare_reads.board(self.connection, **variables)
            case "Detail":
                return bare_reads.detail(self.connection, **variables)
            case "Tiny":
                return bare_reads.tiny(self.connection, **variables)
            case "RefundOnlyOpen":
                return bare_writes.opened(self.connection, self.terms, program, **variables)
            case "RefundOnlyApprove":
                return bare_writes.approved(self.connection, program, **variables)
        raise LookupError(name)


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
