"""docs/settings.md: every setting, as operators look it up."""

from ..settings import ALSO, describe
from .markdown import code, document, table

ABOUT = """
# Settings

They come from the environment, are read once when a command starts, and all their faults are told at once. A variable
that is there and empty counts as not set; one whose name is nearly that of a setting stops the start. `aftersales serve
--help` says the same; [operate.md](operate.md) says what to do with them.
"""


def settings() -> str:
    rows = [(code(row.name), code(row.default), row.meaning) for row in describe()]
    also = "\n".join(f"{code(name)} is another name of {code(ours)}." for name, ours in ALSO.items())
    return document(ABOUT, table(("Setting", "Default", "What it is"), rows), also)
