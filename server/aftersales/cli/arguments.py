"""What may be said on the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, fill

from ..settings import describe

PARTIES = ("buyer", "seller", "platform", "carrier", "partner")

ABOUT = "A GraphQL server for what happens after the sale: refunds, returns, reshipments, exchanges, and appeals."
SETTINGS = "Settings come from the environment; `aftersales serve --help` lists them. What is said here comes first."

Parse = Callable[[str], float]


def parser() -> argparse.ArgumentParser:
    """Each command names the function that does it, as `module:function` of this package."""
    top = argparse.ArgumentParser("aftersales", description=ABOUT, epilog=SETTINGS)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serve = _command(commands, "serve", "workers:serve", "Serve, until told to stop.", """
        A default database that is not there yet is made. Any other must be of this release: see `aftersales migrate`.

        A database that cannot be reached is said, and ends it within seconds: whoever keeps it running starts it again.
        Once it serves, it waits for the database by itself.

        With --workers, this process looks after the others: SIGTERM drains all of them, a second one ends them at once.

        --demo makes a world of three shops with weeks of history in a database of its own, plays on in it, and prints
        tokens to be somebody with. Without --database it is thrown away at the end; with it, it is kept, and taken up
        again where it was left.
        """)  # fmt: skip
    serve.epilog = _settings()
    serve.add_argument("--demo", action="store_true", help="serve a world that is made for it, and plays on")
    serve.add_argument("--host", help="the address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=_within(int, 0, 65_535), help="the port to listen on (8000); 0 for any free one")
    serve.add_argument("--workers", type=_within(int, 1, 256), metavar="N",
                       help="serve by so many processes (1), on PostgreSQL")  # fmt: skip
    serve.add_argument("--speed", type=_within(float, 0.001, 100_000), default=1.0, metavar="N",
                       help="let time pass N times as fast; 3600: an hour in a second. Not in production")  # fmt: skip
    _database(serve)

    migrate = _command(commands, "migrate", "records:migrate", "Bring the database to the schema of this release.", """
        Safe to run twice, and while servers of the release before still run.
        """)  # fmt: skip
    _database(migrate)

    backup = _command(commands, "backup", "records:backup", "Copy a SQLite database while it is served.", """
        The copy has all that is committed when it begins. It is put back as it is: docs/backup.md. PostgreSQL has tools
        of its own, and uploaded evidence is copied after the database.
        """)  # fmt: skip
    backup.add_argument("file", metavar="FILE", type=Path, help="where the copy goes; nothing may be there yet")
    _database(backup)

    bring = _command(commands, "import", "records:bring", "Bring in shops and orders, or returns, from a file.", """
        The file has one JSON object a line. Each line that was refused is told with its number, and does not stop the
        others; the exit status is then 1. The same file again changes nothing.

        --format tiktok brings in returns as the marketplace's own API exports them. What cannot be followed is kept,
        told, and listed by `aftersales attention`.
        """)  # fmt: skip
    bring.add_argument("file", metavar="FILE", help="one JSON object a line; - for standard input")
    bring.add_argument("--format", choices=("orders", "tiktok"), default="orders", help="what the file has (orders)")
    bring.add_argument(
        "--shop", metavar="ID", help="whose returns they are, with --format tiktok: the marketplace's id"
    )
    _database(bring)

    attention = _command(commands, "attention", "attention:attention", "List what a person must look at.", """
        Clocks whose act failed until it was given up, refunds that the payment provider refused to the last, and
        returns that were brought in and cannot be followed. The exit status is 1 while there are any.
        """)  # fmt: skip
    attention.add_argument("--retry", action="append", default=[], metavar="DEADLINE",
                           help="let this clock try again; may be said again")  # fmt: skip
    attention.add_argument("--seen", action="append", default=[], metavar="REFUND",
                           help="list this refund, unasked and given up, no more; may be said again")  # fmt: skip
    _database(attention)

    erase = _command(commands, "erase", "records:erase", "Erase a buyer's personal data.", """
        Name, id, words and files of the buyer; money and history stay. Refused while a request of theirs is not
        settled. It cannot be undone; cut off in the middle, it is to be said again. docs/privacy.md says what goes.
        """)  # fmt: skip
    erase.add_argument("buyer", metavar="BUYER", help="the buyer's id, as in Request.buyer.id")
    erase.add_argument("--by", required=True, metavar="ID", help="who decided it, for the record of erasures")
    _database(erase)

    token = _command(commands, "token", "tokens:token", "Print a token, made with the server's secret.", """
        For a developer's machine. In production an issuer of yours makes the tokens, and the server has its keys.
        """)  # fmt: skip
    token.add_argument("--party", required=True, choices=PARTIES, help=f"one of: {', '.join(PARTIES)}",
                       metavar="PARTY")  # fmt: skip
    token.add_argument("--id", required=True, metavar="ID", help="who, within the party: a buyer's id, a clerk's name")
    token.add_argument("--shop", action="append", default=[], metavar="ID", dest="shops",
                       help="a shop that a seller or an app speaks for; may be said again")  # fmt: skip
    token.add_argument("--grant", action="append", default=[], metavar="NAME", dest="grants",
                       help="what they may do: view, review, inspect …; * for all; may be said again")  # fmt: skip
    token.add_argument("--hours", type=_within(float, 0.001, 87_600), default=12.0, metavar="N",
                       help="how long it is good for (12)")  # fmt: skip

    schema = _command(commands, "schema", "shown:schema", "Print the GraphQL schema.")
    schema.add_argument("--core", action="store_true", help="without any plugin: what every server has")
    documents = _command(commands, "documents", "shown:documents", "Print a manifest of trusted documents.", """
        Each file is read as one document, valid by the schema of this server; of a folder, every *.graphql in it.
        """)  # fmt: skip
    documents.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a .graphql file, or a folder of them")
    picture = _command(commands, "picture", "shown:picture", "Print a process as a Mermaid diagram.")
    picture.add_argument("kind", metavar="KIND", help="a kind of request, such as refund_only; or dispute, appeal")
    _command(commands, "plugins", "shown:plugins", "List the plugins that are installed, with their kinds.")
    return top


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, does: str, help: str, more: str = ""
) -> argparse.ArgumentParser:
    description = f"{help}\n\n{dedent(more).strip()}".strip()
    command = commands.add_parser(
        name, help=help, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(does=does)
    return command


def _settings() -> str:
    """All of them, as a page of help shows them."""
    rows = [
        f"  {row.name}{f' ({row.default})' if row.default else ''}\n"
        + fill(row.meaning.replace("`", ""), 110, initial_indent=" " * 6, subsequent_indent=" " * 6)
        for row in describe()
    ]
    return "\n".join(("settings, from the environment:", *rows))


def _database(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--database",
        metavar="URL",
        help="sqlite://FILE, with three slashes from the root, or postgres://USER@HOST/NAME",
    )


def _within(number: type[int] | type[float], least: float, most: float) -> Parse:
    def parse(given: str) -> float:
        try:
            read = number(given)
        except ValueError:
            read = None
        if read is None or not least <= read <= most:
            raise argparse.ArgumentTypeError(f"{given!r} is not a number from {least} to {most}")
        return read

    return parse
