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


@pytest.mark.parametrize("name", CUT_IS_SEEN)
def test_a_whole_file_with_something_behind_it_is_not(audio: dict[str, Path], name: str) -> None:
    data = audio[name].read_bytes()
    kind = tags.read(io.BytesIO(data), name)["format"]
    check_whole(io.BytesIO(data), kind)
    check_whole(io.BytesIO(data + bytes(128)), kind)


def test_the_reason_names_what_is_missing(audio: dict[str, Path]) -> None:
    data = audio["song.wav"].read_bytes()
    with pytest.raises(Invalid, match=r"ends early: 1\.\d of 2\.2 MB are missing"):
        check_whole(io.BytesIO(data[: len(data) // 2]), "wav")


def test_a_wav_that_was_streamed_has_no_length_to_hold_it_to(audio: dict[str, Path]) -> None:
    data = bytearray(audio["song.wav"].read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    check_whole(io.BytesIO(bytes(data)), "wav")
