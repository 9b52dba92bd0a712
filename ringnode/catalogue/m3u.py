"""Playlists as other programs know them: M3U8, with what is needed to find the songs again in any library."""

import json
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from ringnode.catalogue.model import Song
from ringnode.catalogue.records import Records
from ringnode.catalogue.search import condition, normalise
from ringnode.catalogue.songs import KIND

OURS = "#RINGNODE:"  # before a song's id
NEAR_S = 4.0  # players round lengths, and encoders add silence
CANDIDATES = 50  # songs looked at for one line
URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # one letter is a drive
ID = re.compile(r"\b[0-9a-f]{64}\b")
INFO = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?[^,]*,(.*)")
NUMBER = re.compile(r"^\s*\d{1,3}(?:[-.]\d{1,3})?[\s._-]+(?=\S)")  # of a track, before its name


@dataclass(frozen=True)
class Wanted:
    """One song that a playlist names, as far as it does."""

    line: str  # as it stands there
    id: str = ""
    artist: str = ""
    title: str = ""
    duration_s: float | None = None
    filename: str = ""
    folders: tuple[str, ...] = ()  # in which it lies


def parse(data: bytes) -> Iterator[Wanted]:
    """The songs that an M3U or M3U8 file names, in order."""
    known: dict[str, str | float] = {}
    for line in filter(None, map(str.strip, re.split(r"[\r\n]+", _text(data)))):
        info = INFO.match(line)
        if info:
            seconds = float(info[1] or -1)
            artist, dash, title = info[2].partition(" - ")
            known |= {"artist": artist.strip() if dash else "", "title": (title if dash else info[2]).strip()}
            known |= {"duration_s": seconds} if seconds > 0 else {}
        elif line.startswith(OURS):
            known["id"] = line.removeprefix(OURS).strip()
        elif not line.startswith("#"):
            place = unquote(line.partition("?")[0]) if URL.match(line) else line
            *folders, name = place.replace("\\", "/").split("/")
            id = known.pop("id", "") or next(iter(ID.findall(line)), "")
            yield Wanted(line=line, filename=name, folders=tuple(folders), id=str(id), **known)  # type: ignore[arg-type]
            known = {}


def _text(data: bytes) -> str:
    """In the encodings that there are; what .m3u without the 8 is in, nobody says: mostly in that of Windows."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def find(records: Records, wanted: Wanted) -> list[str]:
    """The id of the song that is meant; several where that is not clear, none where none is like it.

    Known by its id, else by artist, title and length, else by its file's name: there are many of the name `01.mp3`,
    so that the folders count, as far as they name an artist or album.
    """
    record = records.get(KIND, wanted.id) if wanted.id else None
    if record and not record.deleted:
        return [record.key]
    stem = NUMBER.sub("", wanted.filename.rpartition(".")[0] or wanted.filename)
    named, values = "json_extract(doc, '$.filename') = ?", [wanted.filename]
    inside, words = condition(" ".join(wanted.folders[-1:]))
    steps = [[condition(f"{wanted.artist} {wanted.title}")]] if wanted.title else []
    steps += [[(named, values), (inside and f"{inside} AND {named}", words + values)], [condition(stem)]]
    seen: dict[str, Song] = {}
    meant: list[str] = []
    for step in steps:
        seen |= {song.id: song for way in step for song in _candidates(records, *way)}
        meant = _meant(seen.values(), wanted)
        if len(meant) == 1:
            break
    return meant


def _candidates(records: Records, where: str, values: list[str]) -> list[Song]:
    if not where:
        return []
    sql = f"SELECT key, doc FROM record WHERE kind = 'song' AND deleted = 0 AND {where} LIMIT ?"  # noqa: S608
    return [Song.of(key, json.loads(doc)) for key, doc in records.db.rows(sql, *values, CANDIDATES)]


def _meant(songs: Iterable[Song], wanted: Wanted) -> list[str]:
    """The ids of those that fit best: one if they are copies of one song, for then any will do."""
    fits = [(fit, -_off(song, wanted), song) for song in songs if (fit := _fit(song, wanted))]
    fits.sort(key=lambda one: one[:2], reverse=True)
    best = [song for fit, _, song in fits if fit == fits[0][0]]
    same = {normalise(f"{song.artist} {song.title}") if song.artist else song.id for song in best}
    clear = len(same) == 1 or (best and fits[0][0][0] and wanted.artist)
    return [song.id for song in (best[:1] if clear else best)]


def _off(song: Song, wanted: Wanted) -> float:
    """How many seconds lie between what is meant and this song."""
    return abs(song.duration_s - wanted.duration_s) if wanted.duration_s is not None else 0.0


def _fit(song: Song, wanted: Wanted) -> tuple[bool, int, bool] | None:
    """Has it the name, how many of the folders', the file's? None if it is another song."""
    title = normalise(wanted.title)
    whole = normalise(f"{wanted.artist} {wanted.title}")  # either may have a dash in it
    artists = (song.artist, song.albumartist, *song.artists) if wanted.artist else ("",)
    same_name = bool(title) and whole in {normalise(f"{artist} {song.title}") for artist in artists}
    same_file = bool(wanted.filename) and song.filename.casefold() == wanted.filename.casefold()
    stem = NUMBER.sub("", wanted.filename.rpartition(".")[0])
    same_stem = not title and normalise(song.title) in (normalise(stem), normalise(stem.rpartition(" - ")[2]))
    if _off(song, wanted) > NEAR_S or not (same_name or same_file or same_stem):
        return None
    folders = f" {normalise(' / '.join((*wanted.folders, stem)))} "
    near = sum(f" {normalise(name)} " in folders for name in {song.album, song.artist} if normalise(name))
    return same_name, near, same_file


def write(name: str, songs: Iterable[tuple[Song, str]]) -> str:
    """An M3U8 file of songs and where each lies (a path, or a URL)."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(name)}"]
    for song, place in songs:
        shown = f"{song.artist} - {song.title}" if song.artist else song.title
        lines += [f"#EXTINF:{round(song.duration_s)},{_line(shown)}", f"{OURS}{song.id}", place]
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    return " ".join(text.split())
