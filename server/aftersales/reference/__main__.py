"""Writes the generated documents anew, into `docs/` of the folder one stands in."""

from pathlib import Path

from .documents import documents


def main() -> None:
    for name, text in documents().items():
        Path("docs", name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
