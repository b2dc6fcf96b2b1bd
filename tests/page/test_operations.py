"""The workbench: choose, run, follow; and an editor that helps."""

import re
from typing import Any

import orjson
import pytest
from selenium.webdriver.common.keys import Keys
from tests.page.asking import OPERATIONS, dewi_asks
from tests.page.browser import Browser
from tests.page.conftest import AGENT, DEWI, MAWAR
from tests.processes import Server

NAMES = sorted(path.stem for path in OPERATIONS.glob("*.graphql"))
# What the page offers of a person, asked as the page does: by its own modules.
SAMPLES = """
    const [who, wanted] = arguments;
    const at = (name) => import(`/page/${name}.js`);
    const [{ load }, { library }, { sample }, { ask }] = await Promise.all(
      ["language/schema", "operations/library", "operations/samples", "asking"].map(at));
    const start = await (await fetch("/page/start.json")).json();
    const token = new Map(start.people).get(who);
    const schema = await load(token);
    const told = {};
    for (const operation of await library()) {
      if (!wanted.includes(operation.name)) continue;
      const { variables, hint } = await sample(operation, { schema, token, orders: start.orders });
      const { body } = await ask({ document: operation.text, variables }, token);
      const problems = Object.values(body.data ?? {}).flatMap((payload) => payload?.problems ?? []);
      told[operation.name] = { errors: body.errors ?? [], problems, hint };
    }
    return told;
"""


@pytest.fixture
def bench(browser: Browser) -> Browser:
    browser.press("#tabs a", "Operations")
    browser.there(".groups button", "RequestDetail")
    return browser


def choose(bench: Browser, name: str) -> None:
    # at once, as the page may draw itself anew after whatever came before
    bench.js("const box = document.getElementById('library-search');"
             " box.value = ''; box.dispatchEvent(new Event('input'))")  # fmt: skip
    bench.press(".groups button", name)
    bench.until("document.getElementById('document').value.includes(arguments[0])", name)
    bench.until("!document.querySelector('.hint').textContent.includes('Filling in')")


def value(bench: Browser, id: str = "document") -> str:
    found: str = bench.js(f"return document.getElementById('{id}').value")
    return found


def write(bench: Browser, text: str) -> None:
    """In an empty editor, key by key."""
    bench.press("#document")
    bench.chord(Keys.CONTROL, "a")
    bench.keys(Keys.BACKSPACE, text)


def answer(bench: Browser) -> Any:
    bench.there(".answer .facts", "200")
    return bench.there(".answer .json").text


def test_every_published_operation_is_offered_in_a_group(bench: Browser) -> None:
    offered = bench.js("return [...document.querySelectorAll('.groups button')].map((one) => one.textContent)")
    groups = bench.js("return [...document.querySelectorAll('.groups h3')].map((one) => one.textContent)")

    assert sorted(offered) == NAMES
    assert groups[:3] == ["Reading", "Live", "Refund only"]
    assert "More" not in groups


def test_a_query_runs_with_the_ids_of_what_one_sees(bench: Browser) -> None:
    choose(bench, "RequestDetail")
    bench.press("#document")

    bench.chord(Keys.CONTROL, Keys.ENTER)

    assert '"number": "AS-' in answer(bench)
    assert bench.there(".answer .facts .line").text == "Done"
    facts = bench.there(".answer .facts").text
    assert " ms" in facts
    assert re.search(r"cost \d+, \d+ left", facts)


def test_a_mutation_runs_and_says_what_it_did(bench: Browser) -> None:
    choose(bench, "ReturnRefundApprove")
    bench.press(".editors .primary")

    assert '"problems": []' in answer(bench)
    assert bench.there(".answer .facts .line").text == "Done"


def test_a_refusal_is_told_apart(bench: Browser) -> None:
    choose(bench, "ReturnRefundApprove")
    bench.press(".editors .primary")
    answer(bench)

    bench.js("const box = document.getElementById('variables'); box.value = box.value.replace(/try-/, 'two-')")
    bench.press(".editors .primary")

    bench.there(".answer .facts .line", "Refused")
    assert '"StaleVersion"' in answer(bench) or '"IllegalTransition"' in answer(bench)


