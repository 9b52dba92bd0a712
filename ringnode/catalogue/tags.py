"""What a music file says of itself: the only door to mutagen.

A file comes from a stranger. Mutagen may raise anything on it, and whatever it raises is the file's fault:
Invalid. `tag_reader.py` keeps the rest (endless loops, memory) away from the server.
"""

import math
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import mutagen
from mutagen.apev2 import APEv2
from mutagen.asf import ASFTags
from mutagen.flac import Picture
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from ringnode.catalogue.durations import count
from ringnode.catalogue.integrity import check_whole
from ringnode.catalogue.model import LIST_LIMIT
from ringnode.catalogue.texts import clean, line, meant
from ringnode.errors import Invalid

SEND = "send MP3, FLAC, Ogg, Opus, M4A, WAV or the like"
AGAIN = "upload it again from the original"
COVER_LIMIT_BYTES = 16 << 20
DECIMAL_LIMIT = 100.0  # dB of a gain, times full scale of a peak: more is a mistake
FRONT = 3  # the type of a picture that is the front cover
OPUS_RATE = 48000  # whatever it was made from
R128_TO_REPLAYGAIN_DB = 5.0  # Opus' gain aims at -23 LUFS, ReplayGain at -18

# Kind of file as mutagen names it: our short name, the media type browsers want.
FORMATS = {
    "MP3": ("mp3", "audio/mpeg"), "TrueAudio": ("tta", "audio/x-tta"),
    "FLAC": ("flac", "audio/flac"), "OggFLAC": ("oggflac", "audio/ogg"), "OggVorbis": ("vorbis", "audio/ogg"),
    "OggOpus": ("opus", "audio/ogg"), "OggSpeex": ("speex", "audio/ogg"), "MP4": ("m4a", "audio/mp4"),
    "AAC": ("aac", "audio/aac"), "AC3": ("ac3", "audio/ac3"), "WAVE": ("wav", "audio/wav"),
    "AIFF": ("aiff", "audio/aiff"), "ASF": ("wma", "audio/x-ms-wma"), "MonkeysAudio": ("ape", "audio/x-ape"),
    "WavPack": ("wavpack", "audio/x-wavpack"), "Musepack": ("musepack", "audio/x-musepack"),
    "OptimFROG": ("ofr", "audio/x-ofr"), "TAK": ("tak", "audio/x-tak"), "DSF": ("dsf", "audio/x-dsf"),
    "DSDIFF": ("dff", "audio/x-dff"),
}  # fmt: skip
# Codecs in MP4 by the start of their names; whatever else there is in one is m4a.
CODECS = {"alac": "alac", "mp4a": "aac", "mp4a.40": "aac", "mp4a.66": "aac", "mp4a.67": "aac", "mp4a.68": "aac"}

# Where each field stands in the four families of tags; the first that is there counts, in any case of letters.
# A new field is one line here and one in PARSERS.
#   field: (ID3 frames, Vorbis and APE names, MP4 atoms (without ----:com.apple.iTunes:), ASF names)
NAMES: dict[str, tuple[str, str, str, str]] = {
    "title": ("TIT2", "title", "\xa9nam", "Title"),
    "artist": ("TPE1", "artist", "\xa9ART", "Author"),
    "artists": ("TXXX:ARTISTS", "artists", "ARTISTS", "WM/ARTISTS"),
    "album": ("TALB", "album", "\xa9alb", "WM/AlbumTitle"),
    "albumartist": ("TPE2", "albumartist|album artist|album_artist", "aART", "WM/AlbumArtist"),
    "track": ("TRCK", "tracknumber|track", "trkn", "WM/TrackNumber"),
    "tracks": ("", "tracktotal|totaltracks", "", "TotalTracks"),
    "disc": ("TPOS", "discnumber|disc", "disk", "WM/PartOfSet"),
    "discs": ("", "disctotal|totaldiscs", "", "TotalDiscs"),
    "date": ("TDRC|TDRL|TDOR", "date|year|originaldate", "\xa9day", "WM/Year"),
    "genres": ("TCON", "genre", "\xa9gen", "WM/Genre"),
    "composers": ("TCOM", "composer", "\xa9wrt", "WM/Composer"),
    "compilation": ("TCMP", "compilation", "cpil", "WM/IsCompilation"),
    "bpm": ("TBPM", "bpm", "tmpo", "WM/BeatsPerMinute"),
    "comment": ("COMM|COMM:ID3v1 Comment", "comment|description", "\xa9cmt", "Description"),
    "isrc": ("TSRC", "isrc", "ISRC", "WM/ISRC"),
    "mb_recording_id": ("UFID:http://musicbrainz.org", "musicbrainz_trackid", "MusicBrainz Track Id",
                        "MusicBrainz/Track Id"),
    "mb_album_id": ("TXXX:MusicBrainz Album Id", "musicbrainz_albumid", "MusicBrainz Album Id",
                    "MusicBrainz/Album Id"),
    **{field: (f"TXXX:{name}", name, name, name) for field, name in (
        ("track_gain_db", "replaygain_track_gain"), ("track_peak", "replaygain_track_peak"),
        ("album_gain_db", "replaygain_album_gain"), ("album_peak", "replaygain_album_peak"),
    )},
    "r128_track_gain_db": ("", "r128_track_gain", "", ""),
    "r128_album_gain_db": ("", "r128_album_gain", "", ""),
}  # fmt: skip
IN_ID3, IN_VORBIS, IN_MP4, IN_ASF = range(4)
WANTED = [{name.lower() for row in NAMES.values() for name in row[n].split("|")} for n in range(4)]


