"""What every view must be: readable, fit for any width, named for those who do not see it."""

import pytest
from tests.page.browser import NARROW, WIDE, Browser

VIEWS = ("board", "operations", "schema")
# Text whose colour differs too little from what lies behind it, by WCAG 2: less than 4.5, or 3 where it is large.
FAINT = """
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const parse = (text) => known.get(text) ?? known.set(text, drawn(text)).get(text);
    const drawn = (text) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const ground = (element) => parse(getComputedStyle(element).backgroundColor);
    const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3])).concat(1);
    const behind = (element) => {
      const layers = [];
      for (let one = element; one; one = one.parentElement) layers.unshift(ground(one));
      return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
    };
    const light = (colour) => {
      const [r, g, b] = colour.slice(0, 3).map((one) => {
        const part = one / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const faint = new Set();
    let seen = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent.trim();
      if (!text || !element.checkVisibility() || element.closest(".unseen, .leaving, .skip, :disabled")) continue;
      seen += 1;
      const style = getComputedStyle(element);
      const back = behind(element);
      const [one, other] = [light(over(parse(style.color), back)), light(back)].sort((a, b) => b - a);
      const ratio = (one + 0.05) / (other + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      if (ratio >= (large ? 3 : 4.5)) continue;
      faint.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)} ${text.slice(0, 30)}`);
    }
    return [seen, [...faint]];
"""
# Whatever can be used and has no name to call it by.
NAMELESS = """
    const named = (one) => one.ariaLabel || one.labels?.length || one.textContent.trim();
    return [...document.querySelectorAll("button, a, input, select, textarea, summary, [role=region]")]
      .filter((one) => one.checkVisibility() && !named(one)).map((one) => one.outerHTML.slice(0, 120));
"""
# Of what is wider than the window, the innermost.
TOO_WIDE = """
    if (document.scrollingElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => `${one.tagName}.${one.className}`).slice(-3);
"""


def show(browser: Browser, view: str) -> None:
    """The view, with something in each of its parts."""
    browser.js("location.hash = arguments[0]", view)
    if view == "board":
        browser.until("document.querySelector('#line').dataset.state === 'live'")
        browser.js("document.querySelector('.requests .stage').click()")
        browser.there(".detail .history li")
    elif view == "operations":
        browser.js(
            "[...document.querySelectorAll('.groups button')].find((one) => one.textContent === 'Board').click()"
        )
        browser.until("!document.querySelector('.hint').textContent.includes('Filling in')")
        browser.press(".editors .primary")
        browser.there(".answer .facts", "200")
    else:
        browser.js("const box = document.getElementById('schema-search'); box.value = 'deadline'")
        browser.js("document.getElementById('schema-search').dispatchEvent(new Event('input'))")
        browser.there(".results h3", "Fields")
        browser.there("article.type h2")


# The evening falls, and the window is drawn wider, while one looks.
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_all_text_can_be_read(browser: Browser, view: str, size: tuple[int, int]) -> None:
    browser.size(size)
    show(browser, view)

    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        seen, faint = browser.js(FAINT)

        assert seen > 20
        assert (scheme, faint) == (scheme, [])


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_the_window(browser: Browser, view: str) -> None:
    browser.size((360, 800))
    show(browser, view)

    for width in (360, 700, 1000, 1600):
        browser.size((width, 800))
        assert (width, browser.js(TOO_WIDE)) == (width, [])


@pytest.mark.parametrize("view", VIEWS)
def test_everything_that_can_be_used_has_a_name(browser: Browser, view: str) -> None:
    show(browser, view)

    assert browser.js(NAMELESS) == []


def test_the_keyboard_comes_past_the_head_at_once(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.js("document.activeElement.blur()")
    browser.keys(Keys.TAB)
    first = browser.focused()
    browser.keys(Keys.ENTER)

    assert (first, browser.focused()) == ("skip", "views")
    browser.there("h1")


def test_rows_do_not_jump_when_they_come(browser: Browser) -> None:
    """The head and the lists keep their places from the first moment to the last row."""
    heights = browser.module("""
        const place = () => document.querySelector(".requests").getBoundingClientRect().top;
        document.querySelector("[data-list=all]").click();
        const waiting = place();
        while (document.querySelector("#line").dataset.state !== "live") await new Promise(requestAnimationFrame);
        return [waiting, place()];
    """)

    assert heights[0] == heights[1]


def test_who_listens_hears_of_the_stream_now_and_then(browser: Browser) -> None:
    said = browser.module("""
        const { announce } = await import("/page/dom.js");
        const line = document.getElementById("announcements");
        announce("first");
        announce("second", 20);
        const held = line.textContent;
        announce("third");
        return [held, line.textContent];
    """)

    assert said == ["first", "third"]
