"""Looking after the library in a browser: what is uploaded there is heard there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Listener, launched
from playwright.sync_api import expect
from processes import RingOfProcesses
from stage import FORMATS, make_song, origin
from support import eventually


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