@dataclass(frozen=True)
class Cover:
    """A picture and its media type, one of four that browsers show and that cannot carry scripts."""

    mime: str
    data: bytes


def read(file: BinaryIO, filename: str) -> dict[str, Any]:
    """The fields of a Song that its file tells, ready for JSON. Invalid, in a sentence, for no whole audio."""
    try:
        return _read(file, filename)
    except Invalid:
        raise
    except Exception as error:
        check_whole(file, "m4a")  # the one format that cannot be opened at all when its end is missing
        reason = line(str(error))[:100] or type(error).__name__
        raise Invalid(f"the file is damaged, or not what its name says ({reason}): {AGAIN}", "file") from error


def _read(file: BinaryIO, filename: str) -> dict[str, Any]:
    audio = open_audio(file, filename)
    kind, mime = _format(audio)
    check_whole(file, kind)
    found = families(file, audio)
    fields = fields_of(found, filename)
    fields["has_cover"] = _picture(audio, found) is not None
    return fields | _facts(file, audio.info, kind, mime)


def fields_of(found: list[Any], filename: str, encoding: str = "") -> dict[str, Any]:
    """What a file's tags say, without a look at the sound.

    Texts that came as Latin-1 are taken to be meant in `encoding`, a codec's name, where they can be."""
    values = _Values(found, encoding)
    fields = {name: parse(values, name) for name, parse in PARSERS.items()}
    fields["title"] = fields["title"] or title_of(filename)
    fields["artists"] = fields["artists"] or values.texts("artist")
    fields["artist"] = line(", ".join(values.texts("artist") or fields["artists"]))
    return fields


def open_audio(file: BinaryIO, filename: str) -> Any:
    """Mutagen's view of the file. Invalid if it knows no such format; anything at all if it is broken."""
    if file.seek(0, 2) == 0:
        raise Invalid(f"the file is empty (0 bytes): {AGAIN}", "file")
    file.seek(0)
    audio = mutagen.File(fileobj=file, filename=filename)  # the name is one hint among others
    if audio is None or audio.info is None:
        raise Invalid(f"this is not audio that can be read: {SEND}", "file")
    return audio


def _format(audio: Any) -> tuple[str, str]:
    """Our short name and the media type."""
    kind, mime = FORMATS.get(type(audio).__name__, ("", ""))
    codec = getattr(audio.info, "codec", "")
    if not kind or (kind == "m4a" and not (codec and audio.info.channels)):
        raise Invalid(f"there is no audio in this file: {SEND}", "file")
    return CODECS.get(codec[:7], kind), mime


def _facts(file: BinaryIO, info: Any, kind: str, mime: str) -> dict[str, Any]:
    seconds, bitrate = _positive(getattr(info, "length", 0)), int(_positive(getattr(info, "bitrate", 0)))
    counted = count(file, mime, info)
    if counted and counted.seconds > 0:
        seconds, bitrate = counted.seconds, counted.bitrate
    if seconds <= 0:
        raise Invalid("this file does not tell its length, or has no sound: convert it to MP3 or FLAC", "file")
    return {
        "duration_s": round(seconds, 3) or 0.001,
        "bitrate": bitrate,
        "sample_rate": OPUS_RATE if kind == "opus" else int(_positive(getattr(info, "sample_rate", 0))),
        "channels": int(_positive(getattr(info, "channels", 0))),
        "format": kind,
        "mime": mime,
    }


