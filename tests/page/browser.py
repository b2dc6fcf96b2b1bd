"""A real browser, as the tests of the page drive it: Chromium without a window."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

# Generous: nothing waits so long unless it is broken.
PATIENCE_SECONDS = 30.0
# None that the machine may have of its own: no profile, no updates, no services of the browser's maker.
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-GB",
)  # fmt: skip
WIDE, NARROW = (1280, 900), (360, 780)


def chromium() -> tuple[str, str] | None:
    """The browser and its driver; None where either is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def open(self, url: str) -> None:
        """A visit of somebody who was never here."""
        self.chrome.get("about:blank")
        self.cdp("Storage.clearDataForOrigin", origin=url.rsplit("/", 1)[0], storageTypes="all")
        # what a tab remembers can be forgotten only where it was learned: there, before the page looks
        forgets = self.cdp("Page.addScriptToEvaluateOnNewDocument", source="sessionStorage.clear()")
        self.chrome.get(url)
        self.cdp("Page.removeScriptToEvaluateOnNewDocument", **forgets)
        self.there("#views > div:not([hidden])")

    def size(self, size: tuple[int, int]) -> None:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == NARROW}
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics)

    def scheme(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.cdp("Emulation.setEmulatedMedia", features=[feature])

    def cdp(self, command: str, **params: Any) -> Any:
        return self.chrome.execute_cdp_cmd(command, params)

    def js(self, script: str, *given: Any) -> Any:
        return self.chrome.execute_script(script, *given)

    def module(self, script: str, *given: Any) -> Any:
        """What an async function makes; it may import the page's modules, and takes `given` as its arguments."""
        wrapped = f"""
            const tell = arguments[arguments.length - 1];
            (async function () {{ {script} }})(...[...arguments].slice(0, -1))
                .then((found) => tell([true, found]), (error) => tell([false, String(error.stack)]));
        """
        done, found = self.chrome.execute_async_script(wrapped, *given)
        assert done, found
        return found

    def until(self, script: str, *given: Any) -> Any:
        """What the script gives, once that is true."""
        wait = WebDriverWait(self.chrome, PATIENCE_SECONDS, poll_frequency=0.05)
        return wait.until(lambda _: self.js(f"return ({script})", *given), f"never: {script} {given}")

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def there(self, selector: str, text: str = "") -> WebElement:
        """The first that is shown and has the text, once there is one."""

        def find(_: Any) -> WebElement | None:
            try:
                return next((one for one in self.all(selector) if one.is_displayed() and text in one.text), None)
            except StaleElementReferenceException:
                return None  # drawn anew just now

        wait = WebDriverWait(self.chrome, PATIENCE_SECONDS, poll_frequency=0.05)
        found: WebElement = wait.until(find, f"never there: {selector} {text}")  # type: ignore[assignment]
        return found

    def press(self, selector: str, text: str = "") -> None:
        self.there(selector, text).click()

    def keys(self, *keys: str) -> None:
        ActionChains(self.chrome).send_keys(*keys).perform()

    def chord(self, held: str, key: str) -> None:
        ActionChains(self.chrome).key_down(held).send_keys(key).key_up(held).perform()

    def become(self, name: str) -> None:
        Select(self.there("#person")).select_by_value(name)

    def focused(self) -> str:
        """What has the focus: its id, else its text."""
        found: str = self.js("const on = document.activeElement; return on.id || on.textContent")
        return found

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.chrome.get_log(kind)  # type: ignore[no-untyped-call]
        return found

    def complaints(self) -> list[str]:
        """What the console has said since it was asked last: errors, and what the policy forbade."""
        return [entry["message"] for entry in self._log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def hosts(self) -> set[str]:
        """Whom the page has asked for anything since this was asked last, by HTTP or by WebSocket."""
        said = [orjson.loads(entry["message"])["message"] for entry in self._log("performance")]
        sent = [one["params"]["request"]["url"] for one in said if one["method"] == "Network.requestWillBeSent"]
        opened = [one["params"]["url"] for one in said if one["method"] == "Network.webSocketCreated"]
        return {urlsplit(url).netloc for url in (*sent, *opened) if not url.startswith(("about:", "data:"))}


@contextmanager
def running(paths: tuple[str, str], profile: Path) -> Iterator[Browser]:
    options = ChromeOptions()
    options.binary_location, driver = paths
    for switch in (*SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # the client asks for nothing by way of a proxy that a developer may have
    os.environ.setdefault("NO_PROXY", "localhost,127.0.0.1")
    chrome = Chrome(options=options, service=Service(driver))
    chrome.set_script_timeout(PATIENCE_SECONDS)
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
