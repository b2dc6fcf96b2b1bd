"""What comes in from outside: orders and shops in bulk, and what carriers see of the parcels."""

from .files import import_file
from .importing import Outcome, RowResult, Summary

__all__ = ["Outcome", "RowResult", "Summary", "import_file"]
