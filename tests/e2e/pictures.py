"""Pictures of every page of the player, in three widths and both themes: python tests/e2e/pictures.py --help

They are of a real ring of three nodes with a library of works that nobody owns (gallery.py). The fonts are those of
the machine: the player asks for Inter first (Debian: fonts-inter).
"""

import argparse
import base64
import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/ring")]

from browser import Listener, launched  # noqa: E402
from gallery import make_library  # noqa: E402
from playwright.sync_api import Browser, Page, expect  # noqa: E402
from stage import demo  # noqa: E402

SIZES = {390: 844, 1280: 800, 1920: 1080}
THEMES = ("light", "dark")
QUALITY = 82  # of WebP
# Covers in sight are there.
SETTLED = """() => [...document.images].every((one) => {
    const { top, left, bottom, right } = one.getBoundingClientRect()
    const seen = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth
    return !seen || (one.complete && one.naturalWidth > 0)
})"""
DECODED = "() => Promise.all([...document.images].filter((one) => one.complete).map((one) => one.decode()))"
WORDS = (
    "[00:00.00]Frère Jacques,\n[00:02.20]Frère Jacques,\n[00:04.40]Dormez-vous ?\n[00:08.80]Sonnez les matines !\n"
)
# For README: which picture, in which width and theme.
CHOSEN = {
    "home": (1280, "light"), "album": (1280, "dark"), "ring": (1280, "light"), "search": (1280, "dark"),
    "queue": (390, "light"), "song": (390, "dark"),
}  # fmt: skip


class Room:
    """A listener who has logged in, with the API behind."""

    def __init__(self, listener: Listener, password: str) -> None:
        self.listener = listener
        self.headers: dict[str, str] = {}
        login = self.api("POST", "/auth/login", data={"username": "admin", "password": password})
        self.headers = {"Authorization": f"Bearer {login['token']}"}

    def api(self, method: str, path: str, **options: Any) -> Any:
        """What the API answers; AssertionError if it refuses."""
        headers = self.headers | options.pop("headers", {})
        url = f"{self.listener.origin}/api/v1{path}"
        answer = self.listener.context.request.fetch(url, method=method, headers=headers, **options)
        assert answer.ok, (method, path, answer.status, answer.text())
        return answer.json() if answer.body() else None

    def first(self, kind: str, words: str) -> str:
        """The id of the first that is found."""
        return str(self.api("GET", f"/{kind}", params={"q": words})["items"][0]["id"])

    def furnish(self) -> None:
        """Stars, plays, playlists, words: a library that is used."""
        songs = self.api("GET", "/songs?sort=random&seed=5&limit=60")["items"]
        ids = [song["id"] for song in songs]
        for i, song in enumerate(ids[:24]):
            for n in range(1 + (7 * i) % 5):
                at = f"2026-0{1 + i % 9}-1{n}T20:{10 + i}:00Z"
                self.api("POST", "/me/plays", data={"song": song, "at": at, "id": f"{song[:20]}{n}"})
        self.api("POST", "/me/stars", data={"what": "song", "ids": ids[3:17], "starred": True})
        albums = [album["id"] for album in self.api("GET", "/albums?limit=9")["items"]]
        self.api("POST", "/me/stars", data={"what": "album", "ids": albums[::2], "starred": True})
        for n, name in enumerate(("Slow mornings", "For the long drive", "Rainy Sunday", "Dinner with friends")):
            self.api("POST", "/playlists", data={"name": name, "public": n == 1, "songs": ids[9 * n : 9 * n + 14]})
        for who, role in (("listener", "For the choir"), ("uploader", "The archive")):
            self.api("POST", "/invitations", data={"role": who, "days": 7, "note": role})
        said = {"Content-Type": "text/plain; charset=utf-8"}
        self.api("PUT", f"/songs/{self.first('songs', 'Jacques')}/lyrics", data=WORDS.encode(), headers=said)

    def pages(self) -> dict[str, str]:
        """The pages by their names."""
        node = self.api("GET", "/ring")["nodes"][0]["id"]
        named = (
            "albums",
            "songs",
            "artists",
            "genres",
            "years",
            "playlists",
            "favourites",
            "played",
            "upload",
            "settings",
        )
        lists = self.api("GET", "/playlists")["items"]
        invitation = self.api("POST", "/invitations", data={"role": "listener", "days": 7, "note": "For a friend"})
        return {name: f"/{name}" for name in named} | {
            "login": "/login", "home": "/", "search": "/search?q=suite", "ring": "/ring", "node": f"/ring/{node}",
            "admin": "/admin", "audit": "/admin/audit", "inventory": "/admin/inventory", "lost": "/nowhere",
            "album": f"/albums/{self.first('albums', 'Peer Gynt')}",
            "artist": f"/artists/{self.first('artists', 'Satie')}",
            "song": f"/songs/{self.first('songs', 'Clair de lune')}", "playlist": f"/playlists/{lists[0]['id']}",
            "join": f"/join#{invitation['token']}",
            "words": f"/songs/{self.first('songs', 'Jacques')}", "empty": "/songs?q=nothing of this name",
        }  # fmt: skip


