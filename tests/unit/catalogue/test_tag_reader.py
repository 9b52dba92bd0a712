"""Files are read in processes of their own, and what kills those kills nothing else."""

import os
import signal
import subprocess
import sys
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
    with pytest.raises(Invalid, match="not what its name says"):
        reader.read(str(tmp_path / "text"), "text.mp3")
    assert reader.read(str(song), "again.wav")["title"] == "again"


def test_a_child_that_dies_is_replaced(reader: TagReader, song: Path) -> None:
    reader.read(str(song), "one.wav")
    child = reader._free.get()
    assert child
    child._process.kill()
    child._process.wait()
    reader._free.put(child)
    assert reader.read(str(song), "one.wav")["title"] == "one", "that it died while idle is no fault of this file"


def test_a_child_that_dies_over_a_file_is_replaced(reader: TagReader, song: Path) -> None:
    child = Child(tag_reader.MEMORY_BYTES)
    child._process.send_signal(signal.SIGSTOP)  # so that it cannot answer before it dies
    killer = threading.Thread(target=child._process.kill)
    killer.start()
    with pytest.raises(Invalid, match="could not be read"):
        child.ask(("read", str(song), "one.wav"), 20.0)
    killer.join()
    assert not child.alive()
    reader._free.get()
    reader._free.put(child)
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
    huge = tmp_path / "huge.mp3"
    with huge.open("wb") as file:
        file.write(b"ID3\x04\x00\x00\x7f\x00\x00\x00APIC\x7e\x00\x00\x00")  # a tag of 254 MiB
        file.truncate(300 << 20)
    reader = TagReader(memory_bytes=200 << 20)
    try:
        with pytest.raises(Invalid, match=r"MemoryError|could not be read"):
            reader.read(str(huge), "huge.mp3")
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


def test_closing_leaves_nothing_behind_and_is_harmless_twice(song: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))
    reader = TagReader()
    reader.read(str(song), "one.wav")
    child = reader._free.get()
    reader._free.put(child)
    reader.close()
    reader.close()
    assert child and not child.alive() and set(os.listdir("/proc/self/fd")) == before
    with pytest.raises(RuntimeError, match="closed"):
        reader.read(str(song), "one.wav")


def test_names_of_any_letters(reader: TagReader, song: Path) -> None:
    assert reader.read(str(song), "\udcffé\u2028🎵\n.wav")["title"] == "é\u2028🎵"


def test_the_child_imports_little() -> None:
    code = "import sys, ringnode.catalogue.tag_reader, ringnode.catalogue.tags; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mutagen" in loaded and not {"flask", "Pyro5", "sqlite3", "asyncio"} & set(loaded)
