"""One browser for all tests of the page. Where there is none they are skipped, and the summary says so; not in CI."""

from collections.abc import Callable, Iterator

import pytest
from tests.missing import left_out
from tests.page.browser import WIDE, Browser, chromium, running
from tests.processes import Server, serving

MISSING = "there is no Chromium with its chromedriver: apt-get install chromium chromium-driver"
DEWI, MAWAR, AGENT = "buyer: Dewi", "seller: Mawar Official", "agent: Bima"


# A test opens the page more often than any person does.
WHO_HURRIES = {"AFTERSALES_BUDGET": "100000000", "AFTERSALES_BUDGET_PER_SECOND": "1000000"}


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    paths = chromium()
    if not paths:
        left_out(MISSING)
    with running(paths, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


# of each file's own: what one does to the world, and what the page remembers by address, is not there for the next
@pytest.fixture(scope="module")
def demo(demo_copy: Callable[[], tuple[str, ...]]) -> Iterator[Server]:
    with serving(*demo_copy(), settings=WHO_HURRIES) as server:
        yield server


@pytest.fixture
def browser(chrome: Browser, demo: Server) -> Iterator[Browser]:
    """Open on the demo's page. Whatever a test does, the page asks nobody else for anything, and nothing goes wrong."""
    chrome.size(WIDE)
    chrome.scheme("light")
    chrome.complaints()
    chrome.hosts()
    chrome.open(demo.url)
    yield chrome
    assert chrome.hosts() <= {demo.url.split("/")[2]}
    assert chrome.complaints() == []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} tests of the page were NOT RUN: {MISSING}", yellow=True)