def queue(page: Page) -> None:
    page.get_by_role("button", name="Queue", exact=True).locator("visible=true").click()


def lyrics(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    page.keyboard.press("l")
    expect(page.get_by_text("Dormez-vous ?")).to_be_visible()


def keys(page: Page) -> None:
    page.keyboard.press("?")


def box(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("suite")
    expect(page.get_by_role("option").first).to_contain_text("Clair de lune")


def menu(page: Page) -> None:
    page.get_by_role("row").nth(3).get_by_role("button", name="More for").click()
    expect(page.get_by_role("menuitem", name="Play", exact=True)).to_be_visible()


def tags(page: Page) -> None:
    menu(page)
    page.get_by_role("menuitem", name="Edit tags").click()


def selection(page: Page) -> None:
    page.get_by_role("row").nth(2).press("Space")
    page.get_by_role("row").nth(4).press("Shift+ArrowDown")


# What opens over a page: the page, and how.
OPENED: dict[str, tuple[str, Callable[[Page], None]]] = {
    "queue": ("home", queue), "lyrics": ("words", lyrics), "keys": ("home", keys), "box": ("home", box),
    "menu": ("songs", menu), "tags": ("songs", tags), "selection": ("songs", selection),
}  # fmt: skip
# What nodes are asked for when all else is there.
COMES_LATER = {"album": "copies of every song", "song": "of 3 copies are"}


def shoot(page: Page, path: Path) -> None:
    """What is to be seen, as WebP, when all of it is there."""
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.wait_for_function(SETTLED)
    page.evaluate(DECODED)
    asked = {"format": "webp", "quality": QUALITY, "optimizeForSpeed": False}
    shot = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    path.write_bytes(base64.b64decode(shot["data"]))


def take(browser: Browser, origin: str, state: Any, wanted: dict[str, str], out: Path) -> None:
    """All pictures of the wanted pages, and of what opens over them."""
    outside = {name: path for name, path in wanted.items() if name in ("login", "join")}
    inside = {name: path for name, path in wanted.items() if name not in outside}
    inside |= {name: wanted[under] for name, (under, _) in OPENED.items() if under in wanted}
    for width, theme in itertools.product(SIZES, THEMES):
        look: Any = {"color_scheme": theme, "reduced_motion": "reduce", "service_workers": "block"}
        look |= {"is_mobile": True, "has_touch": True} if width < 600 else {}
        for paths, who in ((inside, {"storage_state": state}), (outside, {})):
            with Listener(browser, origin, **look, **who) as listener:
                page = listener.page
                page.set_viewport_size({"width": width, "height": SIZES[width]})
                for name, path in paths.items():
                    page.goto(origin + path)
                    expect(page.get_by_role("heading", level=1).first).to_be_visible()
                    if name in COMES_LATER:
                        expect(page.get_by_text(COMES_LATER[name])).to_be_visible()
                    if name in OPENED:
                        OPENED[name][1](page)
                    shoot(page, out / f"{name}-{width}-{theme}.webp")
        print(f"{width} {theme}", flush=True)


def main() -> None:
    """Take the pictures; with --readme, put those of CHOSEN into docs/pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "pictures", help="where to put them  [pictures]")
    parser.add_argument("--only", default="", help="names of pages, with commas between")
    parser.add_argument("--readme", action="store_true", help="put the chosen ones into docs/pictures")
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        works = Path(folder) / "works"
        works.mkdir()
        make_library(works, browser)
        with demo(Path(folder) / "ring", works) as info:
            origin = info["nodes"][0]["http"]
            with Listener(browser, origin) as listener:
                listener.log_in(info["password"])
                room = Room(listener, info["password"])
                room.furnish()
                listener.play("Morning Mood")
                listener.page.get_by_role("button", name="Pause").click()
                listener.page.reload()  # what plays is kept when a page is left
                wanted = {name: path for name, path in room.pages().items() if not only or name in only}
                state = listener.context.storage_state()
            take(browser, origin, state, wanted, given.out)
    for name, (width, theme) in CHOSEN.items() if given.readme else ():
        shutil.copy(given.out / f"{name}-{width}-{theme}.webp", ROOT / f"docs/pictures/{name}.webp")


if __name__ == "__main__":
    main()
