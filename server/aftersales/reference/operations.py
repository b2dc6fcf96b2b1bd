"""The published operations as one file, which the page to try things on offers: a wheel has no `schema/`."""

import json
from pathlib import Path
from typing import Final

FOLDER: Final = Path("schema", "operations")
FILE: Final = Path("server", "aftersales", "transport", "page_files", "operations.json")


def operations(root: Path) -> str:
    """Each operation's text by its name, as JSON.

    Args:
        root: of the repository.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((root / FOLDER).glob("*.graphql"))}
    return json.dumps(texts, ensure_ascii=False, indent=1) + "\n"
