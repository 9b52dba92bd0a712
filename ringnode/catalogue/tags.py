"""What a music file says of itself: the only door to mutagen.

A file comes from a stranger. Mutagen may raise anything on it, and whatever it raises is the file's fault: Invalid.
`tag_reader.py` keeps the rest (endless loops, memory) away from the server.
"""

import math
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import mutagen
from mutagen.flac import Picture

from ringnode.catalogue.durations import aac_seconds, mp3_seconds
from ringnode.catalogue.integrity import check_whole
from ringnode.catalogue.model import LIST_LIMIT, TEXT_LIMIT
from ringnode.errors import Invalid

COVER_LIMIT_BYTES = 16 << 20
NUMBER_LIMIT = 9999  # a larger track or disc number is a mistake
GAIN_LIMIT_DB = 100.0
FRONT = 3  # the type of a picture that is the front cover
OPUS_RATE = 48000  # whatever it was made from
R128_TO_REPLAYGAIN_DB = 5.0  # Opus' gain aims at -23 LUFS, ReplayGain at -18

# Kind of file as mutagen names it: our short name, the media type browsers want.
FORMATS = {
    "MP3": ("mp3", "audio/mpeg"), "EasyMP3": ("mp3", "audio/mpeg"), "TrueAudio": ("tta", "audio/x-tta"),
    "FLAC": ("flac", "audio/flac"), "OggFLAC": ("oggflac", "audio/ogg"), "OggVorbis": ("vorbis", "audio/ogg"),
    "OggOpus": ("opus", "audio/ogg"), "OggSpeex": ("speex", "audio/ogg"), "MP4": ("aac", "audio/mp4"),
    "AAC": ("aac", "audio/aac"), "AC3": ("ac3", "audio/ac3"), "WAVE": ("wav", "audio/wav"),
    "AIFF": ("aiff", "audio/aiff"), "ASF": ("wma", "audio/x-ms-wma"), "MonkeysAudio": ("ape", "audio/x-ape"),
    "WavPack": ("wavpack", "audio/x-wavpack"), "Musepack": ("musepack", "audio/x-musepack"),
    "OptimFROG": ("ofr", "audio/x-ofr"), "TAK": ("tak", "audio/x-tak"), "DSF": ("dsf", "audio/x-dsf"),
    "DSDIFF": ("dff", "audio/x-dff"),
}  # fmt: skip

# Where each field stands in the four families of tags; the first that is there counts. A new field is one line.
#   field: (ID3 frames, Vorbis and APE names, MP4 atoms, ASF names)
MB4 = "----:com.apple.iTunes:"
NAMES: dict[str, tuple[str, str, str, str]] = {
    "title": ("TIT2", "title", "\xa9nam", "Title"),
    "artist": ("TPE1", "artist", "\xa9ART", "Author"),
    "artists": ("TXXX:ARTISTS|TXXX:Artists", "artists", f"{MB4}ARTISTS", "WM/ARTISTS"),
    "album": ("TALB", "album", "\xa9alb", "WM/AlbumTitle"),
    "albumartist": ("TPE2", "albumartist|album_artist", "aART", "WM/AlbumArtist"),
    "track": ("TRCK", "tracknumber|track", "trkn", "WM/TrackNumber"),
    "tracks": ("TRCK", "tracktotal|totaltracks|tracknumber|track", "trkn", "TotalTracks"),
    "disc": ("TPOS", "discnumber|disc", "disk", "WM/PartOfSet"),
    "discs": ("TPOS", "disctotal|totaldiscs|discnumber|disc", "disk", "TotalDiscs"),
    "date": ("TDRC|TDOR|TYER", "date|year|originaldate", "\xa9day", "WM/Year"),
    "genres": ("TCON", "genre", "\xa9gen|gnre", "WM/Genre"),
    "composers": ("TCOM", "composer", "\xa9wrt", "WM/Composer"),
    "compilation": ("TCMP", "compilation", "cpil", "WM/IsCompilation"),
    "bpm": ("TBPM", "bpm", "tmpo", "WM/BeatsPerMinute"),
    "comment": ("COMM", "comment|description", "\xa9cmt", "Description"),
    "isrc": ("TSRC", "isrc", f"{MB4}ISRC", "WM/ISRC"),
    "mb_recording_id": ("UFID:http://musicbrainz.org", "musicbrainz_trackid", f"{MB4}MusicBrainz Track Id",
                        "MusicBrainz/Track Id"),
    "mb_album_id": ("TXXX:MusicBrainz Album Id", "musicbrainz_albumid",
                    f"{MB4}MusicBrainz Album Id", "MusicBrainz/Album Id"),
    "track_gain_db": ("TXXX:replaygain_track_gain", "replaygain_track_gain", f"{MB4}replaygain_track_gain",
                      "replaygain_track_gain"),
    "track_peak": ("TXXX:replaygain_track_peak", "replaygain_track_peak", f"{MB4}replaygain_track_peak",
                   "replaygain_track_peak"),
    "album_gain_db": ("TXXX:replaygain_album_gain", "replaygain_album_gain", f"{MB4}replaygain_album_gain",
                      "replaygain_album_gain"),
    "album_peak": ("TXXX:replaygain_album_peak", "replaygain_album_peak", f"{MB4}replaygain_album_peak",
                   "replaygain_album_peak"),
}  # fmt: skip


