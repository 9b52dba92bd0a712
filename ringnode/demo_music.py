"""Six short songs for a first look: melodies nobody owns, played by a small synthesiser.

The same machine makes the same bytes each time: a song's id is the hash of its file, and must not change.
"""

import io
import math
import shutil
import struct
import subprocess
import wave
import zlib
from array import array
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from operator import add
from pathlib import Path
from typing import Any, NamedTuple, cast

import mutagen
from mutagen import flac, id3

RATE = 22_050
TABLE = 4096  # samples in one period of a stored wave: fine enough to be read without interpolation
ECHO_S, ECHO = 0.14, 0.22  # how late and how loud the walls of the room answer
PEAK = 0.8 * 32767
ACCENT = 1.2  # the first note of a bar against the others
FFMPEG_TIMEOUT_S = 30.0
COMMENT = "synthesised by ringnode from a public-domain melody"
COVER_PIXELS = 300
PNG_HEAD = struct.pack(">IIBBBBB", COVER_PIXELS, COVER_PIXELS, 8, 2, 0, 0, 0)  # 8 bits a colour
BITEXACT = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1")  # no versions, dates
ENCODERS = {
    ".mp3": ("-c:a", "libmp3lame", "-b:a", "96k", "-id3v2_version", "0"),
    ".opus": ("-c:a", "libopus", "-b:a", "64k"), ".flac": ("-c:a", "flac"),
}  # fmt: skip
FRAMES, PICTURE = cast(Any, id3), cast(Any, flac.Picture)  # mutagen's types say too little for a strict check


class Timbre(NamedTuple):
    """Two waves, given by the strengths of their partials, that fade at their own speeds."""

    warm: tuple[float, ...]
    bright: tuple[float, ...]
    warm_s: float
    bright_s: float
    attack_s: float
    ring_s: float  # how long a note sounds on after its time


HARP = Timbre((1, 0.4, 0.18, 0.05), (0.2, 0.3, 0.3, 0.25, 0.15, 0.1), 0.8, 0.15, 0.004, 0.45)
FLUTE = Timbre((1, 0.28, 0.12, 0.03), (0, 0.15, 0.1, 0.05), 4.0, 0.12, 0.045, 0.16)
STRINGS = Timbre((1, 0.5, 0.3, 0.2, 0.12, 0.06), (0, 0.1, 0.1, 0.1), 5.0, 0.2, 0.07, 0.3)
BOX = Timbre((1, 0.05, 0.12), (0, 0.1, 0.25, 0.3, 0, 0.15), 0.6, 0.1, 0.002, 0.6)
BASS = Timbre((1, 0.55, 0.3, 0.15, 0.06), (0, 0.2, 0.2), 1.1, 0.1, 0.012, 0.25)


class Voice(NamedTuple):
    """Notes and who plays them. `after` so many beats, for rounds and canons."""

    notes: str
    timbre: Timbre
    loud: float
    after: float = 0
    octave: int = 0


class Album(NamedTuple):
    """What its songs have in common; `colours` of the cover: top left, bottom right, the dots."""

    title: str
    artist: str
    genre: str
    colours: tuple[Sequence[int], Sequence[int], Sequence[int]]


class Tune(NamedTuple):
    """A song. `bar` is counted in beats, as is `pickup`, what comes before the first whole bar."""

    album: Album
    title: str
    composer: str
    date: str  # about when the tune was made
    suffix: str  # of its format, where ffmpeg can make it
    bpm: float
    bar: float
    voices: tuple[Voice, ...]
    pickup: float = 0


# Notes: name, octave, ":" and beats if not one. "-" rests, "~" makes the note before longer, "|" ends a bar.
JOY, JOY_END = "F#4 F#4 G4 A4 | A4 G4 F#4 E4 | D4 D4 E4 F#4 |", "E4:1.5 D4:.5 D4:2 |"
ODE = f"""{JOY} F#4:1.5 E4:.5 E4:2 | {JOY} {JOY_END} E4 E4 F#4 D4 | E4 F#4:.5 G4:.5 F#4 D4 |
    E4 F#4:.5 G4:.5 F#4 E4 | D4 E4 A3 F#4 | ~ {JOY.removeprefix("F#4 ")} {JOY_END}"""
JOY_BASS = "D3:2 A2:2 | D3:2 A2:2 | B2:2 A2 D3 |"
ODE_BASS = f"""{JOY_BASS} A2:2 A2:2 | {JOY_BASS} A2:2 D3:2 | A2:2 D3:2 | A2:2 D3:2 |
    A2:2 F#2:2 | B2 E3 A2 D3 | ~:2 {JOY_BASS.removeprefix("D3:2 ")} A2:2 D3:2 |"""
