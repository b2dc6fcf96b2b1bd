"""`aftersales`, also as `python -m aftersales`: reads what is asked, and says in a sentence what stands against it."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module

from .cli.arguments import parser
from .settings import BadSettings, LogLevel, read

FAILED, MISUSED, INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        settings = read()
    except BadSettings as bad:
        return _say("The settings cannot be used:", *bad.faults, status=MISUSED)
    if getattr(args, "database", None):
        settings = replace(settings, database=args.database)
    module, _, function = args.does.partition(":")
    try:
        return int(getattr(import_module(f"{__package__}.cli.{module}"), function)(args, settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # here, as it would make every command wait for the whole server
        from .cli.faults import told

        sentences = told(error)
        if not sentences or settings.log_level is LogLevel.DEBUG:
            raise
        return _say(*sentences, status=FAILED)


def _say(*sentences: str, status: int) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