@dataclass(frozen=True)
class Cover:
    """A picture and its media type, one of four that browsers show and that cannot carry scripts."""

    mime: str
    data: bytes


def read(file: BinaryIO, filename: str) -> dict[str, Any]:
    """The fields of a Song that its file tells, ready for JSON; Invalid, in a sentence, for no whole audio."""
    audio = _open(file, filename)
    kind, mime = _format(audio)
    check_whole(file, kind)
    values = _Values(audio)
    fields = {name: parse(values, name) for name, parse in PARSERS.items()}
    fields["title"] = fields["title"] or title_of(filename)
    fields["artists"] = fields["artists"] or values.texts("artist")
    fields["artist"] = ", ".join(values.texts("artist"))[:TEXT_LIMIT] or ", ".join(fields["artists"])[:TEXT_LIMIT]
    if kind == "opus":
        fields["track_gain_db"] = fields["track_gain_db"] or _r128(values.raw("r128_track_gain"))
        fields["album_gain_db"] = fields["album_gain_db"] or _r128(values.raw("r128_album_gain"))
    return fields | _facts(file, audio, kind, mime)


def _open(file: BinaryIO, filename: str) -> Any:
    file.seek(0, 2)
    if file.tell() == 0:
        raise Invalid("the file is empty: 0 bytes", "file")
    file.seek(0)
    try:
        audio = mutagen.File(_named(file, filename))
    except Exception as error:
        raise Invalid(f"the file is damaged, or is not the audio its name says: {error!s:.100}", "file") from error
    if audio is None or audio.info is None:
        raise Invalid("this is not audio that can be read: send MP3, FLAC, Ogg, Opus, M4A, WAV or the like", "file")
    return audio


def _named(file: BinaryIO, filename: str) -> Any:
    """Mutagen takes the name as a hint among others."""
    with suppress(AttributeError):  # a file of the system has its own name
        file.name = filename  # type: ignore[misc]
    return file


def _format(audio: Any) -> tuple[str, str]:
    name = type(audio).__name__
    if name not in FORMATS:
        raise Invalid(f"{name} is not audio that can be kept here", "file")
    kind, mime = FORMATS[name]
    if kind == "aac" and name == "MP4":
        codec = getattr(audio.info, "codec", "")
        if not codec or not getattr(audio.info, "channels", 0):
            raise Invalid("there is no audio in this MP4 file", "file")
        kind = {"alac": "alac", "mp4a.40.2": "aac"}.get(codec, "aac" if codec.startswith("mp4a") else codec[:10])
    return kind, mime


