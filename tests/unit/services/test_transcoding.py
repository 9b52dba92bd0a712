"""Formats that browsers cannot play: really made by ffmpeg, in bounds, from files that may be made to do harm."""

import shutil
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from ringnode.errors import NotAble, NotFound
from ringnode.services.transcoding import Made, Transcoding

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
ROOM = 64 << 20


class Songs:
    """A library of the files of one folder; `opened` counts how often one was read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened = 0

    def song(self, id: str) -> SimpleNamespace:
        if not (self.folder / id).exists():
            raise NotFound("there is no such song")
        return SimpleNamespace(id=id, size_bytes=(self.folder / id).stat().st_size)

    def open(self, id: str) -> Made:
        self.opened += 1
        return Made((self.folder / id).open("rb"))


def tone(path: Path, suffix: str, *codec: str) -> None:
    made = path.with_suffix(suffix)
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=3", "-ac", "2", *codec, str(made)]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)
    made.rename(path)


@pytest.fixture
def songs(tmp_path) -> Songs:
    (tmp_path / "songs").mkdir()
    return Songs(tmp_path / "songs")


def transcoding(songs: Songs, tmp_path: Path, limit_bytes: int = ROOM, program: str = "ffmpeg") -> Transcoding:
    return Transcoding(songs, tmp_path / "made", program, limit_bytes, 0)  # type: ignore[arg-type]


def length_s(path: Path) -> float:
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("suffix", "codec", "name"), [(".m4a", "alac", "opus"), (".wv", "wavpack", "mp3"), (".aiff", "pcm_s16be", "aac")]
)
def test_what_browsers_cannot_play_becomes_what_they_can(songs, tmp_path, suffix, codec, name) -> None:
    tone(songs.folder / "a1", suffix, "-c:a", codec)
    made = transcoding(songs, tmp_path)
    with made.open("a1", name) as file:
        (tmp_path / name).write_bytes(b"".join(file.chunks(0, file.size)))
    assert abs(length_s(tmp_path / name) - 3) < 0.2
    with made.open("a1", name) as again:
        assert again.read_at(0, 100) == (tmp_path / name).read_bytes()[:100]
    assert songs.opened == 1, "it was made twice"
    assert not [path for path in (tmp_path / "made").iterdir() if path.suffix in (".source", ".part")]


@needs_ffmpeg
def test_many_who_ask_at_once_have_it_made_once(songs, tmp_path) -> None:
    tone(songs.folder / "a1", ".wv")
    made = transcoding(songs, tmp_path)
    sizes = []

    def ask() -> None:
        with made.open("a1", "mp3") as file:
            sizes.append(file.size)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(sizes)) == 1
    assert len(sizes) == 4
    assert songs.opened == 1


@needs_ffmpeg
def test_what_was_used_longest_ago_is_dropped(songs, tmp_path) -> None:
    for id in ("a1", "b2", "c3"):
        tone(songs.folder / id, ".wv")
    one = transcoding(songs, tmp_path)
    with one.open("a1", "mp3") as first:
        size = first.size
        bounded = transcoding(songs, tmp_path, limit_bytes=int(size * 2.5))
        for id in ("b2", "c3"):
            bounded.open(id, "mp3").__exit__()
        assert not (tmp_path / "made" / "a1.mp3").exists()
        assert len(first.read_at(0, size)) == size, "a file that is being heard was lost"


@needs_ffmpeg
def test_a_playlist_that_points_at_a_file_of_this_machine_is_not_followed(songs, tmp_path) -> None:
    secret = tmp_path / "secret.wav"
    tone(secret, ".wav")
    (songs.folder / "a1").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    )
    (songs.folder / "b2").write_text(f"ffconcat version 1.0\nfile 'file:{secret}'\n")
    for id in ("a1", "b2"):
        with pytest.raises(NotAble):
            transcoding(songs, tmp_path).open(id, "mp3")
    assert not list((tmp_path / "made").glob("*.mp3"))


def test_without_ffmpeg_it_says_so(songs, tmp_path) -> None:
    (songs.folder / "a1").write_bytes(b"RIFF")
    for none in (transcoding(songs, tmp_path, program=""), transcoding(songs, tmp_path, program="no-such-program")):
        assert none.formats == ()
        with pytest.raises(NotAble, match="no ffmpeg"):
            none.open("a1", "opus")
    with pytest.raises(NotFound):
        transcoding(songs, tmp_path).open("d4", "opus")
