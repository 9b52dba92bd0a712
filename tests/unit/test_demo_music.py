"""The demo's own songs: whole, tagged, pleasant in the ways that can be measured, and the same each time."""

import math
import shutil
import stat
import struct
import zlib
from array import array
from base64 import b64decode
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.flac import FLAC, Picture

from ringnode import demo_music
from ringnode.catalogue import tags
from ringnode.demo_music import COMMENT, RATE, TUNES, Tune, Voice, compose, cover, parse, render

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
each_tune = pytest.mark.parametrize("tune", TUNES, ids=lambda tune: tune.title)
BRIEF = [tune._replace(voices=(Voice("A4 |", demo_music.HARP, 1),)) for tune in TUNES[:3]]  # one note each


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The songs as they are without ffmpeg."""
    return compose(tmp_path_factory.mktemp("plain") / "music", None)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The songs as they are with it."""
    return compose(tmp_path_factory.mktemp("mixed"))


def fake_ffmpeg(folder: Path, script: str) -> str:
    """A program that does as the script says."""
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    return str(program)


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


def frames(audio: Any) -> tuple[list[str], Picture]:
    """What an MP3 or WAV file says, and its cover."""
    names = ("TIT2", "TPE1", "TALB", "TPE2", "TRCK", "TDRC", "TCON", "TCOM", "COMM::eng")
    return [str(audio.tags[name].text[0]) for name in names], audio.tags["APIC:"]


def comments(audio: Any) -> tuple[list[str], Picture]:
    """The same of an Opus or FLAC file."""
    names = ("title", "artist", "album", "albumartist", "track", "date", "genre", "composer", "comment")
    texts = {"track": f"{audio['tracknumber'][0]}/{audio['tracktotal'][0]}"}
    texts |= {name: audio[name][0] for name in names if name != "track"}
    if isinstance(audio, FLAC):
        return [texts[name] for name in names], audio.pictures[0]
    picture = b64decode(audio["metadata_block_picture"][0])
    return [texts[name] for name in names], Picture(picture)  # type: ignore[no-untyped-call]


def check_tags(path: Path, tune: Tune) -> None:
    """Read by mutagen as it is, and by the library as it will be."""
    album = tune.album
    track = 1 + [other.title for other in TUNES if other.album is album].index(tune.title)
    texts, picture = (frames if path.suffix in (".mp3", ".wav") else comments)(mutagen.File(path))
    assert texts == [
        tune.title, tune.composer, album.title, album.artist, f"{track}/3",
        tune.date, album.genre, tune.composer, COMMENT,
    ]  # fmt: skip
    assert (picture.type, picture.mime, picture.data) == (3, "image/png", cover(album))
    with path.open("rb") as file:
        song = tags.read(file, path.name)
    assert (song["title"], song["artist"], song["album"]) == (tune.title, tune.composer, album.title)
    assert song["track"] == track and song["has_cover"] and 15 <= song["duration_s"] <= 25


def test_without_ffmpeg_all_are_wav_with_their_tags(plain: list[Path]) -> None:
    assert len(plain) == 6 and {path.suffix for path in plain} == {".wav"}
    for path, tune in zip(plain, TUNES, strict=True):
        check_tags(path, tune)


@needs_ffmpeg
def test_with_ffmpeg_they_are_a_mix(mixed: list[Path]) -> None:
    assert sorted(path.suffix for path in mixed) == [".flac", ".mp3", ".mp3", ".opus", ".opus", ".wav"]
    for path, tune in zip(mixed, TUNES, strict=True):
        check_tags(path, tune)


def test_a_second_call_changes_nothing(plain: list[Path]) -> None:
    folder = plain[0].parent
    before = state(folder)
    assert len(before) == 6, "nothing but songs"
    assert compose(folder, None) == plain
    assert compose(folder) == plain, "ffmpeg that has come since does not double the songs"
    assert state(folder) == before


@needs_ffmpeg
def test_ffmpeg_that_has_gone_leaves_what_it_made(mixed: list[Path]) -> None:
    before = state(mixed[0].parent)
    assert compose(mixed[0].parent, None) == mixed
    assert state(mixed[0].parent) == before and len(before) == 6


@needs_ffmpeg
def test_what_is_missing_is_made_again_with_the_same_bytes(mixed: list[Path], tmp_path: Path) -> None:
    again = compose(tmp_path, tunes=TUNES[:3])  # one of each encoder
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in mixed[:3]]
    again[1].unlink()
    assert compose(tmp_path, tunes=TUNES[:3])[1].read_bytes() == mixed[1].read_bytes()


@pytest.mark.parametrize("script", ["exit 1", "exit 0", 'eval "out=\\${$#}"; echo no music > "${out#file:}"'])
def test_an_ffmpeg_that_fails_or_lies_makes_it_wav(script: str, tmp_path: Path) -> None:
    made = compose(tmp_path / "music", fake_ffmpeg(tmp_path, f"cat > /dev/null\n{script}"), BRIEF)
    assert [path.suffix for path in made] == [".wav"] * 3
    assert sorted((tmp_path / "music").iterdir()) == sorted(made), "nothing half made is left"


def test_an_ffmpeg_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_music, "FFMPEG_TIMEOUT_S", 0.2)
    assert compose(tmp_path / "music", fake_ffmpeg(tmp_path, "exec sleep 60"), BRIEF[:1])[0].suffix == ".wav"


def test_an_ffmpeg_that_is_not_there_is_none(tmp_path: Path) -> None:
    made = compose(tmp_path / "music", str(tmp_path / "ffmpeg"), BRIEF)
    assert [path.suffix for path in made] == [".wav"] * 3


