"""Exact lengths, where heads lie or say nothing."""

import io
from pathlib import Path

import pytest

from ringnode.catalogue.durations import aac_seconds, mp3_seconds


@pytest.mark.parametrize("name", ["cbr.mp3", "vbr.mp3", "no-xing.mp3"])
def test_mp3_by_its_frames(audio: dict[str, Path], name: str) -> None:
    assert mp3_seconds(io.BytesIO(audio[name].read_bytes())) == pytest.approx(12.5, abs=0.1)


def test_adts_by_its_frames(audio: dict[str, Path]) -> None:
    assert aac_seconds(io.BytesIO(audio["adts.aac"].read_bytes())) == pytest.approx(12.5, abs=0.1)


def test_tags_and_junk_are_passed_over(audio: dict[str, Path]) -> None:
    sound = audio["no-xing.mp3"].read_bytes()
    if sound[:3] == b"ID3":
        sound = sound[10 + int.from_bytes(sound[8:10], "big") :]
    exact = mp3_seconds(io.BytesIO(sound))
    head = b"ID3\x04\x00\x00\x00\x00\x02\x00" + b"\xff\xfb\x90\x00" * 64
    tail = b"TAG" + b"\xff" * 125
    assert mp3_seconds(io.BytesIO(head + b"junk\xff\xff\xffjunk" + sound + tail)) == pytest.approx(exact, abs=0.06)


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff" * 5000, bytes(5000), b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f"])
def test_nothing_there_is_zero_and_ends(data: bytes) -> None:
    assert mp3_seconds(io.BytesIO(data)) == 0.0
    assert aac_seconds(io.BytesIO(data)) == 0.0
