"""The board: what waits, nearest deadline first, and live."""

import socket
from collections.abc import Callable

import pytest
from selenium.webdriver.common.keys import Keys
from tests.page.asking import MAWAR, ask, dewi_asks
from tests.page.browser import Browser
from tests.processes import Server, serving

ROW = "[...document.querySelectorAll('.requests tbody tr[data-id]:not(.leaving)')]"
IS_THERE = f"{ROW}.some((row) => row.dataset.id === arguments[0])"
IS_GONE = f"!{IS_THERE}"
LIVE = "document.querySelector('#line').dataset.state === 'live'"
TEXT = "[...document.querySelectorAll(arguments[0])].some((one) => one.textContent.includes(arguments[1]))"


def all_of_them(browser: Browser) -> None:
    """So that what is due last is shown too."""
    browser.until(LIVE)
    while any(button.is_displayed() for button in browser.all(".board-main > button")):
        shown = len(browser.all(".requests tbody tr[data-id]"))
        browser.press(".board-main > button", "Show more")
        browser.until(f"{ROW}.length > arguments[0]", shown)


def test_a_seller_sees_what_waits_for_them_nearest_deadline_first(browser: Browser, demo: Server) -> None:
    browser.until(LIVE)

    due = browser.js(f"return {ROW}.map((row) => row.querySelector('time').dateTime)")
    numbers = browser.js(f"return {ROW}.map((row) => row.querySelector('.number').textContent)")
    page = ask(demo, "Board", MAWAR, filter={"waitingFor": "SELLER"})
    assert browser.there("h1").text == "Mawar Official"
    assert due == sorted(due)
    # the demo lives on meanwhile: a row or two may have come or gone
    told = {node["number"] for node in page["nodes"]}
    assert len(told) > 20
    assert len(told.symmetric_difference(numbers)) <= 4
    assert all(turn.text == "you" for turn in browser.all(".requests td.turn"))


def test_what_does_not_fit_on_a_page_is_shown_page_by_page(browser: Browser, demo: Server) -> None:
    browser.press("[data-list=all]")
    browser.until(f"{LIVE} && document.querySelector('[data-list=all]').getAttribute('aria-pressed') === 'true'")
    browser.until(f"{ROW}.length >= 50")
    first = browser.js(f"return {ROW}.map((row) => row.dataset.id)")

    all_of_them(browser)

    ids = browser.js(f"return {ROW}.map((row) => row.dataset.id)")
    counts = ask(demo, "Counts", MAWAR)
    assert len(first) < len(ids) == len(set(ids))
    assert abs(len(ids) - sum(row["count"] for row in counts)) <= 4


def test_what_happens_meanwhile_comes_by_itself(browser: Browser, demo: Server) -> None:
    all_of_them(browser)

    request = dewi_asks(demo)

    browser.until(IS_THERE, request["id"])
    # the demo lives on meanwhile: others may have come, too
    came, changed, left = browser.there(".tally").text.split(" · ")
    assert int(came.removesuffix(" came")) >= 1
    assert changed.endswith(" changed")
    assert left.endswith(" left")


def test_a_yes_on_the_board_is_done_and_the_row_leaves(browser: Browser, demo: Server) -> None:
    all_of_them(browser)
    request = dewi_asks(demo)
    browser.until(IS_THERE, request["id"])

    browser.press(f"tr[data-id='{request['id']}'] .number")
    browser.there(".detail h2", request["number"])
    browser.press(".actions .act", "Grant")
    browser.until(TEXT, "dialog .brings", "is granted")
    browser.press("dialog .primary")

    browser.until(IS_GONE, request["id"])
    browser.until("!document.querySelector('dialog')")
    browser.until(TEXT, ".detail .history", "Request approved")
    after = ask(demo, "RequestDetail", MAWAR, by={"id": request["id"]})
    assert after["status"] in ("REFUNDING", "COMPLETED")


def test_what_needs_more_than_a_yes_opens_in_the_editor_filled_in(browser: Browser, demo: Server) -> None:
    all_of_them(browser)
    request = dewi_asks(demo)
    browser.until(IS_THERE, request["id"])
    browser.press(f"tr[data-id='{request['id']}'] .number")

    browser.press(".actions .act.more", "Reject")

    browser.there("#document")
    document, variables = (
        browser.js(f"return document.getElementById('{id}').value") for id in ("document", "variables")
    )
    assert "mutation RequestReject" in document
    assert f'"requestId": "{request["id"]}"' in variables
    assert '"expectedVersion": 1' in variables
    assert '"reason": "' in variables


