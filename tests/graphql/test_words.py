"""Each caller is answered in the language they like best of those there are."""

from typing import Any

import pytest

from aftersales.engine.refusal import Problem
from aftersales.graphql.context import context_for
from aftersales.graphql.words import Languages
from aftersales.testing.house import BUYER, Home, house

pytestmark = pytest.mark.engine("sqlite")  # nothing here is the database's

TRY = """
    query($input: RequestOpenPreviewInput!) {
      requestOpenPreview(input: $input) { problems { message } }
      plugins { kinds { label } }
    }
"""
LANGUAGES = Languages(["aftersales", "aftersales_refund_only"])

# fmt: off
HEADERS = (
    # Accept-Language                   spoken
    (None,                              "en"),
    ("",                                "en"),
    ("id",                              "id"),
    ("ID",                              "id"),
    ("id-ID",                           "id"),
    ("Id-id-x-bandung",                 "id"),
    ("en-US,en;q=0.9,id;q=0.8",         "en"),
    ("en;q=0.5, id;q=0.8",              "id"),
    ("fr, de;q=0.9, id;q=0.1",          "id"),
    ("th,vi;q=0.8",                     "en"),
    ("id;q=0, en;q=0.1",                "en"),
    ("id;q=0",                          "en"),
    ("*",                               "en"),
    ("*, id;q=0.1",                     "id"),
    ("id;q=much, en;q=0.1",             "en"),
    ("id;q=nan, en;q=0.1",              "en"),
    ("id ; q=0.9 , en ; q=0.8",         "id"),
    (",,;;q=1,;q=,-,id-",               "id"),
    ("../../id",                        "en"),
    ("i\0d, \N{GRINNING FACE}",         "en"),
    ("x" * 10_000 + ",id",              "en"),
    ("xx," * 1_000 + "id",              "en"),
)
# fmt: on


@pytest.mark.parametrize(("header", "language"), HEADERS)
def test_the_language_liked_best_is_spoken(header: str | None, language: str) -> None:
    assert LANGUAGES.best(header).language == language


def test_what_is_not_translated_stays_english() -> None:
    assert LANGUAGES.best("id")("An unheard-of label") == "An unheard-of label"


def test_a_plugin_brings_words_of_its_own() -> None:
    assert LANGUAGES.best("id")("Refund only") == "Pengembalian dana saja"
    assert LANGUAGES.best("id")("Waiting for review") == "Menunggu peninjauan"


def test_what_a_message_is_filled_with_is_translated_too() -> None:
    problem = Problem("FORBIDDEN", "Only {parties} may do this.", parties=("seller", "platform"))

    assert problem.text() == "Only seller or platform may do this."
    assert problem.text(LANGUAGES.best("id")) == "Hanya penjual atau platform yang dapat melakukan ini."


@pytest.mark.parametrize(
    ("header", "label", "message"),
    [
        ("en", "Refund only", "Add evidence: photo or video."),
        ("id-ID,en;q=0.5", "Pengembalian dana saja", "Tambahkan bukti: foto atau video."),
    ],
)
async def test_labels_and_messages_come_in_the_callers_language(header: str, label: str, message: str) -> None:
    async with house() as home:
        order = await home.order()
        lines = [{"orderLineId": order.lines[0].id, "quantity": 1}]

        preview = await asked(
            home,
            header,
            TRY,
            input={"kind": "refund_only", "orderId": order.id, "lines": lines, "reason": "damaged"},
        )

    assert [problem["message"] for problem in preview["requestOpenPreview"]["problems"]] == [message]
    assert label in [kind["label"] for plugin in preview["plugins"] for kind in plugin["kinds"]]


async def asked(home: Home, accept_language: str, document: str, **variables: Any) -> dict[str, Any]:
    context = context_for(home.running.house, BUYER, accept_language)
    result = await home.operations.execute(home.operations.prepare(document, None, variables), context)
    assert result.errors is None
    return result.data or {}