MINUET_START = """D5 G4:.5 A4:.5 B4:.5 C5:.5 | D5 G4 G4 | E5 C5:.5 D5:.5 E5:.5 F#5:.5 | G5 G4 G4 |
    C5 D5:.5 C5:.5 B4:.5 A4:.5 | B4 C5:.5 B4:.5 A4:.5 G4:.5 |"""
MINUET = f"""{MINUET_START} F#4 G4:.5 A4:.5 B4:.5 G4:.5 | A4:3 |
    {MINUET_START} A4 B4:.5 A4:.5 G4:.5 F#4:.5 | G4:3 |"""
MINUET_BASS = """G3:2 A3 | B3:3 | C4:3 | B3:3 | A3:3 | G3:3 | D4 B3 G3 | D4 D3:.5 C4:.5 B3:.5 A3:.5 |
    B3:2 A3 | G3 B3 G3 | C4:3 | B3 C4:.5 B3:.5 A3:.5 G3:.5 | A3:2 F#3 | G3:2 B3 | C4 D4 D3 | G3:2 G2 |"""
CANON = """F#5 E5 D5 C#5 | B4 A4 B4 C#5 | D5 C#5 B4 A4 | G4 F#4 G4 E4 |
    D4:.5 F#4:.5 A4:.5 G4:.5 F#4:.5 D4:.5 F#4:.5 E4:.5 | D4:.5 B3:.5 D4:.5 A4:.5 G4:.5 B4:.5 A4:.5 G4:.5 |"""
LAST = """F#4:.5 D4:.5 E4:.5 C#5:.5 D5:.5 F#5:.5 A5:.5 A4:.5 |
    B4:.5 G4:.5 A4:.5 F#4:.5 D4:.5 D5:.5 D5:.75 C#5:.25 | D5:4 |"""
CANON_BASS = "D3 A2 B2 F#2 | G2 D2 G2 A2 |" * 4 + " D2:4 |"
JACQUES = "F4 G4 A4 F4|" * 2 + "A4 Bb4 C5:2|" * 2 + "C5:.5 D5:.5 C5:.5 Bb4:.5 A4 F4|" * 2 + "F4 C4 F4:2|" * 2
DOWN, VERSE, CHORUS = "D5:2 B4 G4:1.5 A4:.5 B4 |", "C5:2 D5 E5:1.5 F#5:.5 E5 |", "G5:3 G5:1.5 F#5:.5 E5 |"
HALF = f"{DOWN} C5:2 A4 A4:1.5 G#4:.5 A4 | B4:2 G#4 E4"
END = f"{DOWN} C5:1.5 B4:.5 A4 G#4:1.5 F#4:.5 G#4 | A4"
SLEEVES = f"A4 | {VERSE} {HALF}:2 A4 | {VERSE} {END}:6 | {CHORUS} {HALF}:3 | {CHORUS} {END}:5 |"
A, C, G = "A2 E3 A3 C4 A3 E3 |", "C3 G3 C4 E4 C4 G3 |", "G2 D3 G3 B3 G3 D3 |"  # chords, broken
E, TO_E = "E2 B2 E3 G#3 E3 B2 |", "A2 E3 A3 E2 B2 E3 |"
SLEEVES_BASS = f"- | {A} {G} {A} {E} {A} {G} {TO_E} {A} {C} {G} {A} {E} {C} {G} {TO_E} A2 E3 A3:3 |"
PEDLARS = """E5 B4:.5 C5:.5 D5 C5:.5 B4:.5 | A4 A4:.5 C5:.5 E5 D5:.5 C5:.5 | B4:1.5 C5:.5 D5 E5 | C5 A4 A4:2 |
    D5:1.5 F5:.5 A5 G5:.5 F5:.5 | E5:1.5 C5:.5 E5 D5:.5 C5:.5 | B4:1.5 C5:.5 D5 E5 | C5 A4 A4:2 |"""
PEDLARS_BASS = """E2 B2 E2 B2 | A2 E3 A2 E3 | E2 B2 E2 G#2 | A2 E3 A2 C3 |
    D3 A2 D3 A2 | C3 G2 C3 G2 | E2 B2 E2 G#2 | A2 E2 A2:2 |"""
MASTERS = Album("Old Masters, Small Ring", "Various Artists", "Classical",
                ((28, 24, 70), (208, 98, 112), (255, 226, 178)))  # fmt: skip
ROUNDS = Album("Evening Rounds", "Traditional", "Folk",
               ((8, 52, 66), (232, 178, 92), (255, 246, 222)))  # fmt: skip
