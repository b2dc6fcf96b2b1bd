"""What an operator can mend, and is therefore told in sentences, not with a traceback."""

from ..engine.policies import MalformedBook
from ..registry import PluginConflict
from ..settings import CannotStart
from ..store.database import OutcomeUnknown, StoreBusy
from ..store.objects import UnsupportedStorage
from ..store.urls import UnsupportedDatabase

TOLD = (CannotStart, MalformedBook, OutcomeUnknown, PluginConflict, StoreBusy, UnsupportedDatabase, UnsupportedStorage)


def told(error: Exception) -> tuple[str, ...]:
    """The sentences; none for what is our own fault."""
    if isinstance(error, OSError):
        return (f"{': '.join(str(part) for part in (error.filename, error.strerror) if part) or error}.",)
    if not isinstance(error, TOLD):
        return ()
    return getattr(error, "faults", None) or (str(error),)