def test_the_sound_is_neither_silent_nor_clipped(plain: list[Path]) -> None:
    for path in plain:
        data = path.read_bytes()
        start = data.index(b"data") + 8
        samples = array("h", data[start : start + int.from_bytes(data[start - 4 : start], "little")])
        peak = max(max(samples), -min(samples))
        assert 0.7 * 32767 < peak < 0.9 * 32767, path
        seconds = [samples[k : k + RATE] for k in range(0, len(samples) - RATE, RATE)]
        loudness = [math.sqrt(sum(x * x for x in second[::7]) / (RATE / 7)) / 32767 for second in seconds]
        assert min(loudness) > 0.02 and max(loudness) < 0.5, path
        assert abs(sum(samples)) / len(samples) < 20, "no constant part"
        assert abs(samples[0]) < 400 and abs(samples[-1]) < 40, "no click at the ends"


@each_tune
def test_every_bar_is_full_and_the_voices_end_together(tune: Tune) -> None:
    ends = set()
    for voice in tune.voices:
        bars = [bar.split() for bar in voice.notes.split("|")]
        assert bars.pop() == [], "the last bar is ended too"
        lengths = [sum(float(note.partition(":")[2] or 1) for note in bar) for bar in bars]
        if tune.pickup:
            assert lengths[0] == tune.pickup and lengths[-1] == tune.bar - tune.pickup
            lengths = lengths[1:-1]
        assert set(lengths) == {tune.bar}, lengths
        ends.add(voice.after + len(bars) * tune.bar)
    assert len(ends) == 1 or tune.title == "Frère Jacques", "only a round fades voice by voice"


@each_tune
def test_the_voices_agree_on_the_beat(tune: Tune) -> None:
    """A wrong note would be heard most where a bar begins: no two voices are a semitone apart there."""
    starts: dict[float, set[int]] = {}
    for voice in tune.voices:
        for at, _, pitch in parse(voice.notes):
            if (at + voice.after - tune.pickup) % tune.bar == 0:
                starts.setdefault(at + voice.after, set()).add(pitch % 12)
    harsh = [at for at, pitches in starts.items() if any((a - b) % 12 == 1 for a in pitches for b in pitches)]
    assert not harsh


def test_notes_are_read_as_they_are_written() -> None:
    assert parse("A4 C4:2 | ~:.5 - F#3:1.5 Bb4 |") == [(0, 1, 69), (1, 2.5, 60), (4.5, 1.5, 54), (6, 1, 70)]


@pytest.mark.parametrize(
    ("title", "tonic", "opening"),  # in semitones above the tonic
    [
        ("Ode to Joy", 62, [4, 4, 5, 7, 7, 5, 4, 2, 0, 0, 2, 4, 4, 2, 2]),
        ("Minuet in G", 67, [7, 0, 2, 4, 5, 7, 0, 0, 9, 5, 7, 9, 11, 12, 0, 0]),
        ("Canon in D", 74, [4, 2, 0, -1, -3, -5, -3, -1, 0, -1, -3, -5, -7, -8, -7, -10]),
        ("Frère Jacques", 65, [0, 2, 4, 0, 0, 2, 4, 0, 4, 5, 7, 4, 5, 7, 7, 9, 7, 5, 4, 0]),
        ("Greensleeves", 69, [0, 3, 5, 7, 9, 7, 5, 2, -2, 0, 2, 3, 0, 0, -1, 0, 2, -1, -5]),
        ("Korobeiniki", 69, [7, 2, 3, 5, 3, 2, 0, 0, 3, 7, 5, 3, 2, 3, 5, 7, 3, 0, 0]),
    ],
)
def test_the_melodies_are_those(title: str, tonic: int, opening: list[int]) -> None:
    tune = next(tune for tune in TUNES if tune.title == title)
    assert [pitch - tonic for _, _, pitch in parse(tune.voices[0].notes)][: len(opening)] == opening


def test_a_note_has_its_pitch() -> None:
    tune = TUNES[0]._replace(bpm=60, voices=(Voice("A4:2 |", demo_music.FLUTE, 1),))
    samples = render(tune)[RATE // 2 : RATE // 2 + RATE]

    def strength(hertz: float) -> float:
        turns = [math.tau * hertz * k / RATE for k in range(len(samples))]
        pairs = list(zip(samples, turns, strict=True))
        return math.hypot(sum(x * math.cos(t) for x, t in pairs), sum(x * math.sin(t) for x, t in pairs))

    assert strength(440) > 20 * max(strength(430), strength(450), strength(466.2))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        assert zlib.crc32(name + body) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        chunks.append((name, body))
        at += 12 + length
    return chunks


def test_the_covers_are_small_pictures_of_their_own() -> None:
    albums = list(dict.fromkeys(tune.album for tune in TUNES))
    assert len(albums) == 2 and len({album.artist for album in albums}) == 2
    for album in albums:
        assert len(cover(album)) < 30_000
        (head, size), (data, pixels), (end, nothing) = png_chunks(cover(album))
        assert (head, data, end, nothing) == (b"IHDR", b"IDAT", b"IEND", b"")
        assert struct.unpack(">IIBBBBB", size) == (300, 300, 8, 2, 0, 0, 0)
        raw = zlib.decompress(pixels)
        rows = [raw[k : k + 901] for k in range(0, len(raw), 901)]
        assert len(rows) == 300 and {row[0] for row in rows} == {0}, "no filter"
        assert tuple(rows[0][1:4]) == album.colours[0] and tuple(rows[-1][-3:]) == album.colours[1]
        assert tuple(rows[51][1 + 3 * 150 : 4 + 3 * 150]) == album.colours[2], "a dot at twelve o'clock"
    assert cover(albums[0]) != cover(albums[1])
