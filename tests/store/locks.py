"""What a migration may do to a table that servers are using: the forms of SQL that only touch the catalogue."""

import re
from collections.abc import Iterator

from aftersales.store.postgres_steps import steps

NAME = r'(?:"[^"]+"|\w+)'
# Of a default: what is written down once, and not for each row.
CONSTANT = r"(?:-?\d+|'(?:[^']|'')*'|TRUE|FALSE|NULL)"
TYPE = r'\w+(?:\(\d+\))?(?: COLLATE "C")?'
COLUMN = (
    rf"{NAME} {TYPE}(?: NULL| (?:NOT NULL )?DEFAULT {CONSTANT}(?: NOT NULL)?"
    rf"| REFERENCES {NAME} \({NAME}\)(?: ON DELETE \w+)?)?"
)
HARMLESS = [
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        rf"ALTER TABLE {NAME} ADD COLUMN {COLUMN}",
        rf"ALTER TABLE {NAME} ALTER COLUMN {NAME} (?:SET DEFAULT {CONSTANT}|DROP DEFAULT|DROP NOT NULL)",
        rf"ALTER TABLE {NAME} ADD CONSTRAINT {NAME} (?:CHECK|FOREIGN KEY) .* NOT VALID",
        r"COMMENT ON (?:TABLE|COLUMN) .*",
        rf"CREATE TABLE {NAME} .*",
        r"CREATE (?:OR REPLACE )?FUNCTION .*",
    )
]  # fmt: skip


def objections(sql: list[str]) -> Iterator[str]:
    """What of a migration would keep a table locked while it is read or written anew, or take from the release before
    what it uses."""
    each = steps(sql)
    made = set(re.findall(rf"CREATE TABLE ({NAME})", " ".join(each.together), re.IGNORECASE))
    for statement in each.together:
        words = " ".join(statement.split())
        # of a table that nobody uses yet, anything
        table = re.match(
            rf"(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?{NAME} ON) ({NAME})", words, re.I
        )
        if table and {table[1], f'"{table[1]}"'} & made:
            continue
        if not any(form.fullmatch(words) for form in HARMLESS):
            yield words