def test_an_answer_folds(bench: Browser) -> None:
    choose(bench, "Me")
    bench.press(".editors .primary")
    answer(bench)

    bench.press(".answer .json summary", '"me"')

    assert "4 fields }" in bench.there(".answer .json").text
    assert '"party"' not in bench.there(".answer .json").text


def test_the_stream_is_followed_stopped_and_resumed_without_loss(bench: Browser, demo: Server) -> None:
    choose(bench, "RequestStream")
    bench.press(".editors .primary", "Follow")
    bench.there(".items li", "StreamReady")

    first = dewi_asks(demo)
    bench.there(".items li", first["number"])
    bench.press(".following button", "Stop")
    bench.there(".following .line", "Stopped")
    missed = dewi_asks(demo)
    bench.press(".following button", "Resume")

    bench.there(".items li", missed["number"])
    created = bench.until(
        "[...document.querySelectorAll('.items summary')].filter((one) => one.textContent.includes('RequestCreated')"
        " && (one.textContent.includes(arguments[0]) || one.textContent.includes(arguments[1]))).length",
        first["number"], missed["number"],
    )  # fmt: skip
    assert created == 2


@pytest.mark.parametrize(
    ("who", "names"),
    [
        (MAWAR, {"Board", "RefundOnlyApprove", "ReshipmentApprove", "OfferMake", "OutboundSend", "ShopRuleSave"}),
        (DEWI, {"Eligibility", "OpenPreview", "RefundOnlyOpen", "RequestCancel", "EvidenceStage", "OrderDetail"}),
        (AGENT, {"RequestClose", "DisputeDecide", "OrdersImport", "Policies", "Plugins", "Nodes"}),
        ("carrier: JNE", {"CarrierReport"}),
    ],
)  # fmt: skip
def test_what_is_filled_in_does_something_true(browser: Browser, who: str, names: set[str]) -> None:
    told = browser.module(SAMPLES, who, sorted(names))

    assert set(told) == names
    assert {name: one for name, one in told.items() if one["errors"] or one["problems"]} == {}


def test_what_one_may_not_do_is_well_formed_all_the_same(browser: Browser) -> None:
    names = [name for name in NAMES if name != "RequestStream"]
    told: dict[str, Any] = {}
    # a script has half a minute
    for some in (names[at : at + 20] for at in range(0, len(names), 20)):
        told |= browser.module(SAMPLES, "partner: an app of two shops", some)

    assert sorted(told) == names
    codes = {error["extensions"]["code"] for one in told.values() for error in one["errors"]}
    assert codes <= {"FORBIDDEN", "NOT_FOUND"}, told


def test_the_published_operations_are_laid_out_and_checked_as_they_are(browser: Browser) -> None:
    changed, faults = browser.module("""
        const [{ prettify }, { read }, { check }, { load }] = await Promise.all(
          ["prettify", "reader", "checker", "schema"].map((name) => import(`/page/language/${name}.js`)));
        const all = Object.entries(await (await fetch("/page/operations.json")).json());
        const schema = await load("");
        return [
          all.filter(([, text]) => prettify(text).trim() !== text.trim()).map(([name]) => name),
          all.flatMap(([name, text]) => check(read(text), schema).faults.map(({ message }) => `${name}: ${message}`)),
        ];
    """)

    assert (changed, faults) == ([], [])


def test_a_document_is_laid_out(bench: Browser) -> None:
    write(bench, "")
    bench.js(
        "document.execCommand('insertText', false, arguments[0])",
        "query A($id:ID!){node(id:$id){id ...on Request{number}}}",
    )

    bench.press(".editors button", "Prettify")

    assert value(bench) == (
        "query A($id: ID!) {\n  node(id: $id) {\n    id\n    ... on Request {\n      number\n    }\n  }\n}\n"
    )


def test_what_is_wrong_is_listed_and_found(bench: Browser) -> None:
    bench.js("const box = document.getElementById('document'); box.focus(); box.select()")
    bench.js("document.execCommand('insertText', false, '{ me { partyy } requests { nodes } }')")

    bench.press(".faults button", "Viewer has no field partyy.")

    assert (
        bench.js("const box = document.activeElement; return box.value.slice(box.selectionStart, box.selectionEnd)")
        == "partyy"
    )
    assert [one.text for one in bench.all(".faults button")][
        1
    ] == "Line 1: nodes is a Request: say which of its fields."
    assert len(bench.all(".faulty")) >= 2


