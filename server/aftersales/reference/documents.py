"""Which documents there are: each is made of the very tables that the server runs on."""

from collections.abc import Mapping

from ..policy_book import book
from ..registry import Registry
from .problems import problems
from .rights import page
from .rulebook import rulebook
from .settings import settings

# Those that come with the server: what else happens to be installed has documents of its own.
BUILT_IN = frozenset({"refund_only", "return_refund", "reshipment", "exchange"})


def documents() -> Mapping[str, str]:
    """Each document's text by its name in `docs/`."""
    policies = book()
    registry = Registry.installed(BUILT_IN, policy_keys=policies.keys)
    return {
        "problems.md": problems(),
        "rights.md": page(registry),
        "rulebook.md": rulebook(registry, policies),
        "settings.md": settings(),
    }
