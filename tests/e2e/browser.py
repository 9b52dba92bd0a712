"""A listener at a browser: what the tests do and see."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Self

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright
from processes import PASSWORD
from support import eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
PATIENCE_MS = 15_000
# What the browser itself says where a node, or for a moment the machine's network, is gone; the page copes.
NO_NETWORK = ("Failed to load resource", "An unknown error occurred when fetching the script")
# The player's audio elements are in no document: remember them as they are made.
REMEMBER_AUDIO = """
    window.made = []
    const Real = window.Audio
    window.Audio = function () { const one = new Real(); window.made.push(one); return one }
"""


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser that is gone afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Listener:
    """One page of the player. Whatever the page complains of fails the test that looks at `complaints`."""

    def __init__(self, browser: Browser, origin: str, **context: Any) -> None:
        self.origin = origin
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", **context)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.add_init_script(REMEMBER_AUDIO)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _note(self, message: Any) -> None:
        if message.type == "error" and not any(text in message.text for text in NO_NETWORK):
            self.complaints.append(message.text)

    def log_in(self, password: str = PASSWORD, name: str = "admin") -> None:
        self.page.goto(self.origin)
        self.enter(password, name)
        expect(self.page.get_by_role("heading", name="Good", level=1)).to_be_visible()

    def enter(self, password: str = PASSWORD, name: str = "admin") -> None:
        """Log in where the page asks for it."""
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_label("Player", exact=True)).to_be_visible()

    def go(self, name: str) -> None:
        """Go to a place of the sidebar."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).first.click()
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()

    def choose(self, title: str, item: str) -> None:
        """Choose in the menu of a song of the list."""
        self.row(title).click(button="right")
        self.page.get_by_role("menuitem", name=item).click()

    def says(self, text: str) -> None:
        """There is a notice with this text."""
        expect(self.page.get_by_role("status").get_by_text(text).last).to_be_visible()

    def upload_at(self, bytes_per_s: int) -> None:
        """Have the page send no faster; -1 for as fast as it can."""
        limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
        self._network.send("Network.emulateNetworkConditions", limits)

    @cached_property
    def _network(self) -> CDPSession:
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        return session

    def row(self, title: str) -> Any:
        return self.page.get_by_role("row").filter(has_text=title)

    def play(self, title: str) -> None:
        """Play a song of the list, by the button on its cover."""
        if not self.page.url.partition("?")[0].endswith("/songs"):
            self.go("Songs")
        row = self.row(title)
        row.hover()
        row.get_by_role("button", name=f"Play {title}").click()
        self.hears(title)

    @property
    def now(self) -> str:
        """The title in the player."""
        return str(self.page.get_by_label("Player", exact=True).get_by_role("link").first.inner_text())

    def audio(self) -> dict[str, Any]:
        """The element that plays, of two the one that has more to come (the other plays its last samples): its
        position and how far it has bytes, in seconds, and its URL."""
        return dict(
            self.page.evaluate(
                """() => {
                    const left = (a) => a.duration - a.currentTime || 0
                    const playing = window.made.filter((a) => !a.paused).sort((a, b) => left(b) - left(a))
                    const one = playing[0] ?? window.made.find((a) => a.src)
                    if (!one) return { at: 0, to: 0, url: '', playing: false }
                    const b = one.buffered
                    return { at: one.currentTime, to: b.length ? b.end(b.length - 1) : 0, url: one.src,
                             playing: !one.paused }
                }"""
            )
        )

    def position(self) -> float:
        """What the player shows, in seconds."""
        text = self.page.get_by_role("slider", name="Position in the song").get_attribute("aria-valuetext") or ""
        minutes, seconds = re.findall(r"\d+", text)[:2]
        return int(minutes) * 60 + int(seconds)

    def on_seek_bar(self, share: float) -> tuple[float, float]:
        """Where on the screen so much of the song is over."""
        thumb = self.page.get_by_role("slider", name="Position in the song")
        box = thumb.locator("xpath=ancestor::*[@data-slider-impl]").bounding_box()
        assert box
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def hears(self, title: str) -> None:
        """The song is the present one, and its time really advances."""
        eventually(lambda: self.now == title and self.audio()["playing"])
        at = self.audio()["at"]
        eventually(lambda: self.audio()["at"] > at + 0.3)