def test_fields_are_completed_by_the_type_that_stands_there(bench: Browser) -> None:
    write(bench, "{ requests { nodes { nextD")
    bench.there(".completions li", "nextDeadline")
    bench.keys(Keys.ENTER)
    bench.keys(" { ow")
    bench.there(".completions li", "owedBy")
    bench.keys(Keys.ENTER)

    # the closing brackets came by themselves
    assert value(bench) == "{ requests { nodes { nextDeadline { owedBy} } } }".replace(" }", "}")


def test_arguments_and_enums_are_completed(browser: Browser) -> None:
    offers = browser.module("""
        const [{ completions }, { load }] = await Promise.all(
          ["completion", "schema"].map((name) => import(`/page/language/${name}.js`)));
        const schema = await load("");
        return arguments[0].map((text) => {
          const cursor = text.indexOf("|");
          return completions(text.replace("|", ""), cursor, schema).offers.map(({ insert }) => insert).slice(0, 3);
        });
    """, [
        "{ requests(so|) { nodes { id } } }",
        "{ requests(sort: AM|) { nodes { id } } }",
        "query ($f: RequestFilt|) { me { id } }",
        "{ requests(filter: { kin| }) { nodes { id } } }",
        '{ node(id: "1") { ...Requ| } }',
        "query ($filter: RequestFilter) { requests(filter: $|) { nodes { id } } }",
        "# a comment re|",
        "|",
    ])  # fmt: skip

    assert offers == [
        ["sort: "],
        ["AMOUNT_DESC"],
        ["RequestFilter"],
        ["kinds: "],
        ["on Request", "on RequestEvent"],
        ["$filter"],
        [],
        ["query", "mutation", "subscription"],
    ]


def test_tab_indents_and_escape_lets_one_leave(bench: Browser) -> None:
    write(bench, "{")
    bench.keys(Keys.ENTER, "me", Keys.HOME, Keys.TAB)

    assert value(bench) == "{\n    me\n}".replace("    me", "    me")
    assert bench.focused() == "document"

    bench.keys(Keys.ESCAPE, Keys.TAB)
    assert bench.focused() != "document"


def test_brackets_close_and_go_as_pairs(bench: Browser) -> None:
    write(bench, "{ a(")
    assert value(bench) == "{ a()}"

    bench.keys(")")
    assert value(bench) == "{ a()}"

    bench.keys("[", Keys.BACKSPACE)
    assert value(bench) == "{ a()}"


def test_what_was_typed_and_laid_out_can_be_undone(bench: Browser) -> None:
    before = value(bench)
    bench.press("#document")
    bench.keys("#")
    bench.chord(Keys.CONTROL, "z")

    assert value(bench) == before


def test_variables_that_are_no_json_are_not_sent(bench: Browser) -> None:
    choose(bench, "Me")
    bench.js("const box = document.getElementById('variables'); box.focus(); box.select()")
    bench.keys("nonsense")

    bench.press(".editors .primary")

    bench.there(".hint", "The variables are no JSON")
    assert bench.focused() == "variables"


def test_who_may_read_nothing_is_told_why_nothing_is_filled_in(bench: Browser) -> None:
    bench.become("a stranger")
    choose(bench, "RequestDetail")

    assert bench.there(".hint").text == "Choose who you are, and the ids are filled in."
    assert orjson.loads(value(bench, "variables")) == {"by": {"id": ""}}


def test_a_token_may_be_pasted_and_is_forgotten_with_the_page(bench: Browser, demo: Server) -> None:
    bench.js("document.getElementById('person').value = 'who the token says'")
    bench.js("document.getElementById('person').dispatchEvent(new Event('change'))")
    bench.there("#token").send_keys(f"Bearer {demo.tokens[DEWI]}")
    bench.press("dialog .primary")
    choose(bench, "Me")
    bench.press(".editors .primary")

    assert '"by_dewi"' in answer(bench)
    kept = orjson.dumps(bench.js("return [{ ...sessionStorage }, { ...localStorage }, document.cookie]")).decode()
    assert demo.tokens[DEWI] not in kept
