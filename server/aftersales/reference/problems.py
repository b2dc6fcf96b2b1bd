"""docs/problems.md: every problem code, when it is given, and what to do then."""

from ..engine.refusal import CODES
from .markdown import code, document, table

ABOUT = """
# Problem codes

A refused mutation changes nothing and answers with all that is wrong: `problems`, each with a `code` that never
changes, a `message` in the caller's language that may be shown to people, and the `path` into `input` that it is about.
Switch on the code; what else a problem carries depends on its type. A preview answers with the same problems.

*Again* means that the same wish may still come true: read what changed, then try again.

A plugin may have codes of its own. They answer as `InvalidInput`, and its README tells them.
"""


def problems() -> str:
    rows = [(code(c.code), code(c.type.value), c.when, c.then, "yes" if c.retryable else "") for c in CODES.values()]
    return document(ABOUT, table(("Code", "Type", "When", "What to do", "Again"), rows))
