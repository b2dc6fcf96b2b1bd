"""The schema, to look things up in."""

import pytest
from tests.page.browser import Browser


@pytest.fixture
def schema(browser: Browser) -> Browser:
    browser.press("#tabs a", "Schema")
    browser.there("article.type h2", "Query")
    return browser


def test_a_search_finds_types_fields_and_words_of_descriptions(schema: Browser) -> None:
    schema.there("#schema-search").send_keys("nextDeadline")
    schema.press(".results button", "Request.nextDeadline")

    schema.there("article.type h2", "Request")
    assert schema.there(".field.sought").text.startswith("nextDeadline: Deadline")

    schema.there("#schema-search").clear()
    schema.there("#schema-search").send_keys("who owes what until when")
    schema.there(".results button", "Deadline")


def test_one_goes_from_a_field_to_its_type_and_to_where_that_is_used(schema: Browser) -> None:
    schema.press(".field[data-field=requests] .link", "RequestConnection")
    schema.there("article.type h2", "RequestConnection")

    schema.press(".uses .link", "Order.requests")

    schema.there("article.type h2", "Order")


def test_it_tells_what_introspection_does_not(schema: Browser) -> None:
    assert schema.there(".field[data-field=requests] .mark").text == "@cost(weight: 1, perItem: 1)"

    schema.press(".results button", "Mutation")

    assert (
        schema.there(".field[data-field=exchangeOpen] .mark").text == '@contributedBy(plugin: "exchange", since: "1.0")'
    )


def test_what_is_not_there_is_said(schema: Browser) -> None:
    schema.there("#schema-search").send_keys("zebra")

    schema.there(".results", "Nothing in the schema has “zebra”.")
