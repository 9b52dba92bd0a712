"""What files of every format say, and what hostile ones cannot do."""

import io
import json
import random
import struct
import wave
import zlib
from base64 import b64encode
from dataclasses import fields
from pathlib import Path
from typing import Any

import mutagen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.apev2 import APEBinaryValue, APEv2
from mutagen.asf import ASFByteArrayAttribute
from mutagen.flac import Picture
from mutagen.id3 import APIC, COMM, ID3, TALB, TCMP, TCON, TDRC, TIT2, TPE1, TPE2, TPOS, TRCK, TXXX, UFID

from ringnode.catalogue import tags
from ringnode.catalogue.model import LIST_LIMIT, TEXT_LIMIT, Song
from ringnode.errors import Invalid

FORMATS = {
    "cbr.mp3": ("mp3", "audio/mpeg"),
    "vbr.mp3": ("mp3", "audio/mpeg"),
    "no-xing.mp3": ("mp3", "audio/mpeg"),
    "song.flac": ("flac", "audio/flac"),
    "vorbis.ogg": ("vorbis", "audio/ogg"),
    "song.opus": ("opus", "audio/ogg"),
    "flac.oga": ("oggflac", "audio/ogg"),
    "aac.m4a": ("aac", "audio/mp4"),
    "alac.m4a": ("alac", "audio/mp4"),
    "song.wav": ("wav", "audio/wav"),
    "song.aiff": ("aiff", "audio/aiff"),
    "song.wma": ("wma", "audio/x-ms-wma"),
    "song.wv": ("wavpack", "audio/x-wavpack"),
    "song.tta": ("tta", "audio/x-tta"),
    "adts.aac": ("aac", "audio/aac"),
}
NOT_FROM_THE_FILE = {"id", "size_bytes", "filename", "added_at", "added_by"}
WITH_ID3 = ("cbr.mp3", "song.wav", "song.aiff")
VORBIS = ("song.flac", "vorbis.ogg", "song.opus", "flac.oga")


