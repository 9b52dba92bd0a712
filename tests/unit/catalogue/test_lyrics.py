"""Lyrics out of LRC, plain text and files."""

import shutil
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import ID3, SYLT, USLT
from mutagen.mp4 import MP4

from ringnode.catalogue.lyrics import LINES_LIMIT, Line, _of_id3, clean, of_file, parsed

LRC = """\ufeff[ti:Hum]
[ar: Nobody]
[offset:+500]

[00:12.00]Hum
[00:15.5][01:02.25] Hum  <00:15.9>again
[00:20.000]
[bad]
plain words
"""


def test_lrc() -> None:
    lyrics = parsed(LRC, "eng")
    assert lyrics.synced == (
        Line(11_500, "Hum"), Line(15_000, "Hum  again"), Line(19_500, ""), Line(61_750, "Hum  again"),
    )  # fmt: skip
    assert lyrics.plain == "Hum\nHum  again\n\nHum  again"
    assert (lyrics.language, lyrics.source) == ("eng", "upload")


def test_plain_text() -> None:
    lyrics = parsed("[ti:A song]\nOne\r\nTwo  \r\r\n[Chorus: Guest]\n[Verse 2: Guest]\n\nThree\n")
    assert lyrics.synced == ()
    assert lyrics.plain == "One\nTwo\n\n[Chorus: Guest]\n[Verse 2: Guest]\n\nThree"


def test_syllables_with_times_become_lines() -> None:
    tags = ID3()
    parts = [("Hum", 1000), ("ming ", 1500), ("bird", 2000), ("\nAgain", 3000), ("\n", 4000)]
    tags.add(SYLT(encoding=3, lang="eng", format=2, type=1, text=parts))
    (lyrics,) = _of_id3(tags)
    assert [(line.at_ms, line.text) for line in lyrics.synced] == [
        (1000, "Humming bird"),
        (3000, "Again"),
        (4000, ""),
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[00:01]a", [(1000, "a")]), ("[00:01.5]a", [(1500, "a")]), ("[0:01:50]a", [(1500, "a")]),
        ("[offset:x]\n[00:01]a", [(1000, "a")]), ("[offset:5000]\n[00:01]a", [(0, "a")]),
        (f"[offset:-{'9' * 4000}]\n[00:01]a", [(1000, "a")]),
        ("[99:99.99]a", [(6039990, "a")]),
        ("[00:02]b\n[00:01]a", [(1000, "a"), (2000, "b")]), ("[1000:00]a", []), ("[٠٠:٠١]a", []), ("", []),
    ],
)  # fmt: skip
def test_times(text: str, lines: list[tuple[int, str]]) -> None:
    assert [(line.at_ms, line.text) for line in parsed(text).synced] == lines


def test_limits() -> None:
    assert len(parsed("[00:01]" * 40_000 + "x").synced) <= LINES_LIMIT
    assert len(parsed("a\n" * 40_000).plain) < 20_000
    assert clean("a\x00\ud800\u0085b\tc") == "ab\tc"


def test_files(audio: dict[str, Path], tmp_path: Path) -> None:
    mp3 = Path(shutil.copy(audio["cbr.mp3"], tmp_path))
    tags = ID3(mp3)
    tags.add(USLT(lang="deu", text="Nur\nWorte"))
    tags.save(mp3)
    found = look(mp3)
    assert (found.plain, found.synced, found.language, found.source) == ("Nur\nWorte", (), "deu", "file")
    tags.add(SYLT(lang="XXX", format=2, type=1, text=[("zwei", 2000), ("eins", 1000)]))
    tags.save(mp3)
    found = look(mp3)
    assert (found.synced, found.language) == ((Line(1000, "eins"), Line(2000, "zwei")), "")

    flac = Path(shutil.copy(audio["song.flac"], tmp_path))
    tags = FLAC(flac)
    tags["LYRICS"] = "[00:01.00]One"
    tags.save()
    assert look(flac).synced == (Line(1000, "One"),)

    mp4 = Path(shutil.copy(audio["aac.m4a"], tmp_path))
    tags = MP4(mp4)
    tags["\xa9lyr"] = "Words"
    tags.save()
    assert look(mp4).plain == "Words"
    assert look(audio["song.opus"]) is None


def look(path: Path):
    with path.open("rb") as file:
        return of_file(file, path.name)


def test_no_music() -> None:
    with Path(__file__).open("rb") as file:
        assert of_file(file, "x.mp3") is None
