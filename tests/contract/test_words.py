"""What the server says to people it says in every language it has, with the same facts; no words are left over."""

import string
from importlib.resources import files
from pathlib import Path

import pytest
from tests.contract import sayings

from aftersales.graphql.types import CLOCK_LABELS
from aftersales.graphql.words import SOURCE, catalogs_of
from aftersales.reference.documents import BUILT_IN
from aftersales.registry import Registry
from aftersales.request_type import RequestType

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server" / "aftersales"
LANGUAGES = sorted(catalogs_of("aftersales"))
TYPES = Registry.installed(BUILT_IN).types


def test_indonesian_is_spoken() -> None:
    assert "id" in LANGUAGES
    assert SOURCE not in LANGUAGES


def test_every_message_can_be_collected() -> None:
    assert sayings.unreadable(SERVER) == []


@pytest.mark.parametrize("type", TYPES.values(), ids=list(TYPES))
def test_every_clock_has_words(type: RequestType) -> None:
    assert type.kind().process.clock_keys - CLOCK_LABELS.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_core_says_everything_in_every_language_and_nothing_more(language: str) -> None:
    said = sayings.of_the_core() | sayings.in_source(SERVER)
    catalog = catalogs_of("aftersales")[language]

    assert sorted(said - catalog.keys()) == [], "not translated"
    assert sorted(catalog.keys() - said) == [], "said no more"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type", TYPES.values(), ids=list(TYPES))
def test_a_plugin_says_everything_in_every_language_and_nothing_more(type: RequestType, language: str) -> None:
    package = f"aftersales_{type.name}"
    said = sayings.of_a_plugin(type) | sayings.in_source(Path(str(files(package))))
    catalog = catalogs_of(package).get(language, {})

    assert sorted(said - catalog.keys()) == [], "not translated"
    assert sorted(catalog.keys() - said) == [], "said no more"


@pytest.mark.parametrize("package", ["aftersales", *(f"aftersales_{name}" for name in TYPES)])
def test_a_translation_tells_the_same_facts(package: str) -> None:
    differing = [
        english
        for catalog in catalogs_of(package).values()
        for english, translation in catalog.items()
        if placeholders(english) != placeholders(translation)
    ]

    assert differing == []


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
