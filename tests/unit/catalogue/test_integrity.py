"""A file that was cut is told from a whole one, and no whole one is refused."""

import io
from pathlib import Path

import pytest

from ringnode.catalogue import tags
from ringnode.catalogue.integrity import check_whole
from ringnode.errors import Invalid

CUT_IS_SEEN = [
    "song.flac",
    "vorbis.ogg",
    "song.opus",
    "flac.oga",
    "aac.m4a",
    "alac.m4a",
    "song.wav",
    "song.aiff",
    "cbr.mp3",
    "vbr.mp3",
]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.77, 0.9])
@pytest.mark.parametrize("name", CUT_IS_SEEN)
def test_a_cut_file_is_refused(audio: dict[str, Path], name: str, share: float) -> None:
    data = audio[name].read_bytes()
    if name.endswith("mp3"):
        share = min(share, 0.8)  # what it counts is believed to within 16 KiB, and these files are small
    with pytest.raises(Invalid) as error:
        tags.read(io.BytesIO(data[: int(len(data) * share)]), name)
    assert error.value.field == "file"


@pytest.mark.parametrize("name", ["song.flac", "cbr.mp3"])
def test_the_tags_alone_are_read_without_a_look_at_the_sound(audio: dict[str, Path], name: str) -> None:
    data = audio[name].read_bytes()
    whole = tags.read(io.BytesIO(data), name)
    file = io.BytesIO(data[: len(data) // 2])
    fields = tags.fields_of(tags.families(file, tags.open_audio(file, name)), name)
    assert fields == {field: whole[field] for field in fields} and fields["title"]


@pytest.mark.parametrize("name", CUT_IS_SEEN)
def test_a_whole_file_with_something_behind_it_is_not(audio: dict[str, Path], name: str) -> None:
    data = audio[name].read_bytes()
    kind = tags.read(io.BytesIO(data), name)["format"]
    check_whole(io.BytesIO(data), kind)
    check_whole(io.BytesIO(data + bytes(128)), kind)


@pytest.mark.parametrize("name", ["aac.m4a", "song.flac"])
@pytest.mark.parametrize("behind", [b"TAG" + b"a" * 125, bytes(200_000), b"\xff" * (3 << 20)])
def test_tags_and_junk_behind_a_whole_file_are_no_alarm(audio: dict[str, Path], name: str, behind: bytes) -> None:
    tags.read(io.BytesIO(audio[name].read_bytes() + behind), name)


@pytest.mark.parametrize("missing", [1, 2000, 50_000])
@pytest.mark.parametrize("name", ["vorbis.ogg", "song.opus", "flac.oga", "aac.m4a", "alac.m4a"])
def test_what_ends_inside_a_page_or_box_is_refused(audio: dict[str, Path], name: str, missing: int) -> None:
    with pytest.raises(Invalid, match="ends early"):
        tags.read(io.BytesIO(audio[name].read_bytes()[:-missing]), name)


def test_a_flac_that_ends_inside_its_first_frame(audio: dict[str, Path]) -> None:
    data = audio["song.flac"].read_bytes()
    first = data.index(b"\xff\xf8", 42)
    with pytest.raises(Invalid, match="ends early"):
        check_whole(io.BytesIO(data[: first + 3]), "flac")


def test_an_mp3_is_allowed_small_lies(audio: dict[str, Path]) -> None:
    data = audio["cbr.mp3"].read_bytes()
    check_whole(io.BytesIO(data[: -(16 << 10)]), "mp3")
    with pytest.raises(Invalid, match="ends early"):
        check_whole(io.BytesIO(data[: -(16 << 10) - 600]), "mp3")


def test_the_reason_names_what_is_missing(audio: dict[str, Path]) -> None:
    data = audio["song.wav"].read_bytes()
    with pytest.raises(Invalid, match=r"ends early: 1\.\d of 2\.2 MB are missing"):
        check_whole(io.BytesIO(data[: len(data) // 2]), "wav")


@pytest.mark.parametrize("size", [bytes(4), b"\xff" * 4])
@pytest.mark.parametrize(("name", "chunk"), [("song.wav", b"data"), ("song.aiff", b"SSND")])
def test_what_was_streamed_has_no_length_to_hold_it_to(
    audio: dict[str, Path], name: str, chunk: bytes, size: bytes
) -> None:
    data = bytearray(audio[name].read_bytes())
    at = data.index(chunk) + 4
    data[at : at + 4] = size
    check_whole(io.BytesIO(bytes(data)), name.removeprefix("song."))