def png(size: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(3 * size) for _ in range(size)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        found = tags.read(file, path.name)
    well_formed(found)
    return found


def well_formed(found: dict[str, Any]) -> None:
    """Just the fields of a Song that come from files, each as the model has it."""
    assert set(found) == {f.name for f in fields(Song)} - NOT_FROM_THE_FILE
    doc = json.loads(json.dumps(found))
    assert doc == found and json.dumps(found, ensure_ascii=False).encode("utf-8")
    song = Song.of("ab", found)
    for name, value in found.items():
        assert getattr(song, name) == (tuple(value) if isinstance(value, list) else value), name
        for text in value if isinstance(value, list) else [value] if isinstance(value, str) else []:
            assert len(text) <= TEXT_LIMIT and "\0" not in text
        assert not isinstance(value, list) or len(value) <= LIST_LIMIT
    assert found["title"] and found["duration_s"] > 0


def copy(path: Path, folder: Path) -> Path:
    made = folder / path.name
    made.write_bytes(path.read_bytes())
    return made


def with_id3(path: Path, *frames: Any) -> Path:
    song = mutagen.File(path)
    if song.tags is None:
        song.add_tags()
    for frame in frames:
        song.tags.add(frame)
    song.save()
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(audio: dict[str, Path], name: str) -> None:
    found = read(audio[name])
    assert (found["format"], found["mime"]) == FORMATS[name]
    assert found["duration_s"] == pytest.approx(12.5, abs=0.15)
    assert found["sample_rate"] in (44100, 48000) and found["channels"] == (0 if name == "song.tta" else 2)
    assert found["title"] == audio[name].stem.replace("_", " ") and found["has_cover"] is False


def test_wav_needs_nothing_but_python(tmp_path: Path) -> None:
    path = tmp_path / "my_song.wav"
    with wave.open(str(path), "wb") as song:
        song.setnchannels(1)
        song.setsampwidth(2)
        song.setframerate(8000)
        song.writeframes(bytes(16000))
    found = read(path)
    assert (found["title"], found["duration_s"], found["format"], found["channels"]) == ("my song", 1.0, "wav", 1)
    for streamed in (0, 0xFFFFFFFF):  # its size was not known when its head was written
        data = bytearray(path.read_bytes())
        data[40:44] = streamed.to_bytes(4, "little")
        assert tags.read(io.BytesIO(bytes(data)), path.name)["duration_s"] == 1.0


def test_the_length_of_a_flac_that_was_streamed(audio: dict[str, Path]) -> None:
    data = bytearray(audio["song.flac"].read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    assert tags.read(io.BytesIO(bytes(data)), "streamed")["duration_s"] == pytest.approx(12.5, abs=0.001)


def test_the_name_given_is_the_hint_not_that_of_the_spool(audio: dict[str, Path], tmp_path: Path) -> None:
    spool = tmp_path / "upload-1"
    spool.write_bytes(audio["adts.aac"].read_bytes())
    with spool.open("rb") as file:
        assert tags.read(file, "song.aac")["mime"] == "audio/aac"


def test_a_variable_rate_is_told_by_its_frames(audio: dict[str, Path]) -> None:
    path = audio["no-xing.mp3"]
    assert read(path)["bitrate"] == pytest.approx(path.stat().st_size * 8 / 12.5, rel=0.02)


@pytest.mark.parametrize("name", WITH_ID3)
def test_id3(audio: dict[str, Path], tmp_path: Path, name: str) -> None:
    frames = (
        TIT2(encoding=3, text="  Tïtle\x00 "),
        TPE1(encoding=3, text=["Ana", "Böb"]),
        TPE2(encoding=3, text="Band"),
        TALB(encoding=3, text="Album"),
        TRCK(encoding=3, text="3/12"),
        TPOS(encoding=3, text="1/2"),
        TDRC(encoding=3, text="1999-12-31"),
        TCON(encoding=3, text="(17);Jazz/Folk"),
        TCMP(encoding=3, text="1"),
        COMM(encoding=3, lang="eng", desc="", text="hello"),
        TXXX(encoding=3, desc="replaygain_track_gain", text="-6.54 dB"),
        TXXX(encoding=3, desc="replaygain_track_peak", text="0.98"),
        UFID(owner="http://musicbrainz.org", data=b"mb-1"),
        TXXX(encoding=3, desc="MusicBrainz Album Id", text="mb-2"),
        APIC(encoding=0, mime="x", type=3, desc="", data=png()),
    )
    found = read(with_id3(copy(audio[name], tmp_path), *frames))
    expected = {
        "title": "Tïtle",
        "artist": "Ana, Böb",
        "artists": ["Ana", "Böb"],
        "albumartist": "Band",
        "album": "Album",
        "track": 3,
        "tracks": 12,
        "disc": 1,
        "discs": 2,
        "date": "1999-12-31",
        "genres": ["Rock", "Jazz", "Folk"],
        "compilation": True,
        "comment": "hello",
        "track_gain_db": -6.54,
        "track_peak": 0.98,
        "has_cover": True,
        "mb_recording_id": "mb-1",
        "mb_album_id": "mb-2",
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("name", VORBIS)
def test_vorbis_comments(audio: dict[str, Path], tmp_path: Path, name: str) -> None:
    path = copy(audio[name], tmp_path)
    song = mutagen.File(path)
    picture = Picture()
    picture.type, picture.data = 3, png()
    song.tags.update(
        {
            "title": "Título",
            "artist": ["Ana"],
            "artists": ["Ana", "Eva"],
            "albumartist": "Ana",
            "tracknumber": "3",
            "tracktotal": "12",
            "discnumber": "1/2",
            "date": "1999-12",
            "genre": ["Jazz; Folk"],
            "bpm": "120",
            "replaygain_album_gain": "+2.5 dB",
            "isrc": "ESA011234567",
            "composer": ["A", "B"],
            "metadata_block_picture": [b64encode(picture.write()).decode()],
        }
    )
    song.save()
    found = read(path)
    expected = {
        "title": "Título",
        "artist": "Ana",
        "artists": ["Ana", "Eva"],
        "track": 3,
        "tracks": 12,
        "disc": 1,
        "discs": 2,
        "date": "1999-12",
        "genres": ["Jazz", "Folk"],
        "bpm": 120,
        "album_gain_db": 2.5,
        "isrc": ["ESA011234567"],
        "composers": ["A", "B"],
        "has_cover": True,
    }
    assert {name: found[name] for name in expected} == expected


def test_the_last_track_keeps_its_total(audio: dict[str, Path], tmp_path: Path) -> None:
    path = copy(audio["song.flac"], tmp_path)
    song = mutagen.File(path)
    song.tags.update({"tracknumber": "3", "tracktotal": "3", "discnumber": "2"})
    song.save()
    found = read(path)
    assert (found["track"], found["tracks"], found["disc"], found["discs"]) == (3, 3, 2, 0)


@pytest.mark.parametrize(
    ("own", "replaygain", "expected"),
    [("-1024", "", 1.0), ("256", "0.00 dB", 0.0), ("99999", "", None), ("-32768", "", None), ("x", "", None)],
)
def test_opus_gain_is_translated(
    audio: dict[str, Path], tmp_path: Path, own: str, replaygain: str, expected: float | None
) -> None:
    path = copy(audio["song.opus"], tmp_path)
    song = mutagen.File(path)
    song.tags.update({"R128_TRACK_GAIN": own, "REPLAYGAIN_TRACK_GAIN": replaygain})
    song.save()
    assert read(path)["track_gain_db"] == expected


@pytest.mark.parametrize(
    ("text", "gain", "peak"),
    [
        ("-6.5 dB", -6.5, None),
        ("+.5", 0.5, 0.5),
        ("1,25 dB", 1.25, 1.25),
        ("9.5e-05", 9.5e-05, 9.5e-05),
        ("nan", None, None),
        ("-inf", None, None),
        ("1e999", None, None),
        ("9" * 999, None, None),
    ],
)
def test_decimals(audio: dict[str, Path], tmp_path: Path, text: str, gain: float, peak: float) -> None:
    path = copy(audio["song.flac"], tmp_path)
    song = mutagen.File(path)
    song.tags.update({"replaygain_album_gain": text, "replaygain_track_peak": text})
    song.save()
    assert (read(path)["album_gain_db"], read(path)["track_peak"]) == (gain, peak)


def test_names_are_found_in_any_case_and_comments_of_programs_are_none(
    audio: dict[str, Path], tmp_path: Path
) -> None:
    found = read(
        with_id3(
            copy(audio["cbr.mp3"], tmp_path),
            TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text="-6.5 dB"),
            TXXX(encoding=3, desc="musicbrainz album id", text="mb-2"),
            COMM(encoding=3, lang="eng", desc="iTunNORM", text="000003D1 0000"),
            COMM(encoding=3, lang="deu", desc="", text="one\ntwo"),
            TALB(encoding=3, text="one\ntwo"),
            TPE1(encoding=3, text="AC/DC & Friends"),
        )
    )
    assert (found["track_gain_db"], found["mb_album_id"]) == (-6.5, "mb-2")
    assert (found["comment"], found["album"]) == ("one\ntwo", "one two")
    assert found["artists"] == ["AC/DC & Friends"], "names are not split"


def test_tags_that_mutagen_leaves_to_us(audio: dict[str, Path], tmp_path: Path) -> None:
    mp3, aac = copy(audio["cbr.mp3"], tmp_path), copy(audio["adts.aac"], tmp_path)
    with_id3(mp3, TIT2(encoding=3, text="Of ID3"))
    ape = APEv2()
    ape.update({"Title": "Of APE", "replaygain_album_gain": "-3.00 dB"})
    ape.save(mp3)
    found = read(mp3)
    assert (found["title"], found["album_gain_db"]) == ("Of ID3", -3.0)
    own = ID3()
    own.add(TIT2(encoding=3, text="Of AAC"))
    own.save(aac)
    assert read(aac)["title"] == "Of AAC"


def test_mp4(audio: dict[str, Path], tmp_path: Path) -> None:
    path = copy(audio["aac.m4a"], tmp_path)
    song = mutagen.File(path)
    song.tags.update(
        {
            "\xa9nam": ["T"],
            "\xa9ART": ["Ana"],
            "aART": ["Band"],
            "trkn": [(3, 12)],
            "disk": [(1, 2)],
            "cpil": True,
            "\xa9day": ["1999-12-31T00:00:00Z"],
            "covr": [png()],
            "tmpo": [99],
            "----:com.apple.iTunes:MusicBrainz Track Id": [b"mb-1"],
            "----:com.apple.iTunes:replaygain_track_gain": [b"-3.00 dB"],
        }
    )
    song.save()
    found = read(path)
    expected = {
        "title": "T",
        "artist": "Ana",
        "artists": ["Ana"],
        "albumartist": "Band",
        "track": 3,
        "tracks": 12,
        "disc": 1,
        "discs": 2,
        "compilation": True,
        "date": "1999-12-31",
        "bpm": 99,
        "mb_recording_id": "mb-1",
        "track_gain_db": -3.0,
        "has_cover": True,
    }
    assert {name: found[name] for name in expected} == expected


def test_asf_and_ape(audio: dict[str, Path], tmp_path: Path) -> None:
    for name, values in (
        ("song.wma", {"Title": "T", "Author": "Ana", "WM/TrackNumber": "3", "WM/Year": "1999"}),
        ("song.wv", {"Title": "T", "Artist": "Ana", "Track": "3/12", "Year": "1999"}),
    ):
        path = copy(audio[name], tmp_path)
        song = mutagen.File(path)
        if song.tags is None:
            song.add_tags()
        song.tags.update(values)
        song.save()
        found = read(path)
        assert (found["title"], found["artist"], found["track"], found["date"]) == ("T", "Ana", 3, "1999"), name


@pytest.mark.parametrize("kind", ["id3", "vorbis"])
def test_texts_are_bounded_and_clean(audio: dict[str, Path], tmp_path: Path, kind: str) -> None:
    if kind == "id3":
        path = with_id3(
            copy(audio["cbr.mp3"], tmp_path), TIT2(encoding=3, text="x" * 10_000), TRCK(encoding=3, text="-7")
        )
    else:
        path = copy(audio["song.flac"], tmp_path)
        song = mutagen.File(path)
        song.tags.update(
            {
                "title": "x" * 10_000,
                "genre": [str(n) for n in range(200)],
                "tracknumber": "9" * 30,
                "replaygain_track_gain": "nan",
                "date": "the 80s",
                "discnumber": "²",
            }
        )
        song.save()
    found = read(path)
    assert found["title"] == "x" * TEXT_LIMIT and found["track"] == 0 and found["track_gain_db"] is None
    assert len(found["genres"]) <= LIST_LIMIT and found["date"] == "" and found["disc"] == 0


@pytest.mark.parametrize(
    ("filename", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\music\\My_Song.mp3", "My Song"),
        ("Mr. Brown", "Mr. Brown"),
        ("\ud800a\nb.flac", "a b"),
        ("a\x00b\x1b.wav", "ab"),
        (".hidden", ".hidden"),
        ("", "Untitled"),
        ("\u202e.wav", "\u202e"),
    ],
)
def test_a_title_of_a_name(filename: str, title: str) -> None:
    assert tags.title_of(filename) == title


def test_covers(audio: dict[str, Path], tmp_path: Path) -> None:
    back, front = png(4), png(16)
    path = with_id3(
        copy(audio["cbr.mp3"], tmp_path),
        APIC(encoding=0, mime="image/png", type=4, desc="back", data=back),
        APIC(encoding=0, mime="image/png", type=3, desc="front", data=front),
    )
    with path.open("rb") as file:
        assert tags.cover(file, path.name) == tags.Cover("image/png", front)


def jpeg() -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(20)


def vorbis_picture(data: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.data = 3, data
    return picture


def embed(song: Any, data: bytes) -> None:
    """The picture in the way of the file's kind."""
    if song.tags is None:
        song.add_tags()
    kind = type(song).__name__
    if kind in ("MP3", "WAVE", "AIFF", "TrueAudio"):
        song.tags.add(APIC(encoding=0, mime="", type=3, desc="", data=data))
    elif kind == "FLAC":
        song.add_picture(vorbis_picture(data))
    elif kind == "MP4":
        song.tags["covr"] = [data]
    elif kind == "WavPack":
        song.tags["Cover Art (Front)"] = APEBinaryValue(b"cover.jpg\0" + data)
    elif kind == "ASF":
        head = b"\x03" + len(data).to_bytes(4, "little") + "image/jpeg\0\0".encode("utf-16-le")
        song.tags["WM/Picture"] = [ASFByteArrayAttribute(head + data)]
    else:
        song.tags["metadata_block_picture"] = [b64encode(vorbis_picture(data).write()).decode()]
    song.save()


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"adts.aac"}))
def test_a_cover_in_every_format(audio: dict[str, Path], tmp_path: Path, name: str) -> None:
    path = copy(audio[name], tmp_path)
    embed(mutagen.File(path), jpeg())
    assert read(path)["has_cover"]
    with path.open("rb") as file:
        assert tags.cover(file, name) == tags.Cover("image/jpeg", jpeg())


