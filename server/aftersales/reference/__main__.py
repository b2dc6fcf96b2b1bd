"""Writes what is generated anew: the documents in `docs/`, and the operations of the page. Run it in the repository."""

from pathlib import Path

from .documents import documents
from .operations import FILE, operations


def main() -> None:
    for name, text in documents().items():
        Path("docs", name).write_text(text, encoding="utf-8")
    FILE.write_text(operations(Path()), encoding="utf-8")


if __name__ == "__main__":
    main()
