"""Every page and all that opens over one, looked at by axe-core, in light and in dark."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import PATIENCE_MS, Listener, launched
from playwright.sync_api import Locator, expect
from processes import NodeProcess, RingOfProcesses
from stage import origin

SPA = Path(__file__).parents[2] / "spa"
AXE = SPA / "node_modules/axe-core/axe.min.js"
ROUTER = SPA / "src/app/router.ts"
# What is wrong, and where, a line each.
LOOK = """async (rules) => {
    const { violations } = await axe.run({ resultTypes: ['violations'], preload: false, ...rules })
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`))
}"""
# Within the player, as Back and Forward do it: it is not loaded anew.
WALK = """(path) => {
    document.activeElement?.blur()
    history.pushState(null, '', path)
    dispatchEvent(new PopStateEvent('popstate', { state: null }))
}"""
# In the other theme only colours are others.
THEMES = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}}
PLANTED = """() => {
    const pale = document.createElement('p')
    pale.textContent = 'Too pale'
    pale.style.color = 'var(--line)'
    document.querySelector('h1').after(document.createElement('button'), pale)
}"""
LYRICS = "[00:00.00]One line\n[00:01.00]\n[00:05.00]Another line\n"


class Eye(Listener):
    """A listener who looks at the pages; what axe finds wrong is kept in `found`."""

    found: list[str]
    seen: set[str]

    def look(self, where: str) -> None:
        """Look at what is shown, in both themes."""
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)
        for theme, rules in THEMES.items():
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
            expect(self.page.locator("html")).to_have_class("dark" if theme == "dark" else "")
            self.found += [f"{where}, {theme}: {one}" for one in self.page.evaluate(LOOK, rules)]

    def visit(self, *paths: str) -> None:
        """Look at pages; whoever walks to one finds the focus at its heading."""
        heading = self.page.get_by_role("heading", level=1).first
        for path in paths:
            if "?" in path or "#" in path or self.page.url == "about:blank":
                self.page.goto(self.origin + path)
                expect(heading).to_be_visible(timeout=PATIENCE_MS)
            elif self.page.url != self.origin + path:
                self.page.evaluate(WALK, path)
                expect(heading).to_be_focused(timeout=PATIENCE_MS)
            self.look(path)
            self.seen.add(path)

    @contextmanager
    def opened(self, what: str, role: str = "dialog") -> Iterator[Locator]:
        """Look at something that has opened, after the body has prepared it, and close it."""
        thing = self.page.get_by_role(role)  # type: ignore[arg-type]
        expect(thing).to_be_visible()
        yield thing
        self.look(what)
        self.page.keyboard.press("Escape")
        expect(thing).to_have_count(0)

    def tell(self) -> None:
        """Fail with what was found since the last time."""
        found, self.found = self.found, []
        assert not found, "\n".join(found)
        assert not self.complaints


@pytest.fixture(scope="module")
def eye(empty_ring: RingOfProcesses) -> Iterator[Eye]:
    """An admin at a ring without a song."""
    with launched() as browser, Eye(browser, origin(empty_ring.nodes[0])) as somebody:
        somebody.found, somebody.seen = [], set()
        somebody.context.add_init_script(path=AXE)
        somebody.visit("/login", "/join#wrong")
        somebody.log_in()
        yield somebody


def dress(node: NodeProcess, folder: Path) -> None:
    """Give the songs a picture, one of them words, and make a playlist."""
    picture = folder / "cover.jpg"
    colours = "gradients=size=300x300:c0=#b03060:c1=#3060b0:duration=1"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", colours, "-frames:v", "1", str(picture)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    album = node.get("/albums")["items"][0]["id"]
    songs = [song["id"] for song in node.get("/songs")["items"]]
    shown = node.request("PUT", f"/albums/{album}/cover", picture.read_bytes(), {"Content-Type": "image/jpeg"})
    assert shown[0] < 300, shown
    said = node.request("PUT", f"/songs/{songs[0]}/lyrics", LYRICS.encode(), {"Content-Type": "text/plain"})
    assert said[0] < 300, said
    assert node.request("POST", "/playlists", {"name": "Evening", "songs": songs})[0] == 201
    assert node.request("POST", "/invitations", {"role": "listener", "days": 1, "note": "Anna"})[0] == 201


def test_what_is_wrong_is_found(eye: Eye) -> None:
    eye.page.evaluate(PLANTED)
    eye.look("planted")
    found, eye.found = {tuple(line.split(": ")[:2]) for line in eye.found}, []
    assert found == {
        ("planted, light", "button-name"), ("planted, light", "color-contrast"), ("planted, dark", "color-contrast")
    }  # fmt: skip
    eye.page.reload()


def test_a_library_without_songs(eye: Eye) -> None:
    eye.visit(
        "/", "/songs", "/albums", "/artists", "/genres", "/years", "/favourites", "/played", "/playlists", "/search"
    )
    eye.page.keyboard.press("q")
    with eye.opened("an empty queue"):
        pass
    eye.tell()


def test_uploads(eye: Eye, empty_ring: RingOfProcesses, folder: Path) -> None:
    eye.visit("/upload")
    eye.page.get_by_label("Choose a folder").set_input_files(folder)
    expect(eye.page.get_by_role("heading", name="All done")).to_be_visible(timeout=60_000)
    eye.look("/upload with refused, known and new files")
    dress(empty_ring.nodes[0], folder)
    eye.tell()


def test_every_page(eye: Eye, empty_ring: RingOfProcesses) -> None:
    node = empty_ring.nodes[0]
    first = {kind: node.get(f"/{kind}")["items"][0]["id"] for kind in ("songs", "albums", "artists", "playlists")}
    eye.visit("/songs")
    eye.play("Short mp3")
    eye.row("Short mp3").press("f")
    eye.page.get_by_role("button", name="Pause").click()
    eye.visit("/", "/albums", "/artists", "/genres", "/years", "/favourites", "/played", "/playlists")
    eye.visit(*(f"/{kind}/{one}" for kind, one in first.items()))
    eye.visit("/search?q=short", "/search?q=nonsense", "/songs?q=nonsense", "/songs?genre=Test", "/nowhere")
    eye.visit("/ring", f"/ring/{node.get('/ring')['nodes'][0]['id']}", "/settings")
    eye.visit("/admin", "/admin/audit", "/admin/inventory")
    eye.tell()
    routes = [re.sub(r":\w+\?", "[^/]*", path) for path in re.findall(r"path: '(.*?)'", ROUTER.read_text())]
    routes = [re.sub(r":\w+(\(\.\*\)\*)?", "[^/]+", path) for path in routes]
    missed = [one for one in routes if not any(re.fullmatch(rf"{one}/?([?#].*)?", path) for path in eye.seen)]
    assert not missed, f"pages that nobody looked at: {missed}"


def test_what_opens_over_a_page(eye: Eye) -> None:
    page = eye.page
    eye.visit("/songs")
    for key, what in (("q", "the queue"), ("l", "lyrics"), ("?", "the map of keys"), ("/", "the search box")):
        page.keyboard.press(key)
        with eye.opened(what) as box:
            if key == "l":
                expect(box.get_by_text("Another line")).to_be_visible()
            if key == "/":
                page.keyboard.type("short")
                expect(box.get_by_role("option", name="Short ogg")).to_be_visible()
    page.get_by_role("button", name="Sound").click()
    with eye.opened("the sound sheet"):
        pass
    eye.row("Short ogg").click(button="right")
    with eye.opened("a song's menu", "menu"):
        pass
    eye.row("Short ogg").click()
    eye.row("Short opus").click(modifiers=["Shift"])
    eye.look("two songs selected")
    eye.tell()


def test_sheets_that_change_things(eye: Eye, empty_ring: RingOfProcesses) -> None:
    page = eye.page
    eye.row("Short ogg").click(button="right")
    page.get_by_role("menuitem", name="Add to playlist").click()
    with eye.opened("adding to a playlist"):
        pass
    eye.row("Short mp3").click()
    eye.row("Short mp3").click(button="right")
    page.get_by_role("menuitem", name="Edit tags").click()
    with eye.opened("the editor of tags") as box:
        for tab in ("Picture", "Encoding", "Changes", "Tags"):
            eye.look(f"the editor of tags, {tab}")
            box.get_by_role("tab", name=tab).click()
    eye.tell()
    page.goto(f"{eye.origin}/albums/{empty_ring.nodes[0].get('/albums')['items'][0]['id']}")
    page.get_by_role("button", name="More for Formats").click()
    with eye.opened("an album's menu", "menu"):
        pass
    page.get_by_role("button", name="More for Formats").click()
    page.get_by_role("menuitem", name="Merge").click()
    with eye.opened("merging albums"):
        pass
    page.goto(f"{eye.origin}/ring/{empty_ring.nodes[0].get('/ring')['nodes'][0]['id']}")
    page.get_by_role("button", name="Expel").click()
    with eye.opened("what expelling means"):
        pass
    eye.tell()


def test_on_a_phone(eye: Eye) -> None:
    eye.page.set_viewport_size({"width": 390, "height": 844})
    eye.visit("/", "/songs", "/ring")
    eye.page.get_by_role("button", name="More", exact=True).click()
    with eye.opened("the other places"):
        pass
    eye.tell()