def _positive(value: Any) -> float:
    with suppress(TypeError, ValueError, OverflowError):
        if 0 < float(value) < 1e12:  # not NaN
            return float(value)
    return 0.0


def families(file: BinaryIO, audio: Any) -> list[Any]:
    """The file's tags. MP3 and AAC may have more of them than mutagen's classes of these names look for."""
    found = [audio.tags]
    if type(audio).__name__ in ("MP3", "AAC"):
        for family in (APEv2, ID3) if audio.tags is None else (APEv2,):
            with suppress(Exception):
                file.seek(0)
                found.append(family(file))
    return [tags for tags in found if tags is not None]


class _Values:
    """The texts of a file's tags, whatever their families."""

    def __init__(self, families: list[Any], encoding: str) -> None:
        self._families = [_texts_by_name(tags, encoding) for tags in families]

    def texts(self, field: str) -> list[str]:
        """The values of the first name of the field that has any, without empty and double ones."""
        for family, texts in self._families:
            for name in NAMES[field][family].lower().split("|"):
                if name in texts:
                    return [text if field == "comment" else line(text) for text in texts[name]]
        return []

    def text(self, field: str) -> str:
        """The first value."""
        return next(iter(self.texts(field)), "")


def _texts_by_name(tags: Any, encoding: str) -> tuple[int, dict[str, list[str]]]:
    """The family of tags, and their texts by name in lower case."""
    family = family_of(tags)
    found: dict[str, list[str]] = {}
    for name, value in _items(tags):
        if name.lower() in WANTED[family]:
            with suppress(Exception):  # a tag that cannot be read is a tag that is not there
                texts = [
                    *found.get(name.lower(), []),
                    *(clean(meant(text, encoding)) for text in islice(_flat(value), LIST_LIMIT)),
                ]
                found[name.lower()] = list(dict.fromkeys(filter(None, texts)))[:LIST_LIMIT]
    return family, {name: texts for name, texts in found.items() if texts}


def family_of(tags: Any) -> int:
    """The column of NAMES that the tags are written in."""
    kinds = (ID3, IN_ID3), (MP4Tags, IN_MP4), (ASFTags, IN_ASF)
    return next((column for kind, column in kinds if isinstance(tags, kind)), IN_VORBIS)


def _items(tags: Any) -> Iterable[tuple[str, Any]]:
    if family_of(tags) == IN_ID3:  # TIT2, TXXX:description, UFID:owner; a comment's language is left out
        more = ((getattr(frame, "desc", "") or getattr(frame, "owner", ""), frame) for frame in tags.values())
        return ((f"{frame.FrameID}:{name}" if name else frame.FrameID, frame) for name, frame in more)
    if isinstance(tags, list):
        return list.__iter__(tags)  # to ask for name after name would take quadratic time
    return ((name.removeprefix("----:com.apple.iTunes:"), value) for name, value in tags.items())


def _flat(value: Any) -> Iterator[str]:
    data = getattr(value, "data", value)
    if isinstance(data, bytes):
        yield data.decode("utf-8", "replace")
    elif isinstance(value, tuple):  # MP4: (number, total)
        yield "/".join(str(part) for part in value)
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif hasattr(value, "genres"):  # ID3's genre frame decodes (17)(13)Foo
        yield from value.genres
    elif hasattr(value, "text"):
        yield from (str(part) for part in value.text)
    else:
        yield from str(value).split("\0")  # as APE parts its values