TUNES = (
    Tune(MASTERS, "Ode to Joy", "Ludwig van Beethoven", "1824", ".mp3", 168, 4, (
        Voice(ODE, STRINGS, 0.6), Voice(ODE, FLUTE, 0.3, octave=1), Voice(ODE_BASS, BASS, 0.5))),
    Tune(MASTERS, "Minuet in G", "Christian Petzold", "1725", ".opus", 132, 3, (
        Voice(MINUET, HARP, 0.7), Voice(MINUET_BASS, HARP, 0.4))),
    Tune(MASTERS, "Canon in D", "Johann Pachelbel", "1680", ".flac", 96, 4, (
        Voice(CANON + LAST, STRINGS, 0.5), Voice(CANON + "F#4:4 |", STRINGS, 0.4, 8),
        Voice(CANON_BASS, BASS, 0.5))),
    Tune(ROUNDS, "Frère Jacques", "Traditional", "1780", ".mp3", 128, 4, (
        Voice(JACQUES, BOX, 0.6), Voice(JACQUES, HARP, 0.5, 8), Voice(JACQUES, BASS, 0.5, 16, octave=-1))),
    Tune(ROUNDS, "Greensleeves", "Traditional", "1580", ".opus", 250, 6, (
        Voice(SLEEVES, FLUTE, 0.6), Voice(SLEEVES_BASS, HARP, 0.4)), pickup=1),
    Tune(ROUNDS, "Korobeiniki", "Traditional", "1861", ".wav", 168, 4, (
        Voice(PEDLARS * 2, HARP, 0.65), Voice(PEDLARS, FLUTE, 0.35, 32), Voice(PEDLARS_BASS * 2, BASS, 0.5))),
)  # fmt: skip


def compose(folder: Path, ffmpeg: str | None = "ffmpeg", tunes: Sequence[Tune] = TUNES) -> list[Path]:
    """The songs in the folder, made if missing: as WAV if ffmpeg is None, absent or fails. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_song(folder, tune, shutil.which(ffmpeg) if ffmpeg else None) for tune in tunes]


def _song(folder: Path, tune: Tune, ffmpeg: str | None) -> Path:
    path, wav = (folder / f"{tune.composer} - {tune.title}{suffix}" for suffix in (tune.suffix, ".wav"))
    if path.exists() or wav.exists():  # either: ffmpeg that comes or goes must not double the songs
        return path if path.exists() else wav
    sound = _wav(render(tune))
    if ffmpeg and path != wav:
        with suppress(OSError, subprocess.SubprocessError, mutagen.MutagenError):  # then WAV
            return _make(path, tune, sound, ffmpeg)
    return _make(wav, tune, sound)


def _make(path: Path, tune: Tune, sound: bytes, ffmpeg: str = "") -> Path:
    part = path.with_name(f".part {path.name}")  # what bears the song's own name is whole
    try:
        if ffmpeg:
            command = [ffmpeg, "-v", "quiet", "-y", "-f", "wav", "-i", "pipe:0", "-threads", "1"]
            command += [*BITEXACT, *ENCODERS[path.suffix], f"file:{part.absolute()}"]
            subprocess.run(command, input=sound, capture_output=True, timeout=FFMPEG_TIMEOUT_S, check=True)
        else:
            part.write_bytes(sound)
        _tag(part, tune)
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def parse(notes: str) -> list[tuple[float, float, int]]:
    """When each note starts and how long it lasts, in beats, and its pitch as MIDI counts them."""
    found: list[tuple[float, float, int]] = []
    at = 0.0
    for token in notes.replace("|", " ").split():
        name, _, length = token.partition(":")
        beats = float(length or 1)
        if name == "~":
            found[-1] = (found[-1][0], found[-1][1] + beats, found[-1][2])
        elif name != "-":
            semitone = "C D EF G A B".index(name[0]) + ("#" in name) - ("b" in name)
            found.append((at, beats, semitone + 12 * (int(name[-1]) + 1)))
        at += beats
    return found


class Instrument:
    """Plays notes in one timbre, and remembers each it has played: melodies repeat themselves."""

    def __init__(self, timbre: Timbre, longest: int) -> None:
        self._ring = round(timbre.ring_s * RATE)
        times = range(longest + self._ring)
        rise, *falls = (s * RATE for s in (timbre.attack_s, timbre.warm_s, timbre.bright_s))
        self._fades = [array("d", (min(1, k / rise) * math.exp(-k / fall) for k in times)) for fall in falls]
        self._waves = [
            [sum(a * math.sin(math.tau * n * k / TABLE) for n, a in enumerate(tone, 1)) for k in range(TABLE)]
            for tone in (timbre.warm, timbre.bright)
        ]
        self._played: dict[tuple[int, int, float], array[float]] = {}

    def play(self, pitch: int, length: int, loud: float) -> "array[float]":
        """The samples of a note, which go on for the timbre's ring after its length."""
        if (key := (pitch, length, loud)) not in self._played:
            step = 440 * 2 ** ((pitch - 69) / 12) * TABLE / RATE
            warm, bright = self._waves
            places = [int(k * step) % TABLE for k in range(length + self._ring)]
            parts = zip(*self._fades, places, strict=False)  # the fades are as long as the longest note
            sound = array("d", [loud * (a * warm[p] + b * bright[p]) for a, b, p in parts])
            for k in range(self._ring):  # down to nothing, for a sound that stops at once clicks
                sound[length + k] *= (1 - k / self._ring) ** 2
            self._played[key] = sound
        return self._played[key]


