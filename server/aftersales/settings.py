"""What an operator may decide: the environment, read once into one frozen object, every fault told at once."""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from .environment import Read, names, number, one_of, place, shown, storage, text, web_address, whole, yes_or_no

PREFIX = "AFTERSALES_"
LEAST_SECRET_BYTES = 32
# Known to everybody who reads this, hence good for nothing but a developer's own machine.
DEVELOPMENT_SECRET = "known to everybody: for development only"
# In the folder one stands in: seen there, and thrown away with the project. A server that matters names its own.
DEFAULT_DATABASE = "sqlite://aftersales.sqlite3"
# The name that hosts and container recipes like to give.
ALSO = {f"{PREFIX}DATABASE_URL": f"{PREFIX}DATABASE"}


class Mode(Enum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(Enum):
    TEXT = "text"
    JSON = "json"


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class CannotStart(Exception):
    """For a reason that an operator can mend. Says what to do."""


class BadSettings(CannotStart):
    """Names every fault at once."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def as_(read: Read, meaning: str) -> dict[str, Any]:
    return {"read": read, "meaning": meaning}


# fmt: off
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The field `port` is AFTERSALES_PORT, and so on. What each means, `describe` tells from here."""

    mode: Mode = field(default=Mode.DEVELOPMENT, metadata=as_(one_of(Mode),
        "`development`, or `production`: no page to try things on, no known secret, and never without a way to pay."))
    database: str = field(default=DEFAULT_DATABASE, metadata=as_(text,
        "Where the record is kept: `sqlite://FILE`, with three slashes from the root, or `postgres://USER@HOST/NAME`."))
    database_connections: int = field(default=20, metadata=as_(whole(1, 1_000),
        "At most, to a PostgreSQL server, of one process; opened as they are needed."))
    database_waiting: int = field(default=1_000, metadata=as_(whole(1, 100_000),
        "Batches of SQL that wait for the database; one more is told that it is busy."))
    database_seconds: float = field(default=4.5, metadata=as_(number(0.1, 60),
        "That one may take, with all that it waits for; and that one query or mutation waits for all of its own."))
    evidence: str | None = field(default=None, metadata=as_(storage,
        "Where uploaded evidence is kept: `file://FOLDER`, or `s3://BUCKET/PREFIX` with the usual AWS_ variables;"
        " a folder beside the database, if not set."))
    host: str = field(default="127.0.0.1", metadata=as_(text,
        "The address to listen on; `0.0.0.0` for every one."))
    port: int = field(default=8000, metadata=as_(whole(0, 65_535),
        "The port to listen on; 0 for any that is free."))
    workers: int = field(default=1, metadata=as_(whole(1, 256),
        "Processes that serve the address, on PostgreSQL and Linux. Each has connections to the database, budgets and"
        " limits of its own, as many open files as the hard limit (`ulimit -Hn`) allows, and 100 MB at rest."))
    metrics_host: str = field(default="127.0.0.1", metadata=as_(text,
        "The address to show figures at, and nothing else: not for the public."))
    metrics_port: int | None = field(default=None, metadata=as_(whole(0, 65_535),
        "The port to show figures at, for Prometheus; several processes take it and those that follow it. 0 for any"
        " that is free; no figures are shown, if not set."))
    public_url: str | None = field(default=None, metadata=as_(web_address,
        "Where callers reach the server, as `https://api.example`: what addresses of evidence begin with. The host"
        " that a caller asks for, by http, if not set."))
    upload_minutes: float = field(default=15.0, metadata=as_(number(0.1, 1_440),
        "How long an address to upload evidence to is good for."))
    download_minutes: float = field(default=10.0, metadata=as_(number(0.1, 1_440),
        "How long an address to look at evidence is good for."))
    secret: str = field(default=DEVELOPMENT_SECRET, repr=False, metadata=as_(text,
        "Makes and checks bearer tokens (HS256), and signs addresses; 32 bytes or more. Not beside the JWKS URL."))
    address_secret: str | None = field(default=None, repr=False, metadata=as_(text,
        "Signs addresses of evidence instead of the secret; 32 bytes or more, the same for all processes on one"
        " database. Needed where tokens come from an issuer and many processes serve."))
    jwks_url: str | None = field(default=None, metadata=as_(web_address,
        "Where the issuer of the tokens publishes its keys (RS256, ES256)."))
    audience: str = field(default="aftersales", metadata=as_(text,
        "What a token must say it is for (`aud`)."))
    issuer: str | None = field(default=None, metadata=as_(text,
        "Who must have issued a token (`iss`); whoever holds the key, if not set."))
    origins: frozenset[str] = field(default=frozenset(), metadata=as_(names,
        "Pages from elsewhere that may call, as `https://board.example`, by commas; `*` for any."))
    strangers_introspect: bool | None = field(default=None, metadata=as_(yes_or_no,
        "Whether those without a token may read the schema; in development only, if not set."))
    plugins: frozenset[str] | None = field(default=None, metadata=as_(names,
        "The plugins to run, by commas; all that are installed, if not set."))
    policies: Path | None = field(default=None, metadata=as_(place,
        "A folder of policies (`*.toml`), read beside those that come with the server."))
    notice_seconds: float = field(default=0.0, metadata=as_(number(0, 600),
        "That a server which is told to stop says so (`/readyz` is 503) and goes on as ever, for a balancer that does"
        " not ask elsewhere by itself: twice the time between its looks."))
    drain_seconds: float = field(default=10.0, metadata=as_(number(0.1, 600),
        "Then: that what was begun has to end; what is new is 503, and streams are sent elsewhere. Up to 15 seconds"
        " more may pass until plugins and the database are closed."))
    heartbeat_seconds: float = field(default=15.0, metadata=as_(number(1, 300),
        "Of silence, until a stream says that it lives."))
    stream_lines: int = field(default=100_000, metadata=as_(whole(1, 10_000_000),
        "That a stream may have missed: with an older cursor it is told to begin anew (`StreamReset`)."))
    stream_days: float | None = field(default=None, metadata=as_(number(0.01, 36_500),
        "How old a line that it has missed may be; of any age, if not set. No line of the log is ever cut: it is the"
        " history."))
    log_level: LogLevel = field(default=LogLevel.INFO, metadata=as_(one_of(LogLevel),
        "`debug`, `info`, `warning` or `error`."))
    log_format: LogFormat = field(default=LogFormat.TEXT, metadata=as_(one_of(LogFormat),
        "`text` for people, `json` for machines: one object a line. Either goes to stderr."))

    # What the doors allow. Names and defaults are those of `transport.limits`; a test compares them.
    head_bytes: int = field(default=64_000, metadata=as_(whole(1_000, 1_000_000),
        "Of a request's first line and headers; larger is 431."))
    head_seconds: float = field(default=10.0, metadata=as_(number(0.1, 300),
        "Until they have come; slower is cut."))
    body_bytes: int = field(default=1_000_000, metadata=as_(whole(1_000, 100_000_000),
        "Of a request's body; larger is 413."))
    body_seconds: float = field(default=10.0, metadata=as_(number(0.1, 300),
        "Until it has come; slower is 408."))
    query_string_bytes: int = field(default=16_000, metadata=as_(whole(100, 64_000),
        "Of a GET; longer is 414."))
    operations: int = field(default=200, metadata=as_(whole(1, 100_000),
        "Queries and mutations at once; one more is 503."))
    operations_of_one: int = field(default=8, metadata=as_(whole(1, 100_000),
        "Of these, of one caller; more wait for their turn, and beyond five times as many are 429."))
    operation_seconds: float = field(default=30.0, metadata=as_(number(0.1, 600),
        "For one query or mutation; what the database does for it ends with it."))
    mutation_seconds: float = field(default=60.0, metadata=as_(number(0.1, 3_600),
        "Until a mutation whose caller has been told OUTCOME_UNKNOWN is ended too."))
    streams: int = field(default=5_000, metadata=as_(whole(1, 1_000_000),
        "Open WebSockets and event streams; one more is 503."))
    streams_of_one: int = field(default=100, metadata=as_(whole(1, 1_000_000),
        "Of these, of one caller; one more is 429."))
    connections: int = field(default=12_000, metadata=as_(whole(10, 1_000_000),
        "Open connections of any kind; one more is closed at once."))
    cost: int = field(default=10_000, metadata=as_(whole(100, 10_000_000),
        "In points, of one operation; dearer is refused."))
    budget: int = field(default=50_000, metadata=as_(whole(100, 1_000_000_000),
        "In points, of one caller; who has spent it is told 429 until enough has come back."))
    budget_per_second: int = field(default=2_000, metadata=as_(whole(1, 100_000_000),
        "How many points come back."))
    subscriptions: int = field(default=50, metadata=as_(whole(1, 10_000),
        "Operations at once on one WebSocket."))
    message_bytes: int = field(default=1_000_000, metadata=as_(whole(1_000, 100_000_000),
        "Of one WebSocket message; larger closes the socket."))
    init_seconds: float = field(default=5.0, metadata=as_(number(0.1, 300),
        "Until a WebSocket has said who it is."))
    send_seconds: float = field(default=10.0, metadata=as_(number(0.1, 300),
        "Until a caller takes what it is sent; slower is cut."))
    uploads: int = field(default=20, metadata=as_(whole(1, 10_000),
        "Files of evidence on their way in at once; one more is 503."))
    upload_bytes: int = field(default=200_000_000, metadata=as_(whole(1_000, 100_000_000_000),
        "Of all files on their way in together; one more is 503, unless it is alone."))
    upload_seconds: float = field(default=300.0, metadata=as_(number(0.1, 3_600),
        "Until a file has come whole; slower is 408."))
    downloads: int = field(default=100, metadata=as_(whole(1, 10_000),
        "Files of evidence on their way out at once; one more is 503."))

    documents: Path | None = field(default=None, metadata=as_(place,
        "A manifest of trusted documents, as `aftersales documents` writes it: they may be asked for by `documentId`."))
    documents_only: bool = field(default=False, metadata=as_(yes_or_no,
        "Whether no other document is run."))

    # What a document may ask, its fragments spread out, and what may come with it.
    document_characters: int = field(default=50_000, metadata=as_(whole(100, 1_000_000),
        "Of a document."))
    document_tokens: int = field(default=2_000, metadata=as_(whole(10, 100_000),
        "Of a document, comments counted."))
    document_depth: int = field(default=16, metadata=as_(whole(1, 100),
        "Levels of fields inside each other."))
    document_fields: int = field(default=1_000, metadata=as_(whole(1, 100_000),
        "Fields in all."))
    document_aliases: int = field(default=50, metadata=as_(whole(0, 10_000),
        "Of them, under another name."))
    document_directives: int = field(default=50, metadata=as_(whole(0, 10_000),
        "Directives on fields and fragments."))
    document_root_fields: int = field(default=20, metadata=as_(whole(1, 1_000),
        "Fields at the root."))
    variable_values: int = field(default=20_000, metadata=as_(whole(10, 1_000_000),
        "Values in variables: objects, lists, texts, numbers and names, counted together."))
    variable_items: int = field(default=1_000, metadata=as_(whole(10, 1_000_000),
        "Items of any one list in variables."))
    variable_characters: int = field(default=500_000, metadata=as_(whole(100, 100_000_000),
        "Of all texts and names in variables together."))
    variable_depth: int = field(default=32, metadata=as_(whole(2, 1_000),
        "Lists and objects inside each other in variables."))

    def __post_init__(self) -> None:
        if faults := list(_at_odds(self)):
            raise BadSettings(faults)

    @property
    def own_secret(self) -> str | None:
        """What may sign: not what stands there unused beside the issuer's keys."""
        return None if self.jwks_url else self.secret

    @property
    def signing_secret(self) -> str | None:
        """Of addresses. None: each process makes up its own."""
        return self.address_secret or self.own_secret

    def __repr__(self) -> str:
        told = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.repr}
        told |= {name: shown(url) for name, url in told.items() if isinstance(url, str) and "://" in url}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in told.items())})"

    @property
    def shown_to_strangers(self) -> bool:
        """Whether they may read the schema."""
        return not self.production if self.strangers_introspect is None else self.strangers_introspect

    @property
    def production(self) -> bool:
        return self.mode is Mode.PRODUCTION