def _facts(file: BinaryIO, audio: Any, kind: str, mime: str) -> dict[str, Any]:
    info = audio.info
    seconds = _positive(getattr(info, "length", 0))
    # Without a Xing header mutagen guesses from the first frame: 53 % too short on a measured file.
    if kind == "mp3" and "UNKNOWN" in str(getattr(info, "bitrate_mode", "")):
        seconds = mp3_seconds(file) or seconds
    if type(audio).__name__ == "AAC":
        seconds = aac_seconds(file) or seconds
    if seconds <= 0:
        raise Invalid("there is no sound in this file: its length is 0 seconds", "file")
    return {
        "duration_s": round(seconds, 3),
        "bitrate": int(_positive(getattr(info, "bitrate", 0))),
        "sample_rate": OPUS_RATE if kind == "opus" else int(_positive(getattr(info, "sample_rate", 0))),
        "channels": int(_positive(getattr(info, "channels", 0))),
        "format": kind,
        "mime": mime,
        "has_cover": _picture(audio) is not None,
    }


def _positive(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and 0 < number < 1e12 else 0.0


# -- values ----------------------------------------------------------------------------------------------------


class _Values:
    """The texts of a file's tags, whatever their family."""

    def __init__(self, audio: Any) -> None:
        tags = audio.tags
        self._tags: Any = {} if tags is None else tags
        module = type(self._tags).__module__
        self._family = 0 if "id3" in module else 2 if "mp4" in module else 3 if "asf" in module else 1
        if type(audio).__name__ in ("WAVE", "AIFF", "DSF", "DSDIFF", "MP3", "TrueAudio"):
            self._family = 0 if "apev2" not in module else 1

    def raw(self, name: str) -> list[str]:
        """Every value under one name, as text."""
        try:
            if self._family == 0:
                found = self._tags.getall(name) if hasattr(self._tags, "getall") else []
            else:
                found = self._tags.get(name)
            return [_clean(text) for text in _flat(found)]
        except Exception:  # noqa: BLE001  a tag that cannot be read is a tag that is not there
            return []

    def texts(self, field: str) -> list[str]:
        """The values of the first name of the field that has any, without empty and double ones."""
        for name in NAMES[field][self._family].split("|"):
            found = [text for text in self.raw(name) if text]
            if found:
                return list(dict.fromkeys(found))[:LIST_LIMIT]
        return []

    def text(self, field: str) -> str:
        """The first value."""
        return next(iter(self.texts(field)), "")

    def total(self, field: str) -> str:
        """The first value under a name of totals, or what follows the stroke in one like 3/12."""
        for name in NAMES[field][self._family].split("|"):
            for text in self.raw(name)[:1]:
                found = text if "total" in name.lower() else text.partition("/")[2]
                if found:
                    return found
        return ""


def _flat(value: Any) -> Iterable[str]:
    if value is None:
        return
    if isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, tuple):  # MP4: (number, total)
        yield "/".join(str(part) for part in value)
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif hasattr(value, "genres"):  # ID3's genre frame decodes (17)(13)Foo
        yield from value.genres
    elif hasattr(value, "text"):
        yield from (str(part) for part in value.text)
    elif hasattr(value, "data") and isinstance(value.data, bytes):
        yield value.data.decode("utf-8", "replace")
    elif type(value).__module__ == "mutagen.apev2":
        yield from str(value).split("\0")
    else:
        yield str(value)


