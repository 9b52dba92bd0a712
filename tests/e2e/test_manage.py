"""Looking after the library in a browser: what is uploaded there is heard there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Listener, launched
from playwright.sync_api import expect
from processes import RingOfProcesses
from stage import FORMATS, make_music, missing, node_for_browsers, origin


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have them: songs, one of them twice, and what is no music."""
    if why := missing():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("album")
    songs = make_music(folder)
    (folder / "again").mkdir()
    (folder / "again" / "same.mp3").write_bytes(songs[0].read_bytes())
    (folder / "cover.txt").write_text("no music")
    (folder / "broken.flac").write_bytes(b"fLaC" + bytes(500))
    return folder


@pytest.fixture(scope="module")
def empty_ring(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """Three nodes without a song."""
    made = RingOfProcesses(tmp_path_factory.mktemp("ring"), 0)
    for _ in range(3):
        node_for_browsers(made)
    try:
        made.start()
        yield made
    finally:
        made.close()


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
