"""What the doors allow: sizes, numbers and times, with defaults that are safe for strangers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """
    Args:
        path: the one path of GraphQL, for HTTP, server-sent events and the WebSocket alike.
        strangers_introspect: whether those without a token may read the schema.
        origins: pages of other origins that may open a WebSocket; `*` is any. The own origin always may.
        head_bytes: of the request line and the headers; larger is 431.
        head_seconds: until they have come; slower is cut.
        body_bytes: of one HTTP body; larger is 413.
        body_seconds: until a body has come whole; slower is 408.
        query_string_bytes: of a GET; longer is 414.
        operations: queries and mutations at once over all callers; one more is 503.
        operations_of_one: of these, cheap ones of one caller, while dear ones run alone; more wait for their turn, five
            times as many at most.
        operation_seconds: for one query or mutation.
        database_seconds: of these, what it may wait for the database in all its batches; each item of a stream too.
        mutation_seconds: until a mutation that nobody waits for any more is ended, and undone if it can be.
        patience_seconds: how long an operation may run before anyone looks whether its caller has left.
        streams: open WebSockets and event streams together; one more is 503.
        streams_of_one: of these, of one caller; one more is 429, or closes the socket with 1013.
        subscriptions: operations at once on one WebSocket.
        cost: in points, of one operation; dearer is refused.
        budget: in points, of one caller; who has spent it hears 429 until enough has come back.
        budget_per_second: how many points come back.
        connections: open connections of any kind; one more is closed at once.
        message_bytes: of one WebSocket message; larger closes the socket with 1009.
        init_seconds: until `connection_init`; later closes the socket with 4408.
        send_seconds: until a caller takes what we send; slower is cut.
        uploads: files of evidence on their way in at once; one more is 503.
        upload_bytes: of all of them together; one more is 503, unless it is alone.
        upload_seconds: until a file has come whole, and `body_seconds` for each piece of it; slower is 408.
        downloads: files of evidence on their way out at once; one more is 503.
        notice_seconds: that a server which is told to stop says so, and goes on as ever, before it drains.
        drain_seconds: that what was begun has to end then.
        heartbeat_seconds: of silence until an event stream says that it lives.
    """

    path: str = "/graphql"
    strangers_introspect: bool = True
    origins: frozenset[str] = frozenset()
    head_bytes: int = 64_000
    head_seconds: float = 10.0
    body_bytes: int = 1_000_000
    body_seconds: float = 10.0
    query_string_bytes: int = 16_000
    operations: int = 200
    operations_of_one: int = 8
    operation_seconds: float = 30.0
    database_seconds: float = 4.5
    mutation_seconds: float = 60.0
    patience_seconds: float = 0.2
    streams: int = 5_000
    streams_of_one: int = 100
    subscriptions: int = 50
    cost: int = 10_000
    budget: int = 50_000
    budget_per_second: int = 2_000
    connections: int = 12_000
    message_bytes: int = 1_000_000
    init_seconds: float = 5.0
    send_seconds: float = 10.0
    uploads: int = 20
    upload_bytes: int = 200_000_000
    upload_seconds: float = 300.0
    downloads: int = 100
    notice_seconds: float = 0.0
    drain_seconds: float = 10.0
    heartbeat_seconds: float = 15.0
