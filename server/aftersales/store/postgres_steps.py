"""A migration's SQL as steps that hold no traffic up: columns as they are to be, indexes made beside it (ADR 0022)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WIDE, TEXT = "bigint", 'text COLLATE "C"'

# Quoted text and comments stay as they are; `;` outside of them ends a statement.
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$|--[^\n]*|;|[^;'\"$-]+|.", re.DOTALL)
_TYPE = re.compile(r"\b(?:VARCHAR\s*\(\s*\d+\s*\)|(?:TEXT|INT|INTEGER|SMALLINT)\b)(?!\s+COLLATE)", re.IGNORECASE)
_HAS_COLUMNS = re.compile(r"CREATE TABLE|ALTER TABLE\s+\S+\s+ADD COLUMN", re.IGNORECASE)
_NAME = r'(?:"([^"]+)"|(\w+))'
_TABLE = re.compile(rf"(?:CREATE|ALTER|DROP) TABLE (?:IF (?:NOT )?EXISTS )?(?:ONLY )?{_NAME}", re.IGNORECASE)
_REFERS = re.compile(rf"\bREFERENCES {_NAME}", re.IGNORECASE)
_INDEX = re.compile(rf"CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?{_NAME} ON {_NAME}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Index:
    """One to be made beside the traffic, outside of a transaction."""

    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True)
class Steps:
    """
    Args:
        together: statements of one transaction, that change only the catalogue.
        indexes: of tables that were there before, made after it.
    """

    together: tuple[str, ...]
    indexes: tuple[Index, ...]

    @property
    def locked(self) -> frozenset[str]:
        """Tables that were there before, and whose traffic waits until the transaction has ended."""
        made = {table for sql in self.together if sql.upper().startswith("CREATE TABLE") and (table := _table(sql))}
        named = {table for sql in self.together if (table := _table(sql))}
        referred = {found[1] or found[2] for sql in self.together for found in _REFERS.finditer(sql)}
        return frozenset((named | referred) - made)


def steps(sql: Iterable[str]) -> Steps:
    """
    Args:
        sql: of one migration, as Tortoise writes it down.
    """
    made, together, indexes = set[str | None](), list[str](), list[Index]()
    for statement in (each for text in sql for each in statements(text)):
        if statement.upper().startswith("CREATE TABLE"):
            made.add(_table(statement))
        index = _index(statement)
        if index and index.table not in made:
            indexes.append(index)
        else:
            together.append(wide(statement))
    return Steps(tuple(together), tuple(indexes))


def statements(text: str) -> Iterator[str]:
    """One by one, without comments."""
    said: list[str] = []
    for piece in _PIECE.finditer(text + ";"):
        if piece[0] != ";":
            said.append("" if piece[0].startswith("--") else piece[0])
        else:
            if statement := "".join(said).strip():
                yield statement
            said.clear()


def wide(statement: str) -> str:
    """With columns that hold what they hold on SQLite, from the first: to widen them later would rewrite the table."""
    if not _HAS_COLUMNS.match(statement):
        return statement
    return "".join(_wide(piece[0]) for piece in _PIECE.finditer(statement))


def _wide(piece: str) -> str:
    if piece[0] in "'\"$-":
        return piece
    return _TYPE.sub(lambda type: TEXT if type[0][0] in "vVtT" else WIDE, piece)


def _index(statement: str) -> Index | None:
    found = _INDEX.match(statement)
    if found is None:
        return None
    sql = re.sub(r"^CREATE (UNIQUE )?INDEX", r"CREATE \1INDEX CONCURRENTLY", statement, count=1, flags=re.IGNORECASE)
    return Index(found[2] or found[3], found[4] or found[5], sql)


def _table(statement: str) -> str | None:
    found = _TABLE.match(statement)
    return (found[1] or found[2]) if found else None