def _clean(text: str) -> str:
    """Text as a screen and a database can take it."""
    whole = text.replace("\r\n", "\n").encode("utf-8", "ignore").decode("utf-8")
    kept = (c for c in whole if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", "".join(kept)).strip()[:TEXT_LIMIT]


def title_of(filename: str) -> str:
    """A title from a file's name: no folders, no ending."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    return _clean(stem.replace("_", " ")).replace("\n", " ") or "Untitled"


def _list(values: _Values, field: str) -> list[str]:
    return values.texts(field)


def _genres(values: _Values, field: str) -> list[str]:
    parts = [part.strip() for text in values.texts(field) for part in re.split(r"[;/,]", text)]
    return list(dict.fromkeys(part for part in parts if part))[:LIST_LIMIT]


def _number(values: _Values, field: str) -> int:
    return _whole(values.text(field).partition("/")[0])


def _total(values: _Values, field: str) -> int:
    return _whole(values.total(field))


def _whole(text: str) -> int:
    match = re.match(r"\s*0*(\d{1,9})", text)
    number = int(match.group(1)) if match else 0
    return number if number <= NUMBER_LIMIT else 0


def _date(values: _Values, field: str) -> str:
    match = re.match(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?", values.text(field))
    return match.group(0) if match and match.group(1) != "0000" else ""


def _flag(values: _Values, field: str) -> bool:
    return values.text(field).lower() in ("1", "true", "yes")


def _decibels(values: _Values, field: str) -> float | None:
    match = re.match(r"\s*([+-]?\d{1,4}(?:\.\d{1,10})?)", values.text(field))
    number = float(match.group(1)) if match else None
    return number if number is not None and abs(number) <= GAIN_LIMIT_DB else None


def _r128(texts: list[str]) -> float | None:
    """A fixed-point number with 8 bits behind the point."""
    if not texts or not re.fullmatch(r"[+-]?\d{1,6}", texts[0]):
        return None
    return round(int(texts[0]) / 256 + R128_TO_REPLAYGAIN_DB, 2)


PARSERS: dict[str, Callable[[_Values, str], Any]] = {
    **dict.fromkeys(("title", "album", "albumartist", "comment", "mb_recording_id", "mb_album_id"), _Values.text),
    **dict.fromkeys(("artists", "composers", "isrc"), _list),
    **dict.fromkeys(("track", "disc", "bpm"), _number),
    **dict.fromkeys(("tracks", "discs"), _total),
    **dict.fromkeys(("track_gain_db", "track_peak", "album_gain_db", "album_peak"), _decibels),
    "genres": _genres,
    "date": _date,
    "compilation": _flag,
}

# -- pictures --------------------------------------------------------------------------------------------------

MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))


def cover(file: BinaryIO, filename: str) -> Cover | None:
    """The front cover, or else the first picture; None if there is none that a browser can show."""
    try:
        data = _picture(_open(file, filename))
    except Invalid:
        return None
    return Cover(_image_type(data), data) if data else None


def _image_type(data: bytes) -> str:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime for magic, mime in MAGIC if data.startswith(magic)), "")


def _picture(audio: Any) -> bytes | None:
    try:
        found = [(kind, bytes(data)) for kind, data in _pictures(audio)]
    except Exception:  # noqa: BLE001  a picture that cannot be read is no picture
        return None
    good = [(kind, data) for kind, data in found if len(data) <= COVER_LIMIT_BYTES and _image_type(data)]
    good.sort(key=lambda picture: picture[0] != FRONT)
    return good[0][1] if good else None


def _pictures(audio: Any) -> Iterable[tuple[int, bytes]]:
    """Every picture with its type."""
    tags = audio.tags
    yield from ((picture.type, picture.data) for picture in getattr(audio, "pictures", []))
    if tags is None:
        return
    if hasattr(tags, "getall"):
        yield from ((frame.type, frame.data) for frame in tags.getall("APIC"))
    for text in tags.get("metadata_block_picture", []) if hasattr(tags, "get") else []:
        picture: Any = Picture(b64decode(text))  # type: ignore[no-untyped-call]
        yield picture.type, picture.data
    for data in tags.get("covr", []):
        yield FRONT, data
    for value in tags.get("WM/Picture", []):
        yield _asf_picture(value.value)
    if "Cover Art (Front)" in tags:
        yield FRONT, tags["Cover Art (Front)"].value.partition(b"\0")[2]


def _asf_picture(value: bytes) -> tuple[int, bytes]:
    """Type, size, then two texts of 16-bit letters that end with a zero, then the picture."""
    size = int.from_bytes(value[1:5], "little")
    return value[0], value[-size:] if 0 < size <= len(value) else b""