# fmt: on


def _at_odds(settings: Settings) -> Iterator[str]:
    """What one setting cannot know of another."""
    own, size = settings.secret != DEVELOPMENT_SECRET, len(settings.secret.encode())
    if own and settings.jwks_url:
        yield f"{PREFIX}SECRET and {PREFIX}JWKS_URL are both set. Take one away: tokens are checked by the other."
    if size < LEAST_SECRET_BYTES:
        yield f"{PREFIX}SECRET has {size} bytes. It needs {LEAST_SECRET_BYTES} or more."
    if settings.address_secret is not None and len(settings.address_secret.encode()) < LEAST_SECRET_BYTES:
        yield f"{PREFIX}ADDRESS_SECRET is too short. It needs {LEAST_SECRET_BYTES} bytes or more."
    if settings.documents_only and settings.documents is None:
        yield f"{PREFIX}DOCUMENTS_ONLY is set, and no document is trusted. Set {PREFIX}DOCUMENTS."
    if settings.production and not own and not settings.jwks_url:
        yield (
            f"{PREFIX}MODE is production, and tokens would be checked by a secret that everybody knows."
            f" Set {PREFIX}JWKS_URL, or a {PREFIX}SECRET of {LEAST_SECRET_BYTES} bytes or more."
        )


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings as the environment has them. A variable that is there but empty counts as not set.

    Raises:
        BadSettings: with every value that cannot be used, and every name that seems to be misspelt.
    """
    known = {PREFIX + entry.name.upper(): entry for entry in fields(Settings)}
    given = {name: value.strip() for name, value in environment.items() if name.startswith(PREFIX) and value.strip()}
    faults = [f"{name} and {ours} differ. Take one away." for name, ours in ALSO.items() if _differ(given, name, ours)]
    for name, ours in ALSO.items():
        if name in given:
            given[ours] = given.pop(name)
    faults += _misspelt(given, known)
    values: dict[str, Any] = {}
    for name, entry in known.items():
        if name in given:
            try:
                values[entry.name] = entry.metadata["read"](given[name])
            except ValueError as error:
                faults.append(f"{name}: {given[name]!r} {error}.")
    try:
        settings = Settings(**values)
    except BadSettings as at_odds:
        faults.extend(at_odds.faults)
    if faults:
        raise BadSettings(faults)
    return settings


def _differ(given: Mapping[str, str], name: str, other: str) -> bool:
    return name in given and given.get(other, given[name]) != given[name]


def _misspelt(given: Mapping[str, str], known: Mapping[str, Field[Any]]) -> list[str]:
    """Names that are nearly ours. Others may be a plugin's own."""
    near = {name: difflib.get_close_matches(name, known, 1, cutoff=0.9) for name in given if name not in known}
    return [f"{name} is no setting. Is {close[0]} meant?" for name, close in near.items() if close]


@dataclass(frozen=True, slots=True)
class Described:
    """A setting as the documents show it; `default` is empty where there is none."""

    name: str
    default: str
    meaning: str


def describe() -> tuple[Described, ...]:
    """Every setting, for the table in the documents."""
    return tuple(
        Described(PREFIX + entry.name.upper(), _shown(entry), entry.metadata["meaning"]) for entry in fields(Settings)
    )


def _shown(entry: Field[Any]) -> str:
    match entry.default:
        case None | frozenset():
            return ""
        case _ if not entry.repr:
            return "one that everybody knows"
        case Enum() as member:
            return str(member.value)
        case bool(truth):
            return "yes" if truth else "no"
        case float(some):
            return f"{some:g}"
        case other:
            return str(other)
