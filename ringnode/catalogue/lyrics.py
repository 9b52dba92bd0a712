"""Lyrics: what LRC text says, and what stands in a music file.

LRC is lines of `[mm:ss.xx] text`, several times before one text, `<mm:ss.xx>` before single words, and tags such as
`[offset:+250]` (milliseconds by which the text is to come sooner). Programs write it into tags for plain lyrics too.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from mutagen.asf import ASFTags
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from ringnode.catalogue.tags import families, open_audio

TEXT_LIMIT = 50_000  # characters: a libretto has as many
LINES_LIMIT = 5_000
MILLISECONDS = 2  # SYLT's unit of time; the other counts frames, which nobody writes
LYRICS_TYPE = 1  # of SYLT: others are chords, events ...
TIME = re.compile(r"\s*\[(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?\]", re.ASCII)
WORD_TIME = re.compile(r"<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>", re.ASCII)
# Of LRC. Others in brackets, such as [Chorus: Anna], are for the reader.
TAG = re.compile(
    r"\s*\[(al|ar|au|by|id|la|length|lr|offset|re|ti|tool|ve|#):([^\]]*)\]\s*$", re.IGNORECASE | re.ASCII
)
OFFSET_LIMIT_MS = 3_600_000  # more is a mistake
NAMES = ("syncedlyrics", "lyrics", "unsyncedlyrics", "unsynced lyrics")


@dataclass(frozen=True)
class Line:
    """One line and when it is sung."""

    at_ms: int = field(metadata={"help": "When it begins, in milliseconds from the start of the song"})
    text: str = field(metadata={"help": "The line; empty where nothing is sung"})


@dataclass(frozen=True)
class Lyrics:
    """The words of a song."""

    synced: tuple[Line, ...] = field(metadata={"help": "Lines in order of their times; none if these are not known"})
    plain: str = field(metadata={"help": "The words, lines parted by newlines"})
    language: str = field(metadata={"help": "Language as the source names it, mostly ISO 639-2; empty if unknown"})
    source: str = field(metadata={"help": "Where they come from: `file` or `upload`"})


def parsed(text: str, language: str = "", source: str = "upload") -> Lyrics:
    """Lyrics from LRC or plain text."""
    synced: list[Line] = []
    plain, offset_ms = [], 0
    for line in clean(text).split("\n")[:LINES_LIMIT]:
        times, rest = _times(line)
        tag = TAG.match(line) if not times else None
        if tag:
            if tag.group(1).lower() == "offset":
                offset_ms = _offset(tag.group(2))
            continue
        words = WORD_TIME.sub("", rest).strip() if times else line.rstrip()
        synced += [Line(at_ms, words) for at_ms in times]
        plain.append(words)
    if synced:
        synced = sorted((Line(max(0, at.at_ms - offset_ms), at.text) for at in synced), key=lambda at: at.at_ms)
        plain = [line.text for line in synced]
    return Lyrics(tuple(synced[:LINES_LIMIT]), "\n".join(plain).strip(), language, source)


def _offset(text: str) -> int:
    with suppress(ValueError):
        return ms if abs(ms := int(text)) <= OFFSET_LIMIT_MS else 0
    return 0


def _times(line: str) -> tuple[list[int], str]:
    """The times a line begins with, in milliseconds, and the rest."""
    times = []
    while match := TIME.match(line):
        minutes, seconds, part = match.groups()
        times.append((int(minutes) * 60 + int(seconds)) * 1000 + int((part or "0").ljust(3, "0")))
        line = line[match.end() :]
    return times, line


def clean(text: str) -> str:
    """Text without control characters, with one kind of line end, not too long."""
    lines = text[:TEXT_LIMIT].replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def of_file(file: BinaryIO, filename: str) -> Lyrics | None:
    """The lyrics in a file's tags, those with times first; None if there are none."""
    found: list[Lyrics] = []
    with suppress(Exception):  # whatever it is, it is the file's fault, and there are no lyrics to show
        audio = open_audio(file, filename)
        for tags in families(file, audio):
            found += _of_tags(tags)
    good = [lyrics for lyrics in found if lyrics.plain]
    return min(good, key=lambda lyrics: not lyrics.synced) if good else None


def _of_tags(tags: Any) -> Iterator[Lyrics]:
    if isinstance(tags, ID3):
        yield from _of_id3(tags)
        return
    # Vorbis and APE know names in any case of letters.
    names = ("\xa9lyr",) if isinstance(tags, MP4Tags) else ("WM/Lyrics",) if isinstance(tags, ASFTags) else NAMES
    for name in names:
        values = tags.get(name, [])
        yield from (parsed(str(text), "", "file") for text in (values if isinstance(values, list) else [values]))


def _of_id3(tags: Any) -> Iterator[Lyrics]:
    for frame in tags.getall("SYLT"):
        if frame.format == MILLISECONDS and frame.type == LYRICS_TYPE:
            lines = [Line(max(0, at), clean(text).strip()) for text, at in _whole_lines(frame.text[:LINES_LIMIT])]
            lines.sort(key=lambda line: line.at_ms)
            plain = "\n".join(line.text for line in lines).strip()
            yield Lyrics(tuple(lines), plain, _language(frame.lang), "file")
    for frame in tags.getall("USLT"):
        yield parsed(str(frame.text), _language(frame.lang), "file")


def _whole_lines(parts: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Lines with the times of their beginnings, where times stand before syllables: a newline begins a line then."""
    if not any(text.startswith("\n") for text, _ in parts[1:]):
        return parts
    lines: list[tuple[str, int]] = []
    for text, at in parts:
        if lines and not text.startswith("\n"):
            lines[-1] = (lines[-1][0] + text, lines[-1][1])
        else:
            lines.append((text, at))
    return lines


def _language(code: str) -> str:
    """ISO 639-2 as ID3 has it; its words for "unknown" are none."""
    return "" if code.strip("\0 ").lower() in ("", "xxx", "und", "zxx") else code.strip("\0 ").lower()
