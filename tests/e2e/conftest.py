"""A real ring, real audio of every format that browsers play, and a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Listener, launched
from processes import RingOfProcesses
from stage import make_music, missing, node_for_browsers, origin
from support import eventually


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A short song in every format, and a long one."""
    if why := missing():
        pytest.skip(why)
    return make_music(tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def ring(music: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """Three nodes with all songs; each test leaves it whole."""
    made = RingOfProcesses(tmp_path_factory.mktemp("ring"), 0)
    for _ in range(3):
        node_for_browsers(made)
    try:
        made.start()
        for path in music:
            assert made.nodes[0].upload(path)[0] == 201
        eventually(lambda: all(len(node.keys()) == len(music) for node in made.nodes))
        yield made
    finally:
        made.close()


@pytest.fixture
def listener(ring: RingOfProcesses) -> Iterator[Listener]:
    """Somebody at the first node who has logged in."""
    with launched() as browser, Listener(browser, origin(ring.nodes[0])) as somebody:
        somebody.log_in()
        yield somebody


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