@pytest.mark.parametrize(
    ("data", "mime"),
    [(png(), "image/png"), (b"GIF89a" + bytes(9), "image/gif"), (b"RIFF\n\0\0\0WEBPVP8 ", "image/webp")],
)
def test_kinds_of_covers(audio: dict[str, Path], tmp_path: Path, data: bytes, mime: str) -> None:
    path = copy(audio["song.flac"], tmp_path)
    embed(mutagen.File(path), data)
    with path.open("rb") as file:
        assert tags.cover(file, path.name) == tags.Cover(mime, data)


def test_a_picture_may_be_too_large(audio: dict[str, Path], tmp_path: Path) -> None:
    path = copy(audio["cbr.mp3"], tmp_path)
    embed(mutagen.File(path), jpeg() + bytes(tags.COVER_LIMIT_BYTES))
    assert read(path)["has_cover"] is False


@pytest.mark.parametrize("data", [b"<svg onload='alert(1)'/>", b"<html>", b"", b"BM" + bytes(100), bytes(50)])
def test_what_could_carry_scripts_is_no_cover(audio: dict[str, Path], tmp_path: Path, data: bytes) -> None:
    path = with_id3(
        copy(audio["cbr.mp3"], tmp_path), APIC(encoding=0, mime="image/svg+xml", type=3, desc="", data=data)
    )
    assert read(path)["has_cover"] is False
    with path.open("rb") as file:
        assert tags.cover(file, path.name) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"plain text " * 100,
        bytes(4096),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"<html></html>",
        b"MThd" + bytes(50),
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f",
        b"OggS" + bytes(100),
        b"fLaC" + bytes(100),
        b"RIFF\xff\xff\xff\xffWAVE",
        b"\x00\x00\x00\x20ftypM4A " + bytes(100),
        b"MAC " + bytes(100),
        b"wvpk" + bytes(100),
        b"MPCK" + bytes(100),
        b"TTA1" + bytes(100),
        b"DSD " + bytes(100),
        b"FRM8" + bytes(100),
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(100),
    ],
)
@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.m4a", "a.wma", "a.spx", "a"])
def test_what_is_no_audio_is_said(data: bytes, name: str) -> None:
    with pytest.raises(Invalid) as error:
        tags.read(io.BytesIO(data), name)
    assert error.value.field == "file" and len(str(error.value)) > 10


