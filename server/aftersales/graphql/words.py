"""Words in the caller's language: the English text is the key, and what is not translated stays English."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel import negotiate_locale
from babel.messages.pofile import read_po

SOURCE = "en"


class Words:
    """One language. Call it with an English text."""

    def __init__(self, language: str, catalog: Mapping[str, str]) -> None:
        self.language = language
        self._catalog = catalog

    def __call__(self, english: str) -> str:
        return self._catalog.get(english) or english


class Languages:
    """Every language that the core or a plugin has words for.

    Args:
        packages: import names whose `locale/<language>.po` are read; later ones add to earlier.
    """

    def __init__(self, packages: Iterable[str]) -> None:
        catalogs: dict[str, dict[str, str]] = {SOURCE: {}}
        for package in packages:
            for language, catalog in catalogs_of(package).items():
                catalogs.setdefault(language, {}).update(catalog)
        # tags are the same in capitals or not, and the negotiation gives them back as they were asked for
        self._words = {language.lower(): Words(language, catalog) for language, catalog in catalogs.items()}

    @property
    def available(self) -> list[str]:
        return sorted(words.language for words in self._words.values())

    def best(self, accept_language: str | None) -> Words:
        """The language that the caller likes best of those there are; English if none."""
        wanted = _preferred(accept_language or "")
        found = negotiate_locale(wanted, self.available, sep="-") if wanted else None
        return self._words[(found or SOURCE).lower()]


@cache
def catalogs_of(package: str) -> dict[str, dict[str, str]]:
    """The translations that a package ships. Read once; a deployment changes them by a restart."""
    folder = files(package).joinpath("locale")
    if not folder.is_dir():
        return {}
    return {file.name.removesuffix(".po"): _read(file) for file in folder.iterdir() if file.name.endswith(".po")}


def _read(file: Traversable) -> dict[str, str]:
    with file.open("rb") as stream:
        catalog = read_po(stream)
    return {str(message.id): str(message.string) for message in catalog if message.id and message.string}


def _preferred(header: str) -> list[str]:
    """Language tags by falling weight. A header longer than any honest one is not read."""
    weighted = []
    for index, part in enumerate(header[:200].split(",")):
        tag, _, parameter = part.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag and tag != "*" and weight > 0:
            weighted.append((-weight, index, tag.strip()))
    return [tag for _, _, tag in sorted(weighted)]
