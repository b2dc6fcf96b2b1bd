"""docs/rulebook.md: the rules as the server holds them, by number."""

from ..engine.machines import MACHINES
from ..engine.policies import Book
from ..registry import Registry
from . import catalogues, guards, processes
from .markdown import document

ABOUT = """
# Rulebook

The rules that the server runs on, written from its tables. A rule's number stands in every event of the history
(`RequestEvent.rule`), and in the name or the text of the test that keeps it.

Each kind of request is a table: at a stage, somebody does something, and the request moves on. A stage's clock runs
while the request is there; when it runs out (⏱), time itself acts, at that very instant. What everybody waits for is
said by the stage's status, of which there are eight.

In the tables, *clocks* tells which ones the row starts, or stops before their stage is left; of several, it is the one
for how the goods come back. *Events* are those that the row itself names; `RequestStatusChanged`, `RequestCompleted`,
`RequestCanceled`, `RequestClosed`, `TagAdded`, `RefundCreated`, `CostAdded` and the clocks' own follow from what
changed.
"""


def rulebook(registry: Registry, book: Book) -> str:
    kinds = list(registry.kinds.values())
    return document(
        ABOUT,
        *(processes.chapter(kind) for kind in kinds),
        *(processes.beside(name, machine) for name, machine in MACHINES.items()),
        catalogues.appeals(),
        catalogues.offers(kinds),
        guards.chapter(kinds),
        catalogues.reasons(kinds),
        catalogues.policies(book),
        catalogues.rights(kinds),
        catalogues.costs(),
    )