def test_notes_are_no_audio() -> None:
    midi = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0"
    with pytest.raises(Invalid, match="no audio in this file: send MP3"):
        tags.read(io.BytesIO(midi), "song.mid")


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_hostile_files_do_no_harm(audio: dict[str, Path], data: st.DataObject) -> None:
    """Cut, overwritten, spliced: a file is refused with a reason or gives well-formed fields, and nothing else."""
    name = data.draw(st.sampled_from(sorted(audio)))
    whole = bytearray(audio[name].read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, min(len(whole) - 1, 1000)) | st.integers(0, len(whole) - 1))
        whole[at : at + 4] = data.draw(st.binary(min_size=1, max_size=8))
    cut = data.draw(st.just(len(whole)) | st.integers(1, len(whole)))
    try:
        found = tags.read(io.BytesIO(bytes(whole[:cut])), name)
    except Invalid as error:
        assert error.field == "file"
    else:
        well_formed(found)
    tags.cover(io.BytesIO(bytes(whole[:cut])), name)


def test_random_bytes_behind_every_magic() -> None:
    chance = random.Random(11)
    for magic in (
        b"ID3\x03\x00\x00\x00\x00\x02\x01",
        b"fLaC\x00\x00\x00\x22",
        b"OggS\x00\x02",
        b"RIFF\x00\x00\x10\x00WAVEfmt ",
    ):
        for _ in range(50):
            try:
                well_formed(tags.read(io.BytesIO(magic + chance.randbytes(3000)), "a"))
            except Invalid:
                continue