def title_of(filename: str) -> str:
    """A title from a file's name: no folders, no ending."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    stem = re.sub(r"(?<=.)\.\w{1,5}$", "", line(name))  # an ending, not what follows the point in Mr. Brown
    return stem.replace("_", " ").strip() or "Untitled"


def _genres(values: _Values, field: str) -> list[str]:
    parts = [part.strip() for text in values.texts(field) for part in re.split(r"[;/,]", text)]
    return list(dict.fromkeys(part for part in parts if part))[:LIST_LIMIT]


def _number(values: _Values, field: str) -> int:
    return _whole(values.text(field))


def _total(values: _Values, field: str) -> int:
    """Under a name of its own, or behind the stroke of one like 3/12."""
    return _whole(values.text(field) or values.text(field.removesuffix("s")).partition("/")[2])


def _whole(text: str) -> int:
    match = re.match(r"\s*0*(\d{1,4})(?!\d)", text, re.ASCII)  # a larger one is a mistake
    return int(match.group(1)) if match else 0


def _date(values: _Values, field: str) -> str:
    day = r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?"
    match = re.match(day, values.text(field), re.ASCII)
    return match.group(0) if match and match.group(1) != "0000" else ""


def _decimal(values: _Values, field: str) -> float | None:
    text = values.text(field).replace(",", ".")
    match = re.match(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", text, re.ASCII | re.IGNORECASE)
    number = float(match.group(0)) if match else math.inf
    least = 0.0 if field.endswith("peak") else -DECIMAL_LIMIT
    return number if least <= number <= DECIMAL_LIMIT else None


def _gain(values: _Values, field: str) -> float | None:
    """ReplayGain in dB, or else Opus' own: a fixed-point number with 8 bits behind the point."""
    gain, own = _decimal(values, field), values.text(f"r128_{field}")
    if gain is None and re.fullmatch(r"[+-]?\d{1,5}", own, re.ASCII) and -0x8000 <= int(own) < 0x8000:
        gain = round(int(own) / 256 + R128_TO_REPLAYGAIN_DB, 2)
    return gain if gain is not None and abs(gain) <= DECIMAL_LIMIT else None


PARSERS: dict[str, Callable[[_Values, str], Any]] = {
    **dict.fromkeys(("title", "album", "albumartist", "comment", "mb_recording_id", "mb_album_id"), _Values.text),
    **dict.fromkeys(("artists", "composers", "isrc"), _Values.texts),
    **dict.fromkeys(("track", "disc", "bpm"), _number),
    **dict.fromkeys(("tracks", "discs"), _total),
    **dict.fromkeys(("track_gain_db", "album_gain_db"), _gain),
    **dict.fromkeys(("track_peak", "album_peak"), _decimal),
    "genres": _genres,
    "date": _date,
    "compilation": lambda values, field: values.text(field).lower() in ("1", "true", "yes"),
}

MAGIC = {  # nothing else is ever served as a picture
    "image/jpeg": rb"\xff\xd8\xff", "image/png": rb"\x89PNG\r\n\x1a\n", "image/gif": rb"GIF8[79]a",
    "image/webp": rb"RIFF.{4}WEBP",
}  # fmt: skip


def cover(file: BinaryIO, filename: str) -> Cover | None:
    """The front cover, or else the first picture; None if there is none that a browser can show."""
    try:
        audio = open_audio(file, filename)
        data = _picture(audio, families(file, audio))
    except Exception:  # noqa: BLE001  whatever it is, it is the file's fault, and there is no picture to show
        return None
    return Cover(_image_type(data), data) if data else None


def _image_type(data: bytes) -> str:
    return next((mime for mime, magic in MAGIC.items() if re.match(magic, data, re.DOTALL)), "")


def _picture(audio: Any, families: list[Any]) -> bytes | None:
    blocks = ((block.type, block.data) for block in getattr(audio, "pictures", []))  # FLAC's own
    found: list[tuple[int, bytes]] = []
    for source in (blocks, *map(_pictures, families)):
        with suppress(Exception):
            found += [(kind, bytes(data)) for kind, data in source]
    good = [(kind, data) for kind, data in found if len(data) <= COVER_LIMIT_BYTES and _image_type(data)]
    return min(good, key=lambda picture: picture[0] != FRONT)[1] if good else None


def _pictures(tags: Any) -> Iterator[tuple[int, bytes]]:
    """Every picture in tags with its type."""
    family = family_of(tags)
    if family == IN_ID3:
        yield from ((frame.type, frame.data) for frame in tags.getall("APIC"))
    elif family == IN_MP4:
        yield from ((FRONT, data) for data in tags.get("covr", []))
    elif family == IN_ASF:
        yield from (_asf_picture(value.value) for value in tags.get("WM/Picture", []))
    elif hasattr(tags, "as_dict"):  # Vorbis
        for text in tags.get("metadata_block_picture", []):
            block: Any = Picture(b64decode(text))  # type: ignore[no-untyped-call]
            yield block.type, block.data
    else:  # APE: a name, a zero, the picture
        names = [name for name in tags if name.lower().startswith("cover art")]
        yield from ((FRONT if "front" in n.lower() else 0, tags[n].value.partition(b"\0")[2]) for n in names)


def _asf_picture(value: bytes) -> tuple[int, bytes]:
    """Type, size, then two texts of 16-bit letters that end with a zero, then the picture."""
    size = int.from_bytes(value[1:5], "little")
    return value[0], value[-size:] if 0 < size <= len(value) else b""
