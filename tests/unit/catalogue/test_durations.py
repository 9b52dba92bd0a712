"""Exact lengths, where heads lie or say nothing."""

import io
import random
from pathlib import Path

import pytest

from ringnode.catalogue.durations import WINDOW_BYTES, Frames, adts_frames, flac_samples, mp3_frames

FALSE_HEAD = b"\xff\xfb\x90\x00"  # a good head of MP3, without a frame


@pytest.mark.parametrize("name", ["cbr.mp3", "vbr.mp3", "no-xing.mp3"])
def test_mp3_by_its_frames(audio: dict[str, Path], name: str) -> None:
    assert mp3_frames(io.BytesIO(audio[name].read_bytes())).seconds == pytest.approx(12.5, abs=0.1)


def test_adts_by_its_frames(audio: dict[str, Path]) -> None:
    found = adts_frames(io.BytesIO(audio["adts.aac"].read_bytes()))
    assert found.seconds == pytest.approx(12.5, abs=0.1) and found.size == audio["adts.aac"].stat().st_size


def test_tags_and_junk_are_passed_over(audio: dict[str, Path]) -> None:
    sound = audio["no-xing.mp3"].read_bytes()
    if sound[:3] == b"ID3":
        sound = sound[10 + int.from_bytes(sound[8:10], "big") :]
    exact = mp3_frames(io.BytesIO(sound))
    assert exact.size == len(sound) and exact.bitrate == pytest.approx(len(sound) * 8 / 12.5, rel=0.01)
    head = b"ID3\x04\x00\x00\x00\x00\x02\x00" + FALSE_HEAD * 64
    junk = b"junk\xff\xff\xff" + FALSE_HEAD + b"junk"
    ape = b"\xff\xfb" * 50 + b"APETAGEX" + bytes(4) + (132).to_bytes(4, "little") + bytes(16)
    tail = b"TAG" + b"\xff" * 125
    assert mp3_frames(io.BytesIO(head + junk + sound + ape + tail)) == exact
    twice = mp3_frames(io.BytesIO(sound + junk + sound))
    assert twice.seconds == pytest.approx(2 * exact.seconds, abs=0.03)


def test_a_file_of_many_windows(audio: dict[str, Path]) -> None:
    sound = audio["adts.aac"].read_bytes()
    times = 3 * WINDOW_BYTES // len(sound)
    once, found = adts_frames(io.BytesIO(sound)), adts_frames(io.BytesIO(sound * times))
    assert found.size == times * once.size and found.seconds == pytest.approx(times * once.seconds)


def test_heads_that_stand_alone_are_no_sound() -> None:
    chance = random.Random(1)
    noise = b"".join(chance.randbytes(1000) + FALSE_HEAD for _ in range(300))
    assert mp3_frames(io.BytesIO(noise)).seconds < 0.2


@pytest.mark.parametrize("prefix", [b"", b"ID3\x04\x00\x10\x00\x00\x00\x05" + bytes(15)])
def test_the_samples_of_flac(audio: dict[str, Path], prefix: bytes) -> None:
    data = prefix + audio["song.flac"].read_bytes()
    promised, found, rate = flac_samples(io.BytesIO(data))
    assert promised == found == 12.5 * 44100 and rate == 44100
    half = flac_samples(io.BytesIO(data[: len(data) // 2])).found
    assert half is not None and 0 < half < promised
    assert flac_samples(io.BytesIO(data + bytes(3 << 20))).found is None, "too much behind the last frame to tell"


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff" * 5000, bytes(5000), b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f"])
def test_nothing_there_is_zero_and_ends(data: bytes) -> None:
    assert mp3_frames(io.BytesIO(data)) == adts_frames(io.BytesIO(data)) == Frames(0.0, 0)
