"""Looking after the library in a browser: what is uploaded there is heard there."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Listener, launched
from mutagen.id3 import ID3, TALB, TIT2, TPE1
from playwright.sync_api import Locator, Request, expect
from processes import NodeProcess, RingOfProcesses, make_wav
from stage import FORMATS, make_picture, make_song, origin
from support import eventually

LARGE_BYTES = 8_000_000
# The colour in the middle of a picture, as the page has it.
COLOR = """(image) => {
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = 1
    canvas.getContext('2d').drawImage(image, 0, 0, 1, 1)
    const [red, , blue] = canvas.getContext('2d').getImageData(0, 0, 1, 1).data
    return red > 200 ? 'red' : blue > 200 ? 'blue' : ''
}"""


def color_of(picture: Locator) -> str:
    return str(picture.evaluate(COLOR)) if picture.count() == 1 else ""


@pytest.fixture(scope="module")
def keeper(empty_ring: RingOfProcesses) -> Iterator[Listener]:
    """An admin at the first node."""
    with launched() as browser, Listener(browser, origin(empty_ring.nodes[0])) as somebody:
        somebody.log_in()
        yield somebody


def test_a_folder_is_uploaded_and_every_format_of_it_is_heard(keeper: Listener, folder: Path) -> None:
    page = keeper.page
    page.get_by_role("link", name="Upload", exact=True).first.click()
    page.get_by_label("Choose a folder").set_input_files(folder)
    expect(page.get_by_role("heading", name="All done")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1 file that is no music was left aside")).to_be_visible()
    expect(page.get_by_text("In the library already: The Testers – Short mp3")).to_have_count(1)
    expect(
        page.get_by_role("listitem").filter(has_text="broken.flac").get_by_role("button", name="Try")
    ).to_be_visible()
    page.get_by_role("link", name="Songs", exact=True).first.click()
    for suffix in FORMATS:
        keeper.play(f"Short {suffix}")
    assert not keeper.complaints


def test_tags_are_edited_and_a_deleted_song_comes_back(keeper: Listener) -> None:
    page = keeper.page
    page.get_by_role("link", name="Songs", exact=True).first.click()
    keeper.row("Short ogg").click(button="right")
    page.get_by_role("menuitem", name="Edit tags").click()
    page.get_by_label("Title", exact=True).fill("A new name")
    page.get_by_label("Genres").fill("Jazz\nHard bop")
    page.get_by_role("button", name="Save").click()
    expect(keeper.row("A new name")).to_be_visible()
    keeper.row("A new name").click(button="right")
    page.get_by_role("menuitem", name="Edit tags").click()
    page.get_by_role("tab", name="Changes").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").get_by_text("The change is undone.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(keeper.row("Short ogg")).to_be_visible()
    keeper.row("Short ogg").click(button="right")
    page.get_by_role("menuitem", name="Delete").click()
    expect(keeper.row("Short ogg")).to_have_count(0)
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(keeper.row("Short ogg")).to_be_visible()
    assert not keeper.complaints


def test_what_the_browser_cannot_play_is_heard_all_the_same(keeper: Listener, tmp_path: Path) -> None:
    page = keeper.page
    for suffix, codec in (("m4a", "alac"), ("wv", "wavpack")):
        make_song(tmp_path / f"Odd {codec}.{suffix}", f"Odd {codec}", ["-c:a", codec])
    page.get_by_role("link", name="Upload", exact=True).first.click()
    page.get_by_label("Choose files").set_input_files(list(tmp_path.iterdir()))
    for codec in ("alac", "wavpack"):
        expect(page.get_by_role("listitem").filter(has_text=f"Odd {codec}").get_by_text("Added")).to_be_visible()
    page.get_by_role("link", name="Songs", exact=True).first.click()
    for codec in ("alac", "wavpack"):
        keeper.play(f"Odd {codec}")
        assert "format=opus" in keeper.audio()["url"]
    assert not keeper.complaints


def test_a_guest_makes_an_account_with_a_link(keeper: Listener, empty_ring: RingOfProcesses) -> None:
    page = keeper.page
    page.goto(f"{keeper.origin}/admin")
    page.get_by_label("For whom").fill("Anna")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link of the invitation").input_value()
    browser = keeper.context.browser
    assert browser
    with Listener(browser, origin(empty_ring.nodes[1])) as guest:
        link = link.replace(keeper.origin, guest.origin)  # any node takes it, as soon as it knows of it
        at_first = guest.page

        def opened() -> bool:
            at_first.goto(f"{guest.origin}/login")  # else only the fragment would change
            at_first.goto(link)
            expect(at_first.get_by_role("heading", level=1)).to_be_visible()
            return at_first.get_by_label("Password").is_visible()

        eventually(opened)
        guest.page.get_by_label("Name", exact=True).fill("anna")
        guest.page.get_by_label("Password").fill("a password of her own")
        guest.page.get_by_role("button", name="Make the account").click()
        expect(guest.page.get_by_role("link", name="Ring", exact=True).first).to_be_visible()
        expect(guest.page.get_by_role("link", name="Upload", exact=True)).to_have_count(0)
        assert not guest.complaints
    expect(page.get_by_text("used by anna")).to_be_visible()
    page.get_by_label("Role of anna").select_option("uploader")
    expect(page.get_by_role("status").get_by_text("anna is changed.")).to_be_visible()
    assert not keeper.complaints


def test_a_node_has_a_page_and_checks_its_files(keeper: Listener) -> None:
    page = keeper.page
    page.get_by_role("link", name="Ring", exact=True).first.click()
    page.get_by_role("listitem").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Background work")).to_be_visible()
    page.get_by_role("button", name="Check its files").click()
    page.get_by_role("dialog").get_by_role("button", name="Check its files").click()
    expect(page.get_by_role("status").get_by_text("is checking its files")).to_be_visible()
    assert not keeper.complaints


def test_albums_are_merged_tags_read_anew_and_pictures_given(keeper: Listener, tmp_path: Path) -> None:
    page = keeper.page
    make_song(tmp_path / "kino.mp3", "x", [])
    garbled = {TIT2: "Группа крови", TPE1: "Кино", TALB: "Other formats"}
    tags = ID3()
    for frame, text in garbled.items():
        tags.add(frame(encoding=0, text=text.encode("cp1251").decode("latin-1")))
    tags.save(tmp_path / "kino.mp3")
    page.get_by_role("link", name="Upload", exact=True).first.click()
    page.get_by_label("Choose files").set_input_files(tmp_path / "kino.mp3")
    expect(page.get_by_role("listitem").filter(has_text="kino.mp3").get_by_text("Added")).to_be_visible()
    page.get_by_role("link", name="Songs", exact=True).first.click()
    keeper.choose("Ãðóïïà êðîâè", "Edit tags")
    page.get_by_role("tab", name="Encoding").click()
    page.get_by_role("button", name="Take this").click()
    picture = keeper.row("Группа крови").locator("img")
    for color in ("red", "blue", ""):
        second = int(time.time())
        eventually(lambda second=second: time.time() > second + 1)  # within one, pictures would keep their address
        keeper.choose("Группа крови", "Edit tags")
        page.get_by_role("tab", name="Picture").click()
        if color:
            page.get_by_label("Choose a picture").set_input_files(make_picture(tmp_path / f"{color}.png", color))
            expect(page.get_by_role("button", name="Remove the uploaded picture")).to_be_enabled()
        else:
            page.get_by_role("button", name="Remove the uploaded picture").click()
            expect(page.get_by_text("No picture")).to_be_visible()
        page.keyboard.press("Escape")
        eventually(lambda color=color: color == color_of(picture))
    with page.expect_download() as download:
        keeper.choose("Группа крови", "Download with the edited tags")
    assert str(ID3(download.value.path())["TPE1"]) == "Кино"
    keeper.choose("Группа крови", "Go to album")
    page.get_by_role("button", name="More for Other formats").click()
    page.get_by_role("menuitem", name="Merge albums").click()
    page.get_by_label("Find the other album").fill("formats")
    page.get_by_role("radio", name="Formats The Testers").click()
    page.get_by_role("radio", name="Formats – The Testers", exact=True).click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("heading", name="Formats", level=1, exact=True)).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Группа крови")).to_be_visible()
    assert not keeper.complaints


def offset(part: Request) -> int:
    """Where the bytes that a request brings belong in their file; -1 if it brings none."""
    return int(part.headers.get("upload-offset", -1))


def test_an_upload_is_paused_and_goes_on_after_a_reload(keeper: Listener, tmp_path: Path) -> None:
    page, large = keeper.page, make_wav(tmp_path / "large.wav", LARGE_BYTES, 7)
    row = page.get_by_role("listitem").filter(has_text="large.wav")

    def percent() -> int:
        found = re.search(r"(\d+) %", row.inner_text())
        return int(found[1]) if found else 0

    keeper.go("Upload")
    keeper.upload_at(LARGE_BYTES // 8)
    page.get_by_label("Choose files").set_input_files(large)
    eventually(lambda: percent() > 15)
    row.get_by_role("button", name="Pause large.wav").click()
    expect(row.get_by_text("Paused")).to_be_visible()
    with page.expect_request(lambda part: offset(part) >= 0) as resumed:
        row.get_by_role("button", name="Go on with large.wav").click()
    assert offset(resumed.value) > 0
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"], "nobody was asked before a file that must be chosen again was left"
    expect(page.get_by_role("heading", name="1 upload was interrupted")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Go on", exact=True).click()
    with page.expect_request(lambda part: offset(part) >= 0) as reopened:
        chooser.value.set_files(large)
    assert offset(reopened.value) >= offset(resumed.value), "it was begun anew"
    keeper.upload_at(-1)
    expect(row.get_by_text("Added")).to_be_visible(timeout=30_000)
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert len(asked) == 1, "somebody was asked though nothing is lost"
    expect(page.get_by_role("heading", name="Upload")).to_be_visible()
    assert not keeper.complaints


def test_a_file_that_vanishes_while_it_is_sent_says_so(keeper: Listener, tmp_path: Path) -> None:
    page, large = keeper.page, make_wav(tmp_path / "moved.wav", LARGE_BYTES, 8)
    row = page.get_by_role("listitem").filter(has_text="moved.wav")
    page.goto(f"{keeper.origin}/upload")
    keeper.upload_at(LARGE_BYTES // 8)
    page.get_by_label("Choose files").set_input_files(large)
    expect(row.get_by_text(re.compile("[1-9] %"))).to_be_visible()
    row.get_by_role("button", name="Pause moved.wav").click()
    large.unlink()
    row.get_by_role("button", name="Go on with moved.wav").click()
    expect(row.get_by_text(re.compile("no longer where it was|did not let it be read"))).to_be_visible()
    keeper.upload_at(-1)
    assert not keeper.complaints


def test_logins_and_app_passwords_end_when_one_says_so(keeper: Listener, empty_ring: RingOfProcesses) -> None:
    page, node = keeper.page, empty_ring.nodes[1]
    keeper.go("Settings")
    page.get_by_label("Name of the program").fill("Car")
    page.get_by_role("button", name="Make one").click()
    password = page.locator("input[readonly]").input_value()

    def status(token: str) -> int:
        return node.request("GET", "/songs", headers={"Authorization": f"Bearer {token}"})[0]

    eventually(lambda: status(password) == 200)
    page.get_by_role("button", name="Revoke Car").click()
    eventually(lambda: status(password) == 401)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert json.loads(download.value.path().read_text())["user"]["name"] == "admin"
    browser = keeper.context.browser
    assert browser
    with Listener(browser, origin(node)) as other:
        other.context.set_extra_http_headers({"User-Agent": "Firefox in the kitchen"})
        other.log_in()
        token = other.page.evaluate("JSON.parse(localStorage['ringnode.token'])")
        keeper.go("Upload")
        keeper.go("Settings")
        page.get_by_role("button", name="Log out Firefox").click()
        eventually(lambda: status(token) == 401)
        other.page.reload()
        other.log_in()
        token = other.page.evaluate("JSON.parse(localStorage['ringnode.token'])")
        other.go("Settings")
        other.page.get_by_label("Present password").fill("mistyped")
        other.page.get_by_label("New password").fill("a longer password")
        other.page.get_by_role("button", name="Change", exact=True).click()
        other.says("The present password is wrong.")
        other.page.get_by_role("button", name="Log out", exact=True).first.click()
        expect(other.page.get_by_label("Password")).to_be_visible()
        eventually(lambda: status(token) == 401)
    assert not keeper.complaints


def test_one_deletes_ones_own_account(keeper: Listener, empty_ring: RingOfProcesses) -> None:
    node = empty_ring.nodes[1]
    eva = {"name": "eva", "password": "a password of eva", "role": "listener"}
    assert node.request("POST", "/users", eva)[0] == 201
    browser = keeper.context.browser
    assert browser
    with Listener(browser, origin(node)) as guest:
        guest.log_in(eva["password"], eva["name"])
        guest.go("Settings")
        guest.page.get_by_role("button", name="Delete it").click()
        box = guest.page.get_by_role("dialog")
        box.get_by_label("Present password").fill("mistyped")
        box.get_by_role("button", name="Delete it").click()
        expect(box.get_by_role("alert")).to_have_text("The present password is wrong.")
        box.get_by_label("Present password").fill(eva["password"])
        box.get_by_role("button", name="Delete it").click()
        expect(guest.page.get_by_role("button", name="Log in")).to_be_visible()
        assert not guest.complaints
    assert node.request("GET", "/users/eva")[0] == 404


def test_a_dead_node_is_expelled_and_another_leaves(keeper: Listener, empty_ring: RingOfProcesses) -> None:
    """The last one here: it leaves a ring of one."""
    page, dead, leaving = keeper.page, empty_ring.nodes[2], empty_ring.nodes[1]

    def have(node: NodeProcess, action: str, until: str) -> None:
        keeper.go("Ring")
        page.get_by_role("listitem").get_by_role("link", name=node.name).first.click()
        page.get_by_role("button", name=action).click()
        page.get_by_role("dialog").get_by_role("button", name=action).click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("main").get_by_text(until, exact=True)).to_be_visible(timeout=30_000)

    dead.kill()
    keeper.go("Ring")
    eventually(lambda: page.get_by_text("down", exact=True).count() == 1, 60)
    have(dead, "Expel", "expelled")
    have(leaving, "Have it leave", "has left")
    expect(page.get_by_text("It is no longer part of the ring.")).to_be_visible()
    eventually(lambda: not leaving.alive)
    assert not keeper.complaints
