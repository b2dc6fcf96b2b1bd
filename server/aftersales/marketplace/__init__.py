"""What comes in from outside: orders, shops and returns in bulk, and what carriers see of the parcels."""

from .files import import_file
from .importing import Outcome, RowResult, Summary
from .return_files import TooLarge
from .returns import import_returns
from .rows import shop_id
from .statuses import FORMAT

__all__ = ["FORMAT", "Outcome", "RowResult", "Summary", "TooLarge", "import_file", "import_returns", "shop_id"]
