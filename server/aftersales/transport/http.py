"""GraphQL over HTTP: one operation by POST or GET, as JSON or, where asked for, as a stream of events."""

from collections.abc import Mapping

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from aftersales.graphql.masking import GraphQLErrors, internal
from aftersales.graphql.operations import Prepared

from . import body, params, sse
from .accept import Media, wanted
from .answer import came_to_nothing, encoded, encoded_errors, send_end, send_whole, status_of, status_of_errors
from .attendance import Attendance
from .auth import Authenticate, Claims, Unauthorized
from .body import Left
from .caller import Caller, caller
from .gate import Gate
from .keys import KeysUnavailable
from .page import Page
from .params import Params
from .refusal import CLOSE, SOON, Headers, Turned
from .sse import Charged

READS = ("GET", "HEAD")


class GraphQLOverHTTP:
    """An ASGI application for the one path.

    Args:
        page: shown to a browser that asks for a page; None for no page at all.
    """

    def __init__(self, gate: Gate, authenticate: Authenticate, page: Page | None = None) -> None:
        self.gate = gate
        self.settings = gate.settings
        self.authenticate = authenticate
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        media = Media.JSON
        await self.gate.pace.turn(self.authenticate.known(authorization(headers)))
        try:
            reads = only_known_methods(scope) in READS
            media = wanted(headers.get(b"accept"), page=self.page is not None and reads)
            if media is Media.PAGE and self.page:
                return await self.page.show(send)
            asking = caller(scope, await self._claims(headers))
            given = await self._params(scope, headers, receive)
            if media is Media.STREAM:
                return await self._stream(given, asking, scope, receive, send)
            status, text, told = await self._answer(given, asking, media, reads, receive)
        except Left:
            return
        except Turned as no:
            return await self._turn_away(no, plain(media), receive, send)
        except Exception as error:
            fault = internal(error)
            self.gate.erred([fault])
            status, text, told = 500, encoded_errors([fault]), ()
        await send_whole(send, status, plain(media), text, told)

    async def _turn_away(self, no: Turned, media: Media, receive: Receive, send: Send) -> None:
        self.gate.erred([no.error])
        text = encoded_errors([no.error])
        unread = CLOSE in no.headers and no.status != 408  # who was too slow is not waited for again
        await send_whole(send, no.status, media, text, no.headers, last=not unread)
        if unread:
            await body.spill(receive, body.SPILL_TIMES * self.settings.body_bytes)
            await send_end(send)

    async def _claims(self, headers: Mapping[bytes, bytes]) -> Claims | None:
        try:
            return await self.authenticate(authorization(headers))
        except Unauthorized as no:
            challenge = f'Bearer error="invalid_token", error_description="{no.message}"'.encode()
            raise Turned(401, no.code, no.message, headers=((b"www-authenticate", challenge),)) from None
        except KeysUnavailable:
            message = "Tokens cannot be checked just now. Try again in a second."
            raise Turned(503, "KEYS_UNAVAILABLE", message, headers=(SOON,)) from None

    async def _params(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> Params:
        if scope["method"] == "POST":
            return params.from_json(await body.read(headers, receive, self.settings))
        if len(scope["query_string"]) > self.settings.query_string_bytes:
            raise Turned(414, "QUERY_STRING_TOO_LONG", "Send a document of this length by POST.")
        return params.from_query_string(scope["query_string"])

    async def _answer(
        self, given: Params, asking: Caller, media: Media, reads: bool, receive: Receive
    ) -> tuple[int, bytes, Headers]:
        try:
            prepared = await self.gate.admit(given, asking)
            only_reads(prepared, reads)
            if prepared.kind is OperationType.SUBSCRIPTION:
                raise Turned(406, "NOT_ACCEPTABLE", "Subscribe with Accept: text/event-stream, or by WebSocket.")
            balance = self.gate.charge(prepared, asking)
            async with Attendance(receive, self.settings.patience_seconds):
                result = await self.gate.answer(prepared, asking, balance)
        except GraphQLErrors as mistakes:
            self.gate.erred(mistakes.errors)
            return status_of_errors(media), encoded_errors(mistakes.errors), ()
        if came_to_nothing(result):
            return 503, encoded(result), (SOON, *balance.headers)
        return status_of(result, media), encoded(result), balance.headers

    async def _stream(self, given: Params, asking: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        prepared: Charged | GraphQLErrors
        try:
            admitted = await self.gate.admit(given, asking)
            only_reads(admitted, scope["method"] in READS)
            prepared = admitted, self.gate.charge(admitted, asking)
        except GraphQLErrors as mistakes:
            prepared = mistakes  # told within the stream, where the caller listens
        left = self.authenticate.seconds_left(asking.claims) if asking.claims else None
        with self.gate.streams, self.gate.connections.one(asking):
            stream = sse.EventStream(self.gate, send, seconds=left)
            await stream.run(prepared, asking, scope, receive)


def authorization(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"authorization", b"").decode("latin-1")


def only_known_methods(scope: Scope) -> str:
    method: str = scope["method"]
    if method != "POST" and method not in READS:
        raise Turned(405, "METHOD_NOT_ALLOWED", "Use POST or GET.", headers=((b"allow", b"GET, POST"),))
    return method


def only_reads(prepared: Prepared, reads: bool) -> None:
    """A link or an image must never change anything (CSRF)."""
    if reads and prepared.kind is OperationType.MUTATION:
        raise Turned(405, "MUTATION_BY_GET", "Send mutations by POST.", headers=((b"allow", b"POST"),))


def plain(media: Media) -> Media:
    """What an answer that is no stream and no page is written as."""
    return media if media is Media.RESPONSE else Media.JSON
