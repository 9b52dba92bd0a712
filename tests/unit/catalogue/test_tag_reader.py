"""Files are read in processes of their own, and what kills those kills nothing else."""

import os
import threading
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringnode.catalogue import tag_reader
from ringnode.catalogue.tag_reader import Child, TagReader
from ringnode.errors import Invalid


@pytest.fixture
def reader() -> Iterator[TagReader]:
    made = TagReader()
    yield made
    made.close()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "one.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return path


def test_it_reads_and_refuses(reader: TagReader, song: Path, tmp_path: Path) -> None:
    assert reader.read(str(song), "Étude\n.wav")["title"] == "Étude"
    (tmp_path / "text").write_text("no music")
    with pytest.raises(Invalid, match="not audio"):
        reader.read(str(tmp_path / "text"), "text.mp3")
    assert reader.read(str(song), "again.wav")["title"] == "again"


def test_a_child_that_dies_is_replaced(reader: TagReader, song: Path) -> None:
    reader.read(str(song), "one.wav")
    child = reader._free.get()
    assert child
    child._process.kill()
    child._process.wait()
    reader._free.put(child)
    with pytest.raises(Invalid, match="could not be read"):
        reader.read(str(song), "one.wav")
    assert reader.read(str(song), "one.wav")["title"] == "one"


def test_a_child_that_takes_too_long_is_replaced(song: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless")  # opening it waits for a writer that never comes
    reader = TagReader(timeout_s=0.5, workers=1)
    try:
        with pytest.raises(Invalid, match="reasonable time"):
            reader.read(str(tmp_path / "endless"), "endless.mp3")
        reader._timeout_s = 20.0
        assert reader.read(str(song), "one.wav")["title"] == "one"
    finally:
        reader.close()


def test_a_child_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    huge = tmp_path / "huge.aac"
    frame = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(10)
    with huge.open("wb") as file:
        file.write(frame * 10)
        file.truncate(400 << 20)
    reader = TagReader(memory_bytes=300 << 20)
    try:
        with pytest.raises(Invalid):
            reader.read(str(huge), "huge.aac")
    finally:
        reader.close()


def test_many_at_once(reader: TagReader, song: Path) -> None:
    titles: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: titles.append(reader.read(str(song), f"{n}.wav")["title"]))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(titles) == [str(n) for n in range(8)]


def test_a_child_ends_when_its_parent_is_gone() -> None:
    child = Child(tag_reader.MEMORY_BYTES)
    assert child._process.stdin
    child._process.stdin.close()
    assert child._process.wait(10) == 0
    child.end()


def test_closing_twice_is_harmless(song: Path) -> None:
    reader = TagReader()
    reader.read(str(song), "one.wav")
    reader.close()
    reader.close()