def test_a_countdown_ticks_and_turns_overdue(browser: Browser) -> None:
    said = browser.module("""
        const { countdown, urgency, serverSays, forget } = await import("/page/clock.js");
        const [real, start] = [Date.now, Date.parse("2026-03-01T12:00:00Z")];
        const at = (seconds) => { Date.now = () => start + seconds * 1000; };
        try {
          forget();
          at(0);
          serverSays("2026-03-01T12:00:00Z");
          const due = "2026-03-02T13:00:00Z";
          const shown = [0, 3600, 19 * 3600, 24 * 3600 + 3540, 25 * 3600 + 61].map((seconds) => {
            at(seconds);
            return [countdown(due), urgency(due)];
          });
          at(60);
          serverSays("2026-03-01T13:00:00Z"); // time flies there: an hour in a minute
          at(61);
          return [...shown, countdown(due)];
        } finally {
          Date.now = real;
          forget();
        }
    """)

    assert said == [
        ["1 d 1 h", "CALM"],
        ["1 d 0 h", "WARNING"],
        ["6 h 00 min", "URGENT"],
        ["1 min 00 s", "URGENT"],
        ["\N{MINUS SIGN}1 min 01 s", "OVERDUE"],
        "23 h 59 min",
    ]


def test_urgency_begins_where_the_server_says(browser: Browser) -> None:
    from aftersales.engine.filter import URGENT_WITHIN, WARNING_WITHIN

    names = "URGENT_WITHIN_HOURS, WARNING_WITHIN_HOURS"
    hours = browser.module(f'const {{ {names} }} = await import("/page/clock.js"); return [{names}];')

    assert hours == [limit.total_seconds() / 3600 for limit in (URGENT_WITHIN, WARNING_WITHIN)]


def test_the_lists_and_the_search_narrow_what_is_shown(browser: Browser) -> None:
    browser.until(LIVE)

    browser.press("[data-list=all]")
    browser.until("document.querySelector('[data-list=all]').getAttribute('aria-pressed') === 'true'")
    browser.there("#board-search").send_keys("nothing that anybody ever sold")

    browser.there(".message", "No request has these words.")
    assert not browser.there(".board-main").find_element("css selector", ".requests").is_displayed()


def test_it_works_by_keys_alone(browser: Browser) -> None:
    browser.until(LIVE)
    browser.js("document.querySelector('#board-search').focus()")

    browser.keys(Keys.TAB)
    number = browser.focused()
    browser.keys(Keys.ENTER)
    browser.there(".detail h2", number)
    opened = browser.focused()
    browser.keys(Keys.ESCAPE)
    browser.until("document.querySelector('.detail').hidden")

    assert number.startswith("AS-")
    assert opened == "detail-title"
    assert browser.focused() == number


def test_a_request_has_an_address(browser: Browser, demo: Server) -> None:
    [node] = ask(demo, "Board", MAWAR, first=1)["nodes"]

    browser.js("location.hash = `board/${arguments[0]}`", node["number"])

    browser.there(".detail h2", node["number"])
    browser.there(".detail .history li")


def test_a_stranger_is_told_to_choose(browser: Browser) -> None:
    browser.become("a stranger")

    browser.there(".message", "Choose above who you are")


def test_another_person_sees_what_is_theirs(browser: Browser) -> None:
    browser.until(LIVE)
    browser.become("seller: Siam Outdoor")

    browser.there("h1", "Siam Outdoor")
    browser.until(LIVE)
    assert "THB" in browser.there(".requests .money").text


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def test_a_line_that_was_cut_is_taken_up_where_it_broke(
    chrome: Browser, demo_copy: Callable[[], tuple[str, ...]]
) -> None:
    args = (*demo_copy(), "--port", str(free_port()))
    with serving(*args) as server:
        chrome.open(server.url)
        all_of_them(chrome)
        server.end()
        chrome.until(TEXT, "#line", "Connection lost")

    with serving(*args) as server:
        missed = dewi_asks(server)

        chrome.until(LIVE)
        chrome.until(IS_THERE, missed["id"])
        assert chrome.js("return performance.getEntriesByType('navigation').length") == 1
        chrome.chrome.get("about:blank")


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> None:
    """A cut line is complained about by the browser, as it must be: the next test begins with none of that."""
    if "chrome" in request.fixturenames:
        request.getfixturevalue("chrome").complaints()