def render(tune: Tune) -> "array[int]":
    """The samples of a song, with a little room around it, as loud as it may be."""
    beat = 60 / tune.bpm * RATE
    mix = array("d")
    for voice in tune.voices:
        notes = parse(voice.notes)
        instrument = Instrument(voice.timbre, max(round(beats * beat) for _, beats, _ in notes))
        for at, beats, pitch in notes:
            loud = voice.loud * (ACCENT if (at - tune.pickup) % tune.bar == 0 else 1)
            sound = instrument.play(pitch + 12 * voice.octave, round(beats * beat), loud)
            start = round((voice.after + at) * beat)
            stop = start + len(sound)
            mix.extend([0.0] * (stop - len(mix)))
            mix[start:stop] = array("d", map(add, mix[start:stop], sound))
    mix.extend([0.0] * (RATE // 4))  # for the room to fall silent
    late = array("d", bytes(8 * round(ECHO_S * RATE))) + mix
    wet = [a + ECHO * b for a, b in zip(mix, late, strict=False)]
    scale = PEAK / max(max(wet), -min(wet))
    return array("h", [int(scale * x) for x in wet])


def _wav(samples: "array[int]") -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(samples)
    return file.getvalue()


def _tag(path: Path, tune: Tune) -> None:
    """Write all that a file tells of itself, in the way of its format."""
    album, titles = tune.album, [other.title for other in TUNES if other.album is tune.album]
    track, last = str(titles.index(tune.title) + 1), str(len(titles))
    picture = PICTURE()
    picture.type, picture.mime, picture.data = id3.PictureType.COVER_FRONT, "image/png", cover(album)
    picture.width, picture.height, picture.depth = COVER_PIXELS, COVER_PIXELS, 24
    audio: Any = mutagen.File(path)
    if audio is None:
        raise mutagen.MutagenError("ffmpeg made no audio")
    if path.suffix in (".mp3", ".wav"):
        audio.add_tags()
        for name, text in (
            ("TIT2", tune.title), ("TPE1", tune.composer), ("TCOM", tune.composer), ("TALB", album.title),
            ("TPE2", album.artist), ("TDRC", tune.date), ("TCON", album.genre), ("TRCK", f"{track}/{last}"),
        ):  # fmt: skip
            audio.tags.add(getattr(FRAMES, name)(encoding=3, text=text))
        audio.tags.add(FRAMES.COMM(encoding=3, lang="eng", text=COMMENT))
        audio.tags.add(FRAMES.APIC(encoding=3, mime=picture.mime, type=picture.type, data=picture.data))
    else:
        audio.update(
            date=tune.date, artist=tune.composer, composer=tune.composer, comment=COMMENT, album=album.title,
            albumartist=album.artist, title=tune.title, tracknumber=track, tracktotal=last, genre=album.genre,
        )  # fmt: skip
        if path.suffix == ".flac":
            audio.add_picture(picture)
        else:
            audio["metadata_block_picture"] = b64encode(picture.write()).decode()
    audio.save()


def cover(album: Album) -> bytes:
    """A PNG: a ring of twelve nodes on a gradient, three of them lit, for they own this song."""
    size, (start, end, dots) = COVER_PIXELS, album.colours
    diagonal = [_blend(start, end, k / (2 * size - 2)) for k in range(2 * size - 1)]
    rows = [diagonal[y : y + size] for y in range(size)]
    for n in range(12):
        radius, dense = (17, 1) if n < 3 else (9, 0.45)
        angle = math.tau * (n / 12 - 1 / 4)
        x, y = size * (0.5 + 0.33 * math.cos(angle)), size * (0.5 + 0.33 * math.sin(angle))
        for j in range(int(y) - radius - 1, int(y) + radius + 3):
            for i in range(int(x) - radius - 1, int(x) + radius + 3):
                inside = min(1.0, max(0.0, radius + 0.5 - math.hypot(i - x, j - y)))  # a soft edge
                rows[j][i] = _blend(rows[j][i], dots, dense * inside)
    raw = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", PNG_HEAD), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    )


def _blend(one: Sequence[int], other: Sequence[int], share: float) -> Sequence[int]:
    return [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
