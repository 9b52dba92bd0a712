"""Bytes of a song from peers that come and go: the reader notices nothing."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from ringnode.errors import CorruptReplica, NotEnoughReplicas, NotFound, PeerDown
from ringnode.services import reading
from ringnode.services.reading import LocalFile, Proved, RemoteFile, as_file

DATA = random.Random(3).randbytes(5_500_000)
KEY = "ab" * 32


class Holders:
    """Peers that serve DATA until they die."""

    def __init__(self, **alive_for: int) -> None:
        self.left = alive_for
        self.asked: list[str] = []

    def fetch(self, address: str, key: str, offset: int, length: int) -> tuple[bytes, int]:
        self.asked.append(address)
        if self.left.get(address, 0) <= 0:
            raise PeerDown(f"{address} is dead")
        self.left[address] -= 1
        return DATA[offset : offset + length], len(DATA)

    def addresses(self) -> Iterator[str]:
        yield from sorted(self.left)


def remote(holders: Any) -> RemoteFile:
    return RemoteFile(holders, KEY, holders.addresses)


def no_other() -> Any:
    raise AssertionError("nobody else need be asked")


@pytest.mark.parametrize("cut", [0, 1, 300_000, len(DATA) - 1])
def test_a_local_file_that_was_cut_goes_on_from_a_peer(tmp_path: Path, cut: int) -> None:
    (tmp_path / "song").write_bytes(DATA[:cut])
    with LocalFile((tmp_path / "song").open("rb"), lambda: remote(Holders(a=100))) as source:
        assert b"".join(source.chunks(0, len(DATA))) == DATA


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the system has no file that fails when it is read")
def test_a_disk_that_fails_is_replaced_by_a_peer() -> None:
    with LocalFile(Path("/proc/self/mem").open("rb", buffering=0), lambda: remote(Holders(a=100))) as source:
        assert b"".join(source.chunks(0, len(DATA))) == DATA
        assert source.read_at(0, 100) == DATA[:100]


def test_it_reads_from_one_peer_as_long_as_it_lives() -> None:
    holders = Holders(a=100, b=100)
    file = remote(holders)
    assert file.size == len(DATA)
    assert b"".join(file.chunks(0, file.size)) == DATA
    assert set(holders.asked) == {"a"}


def test_every_death_in_the_middle_goes_unheard() -> None:
    holders = Holders(a=2, b=2, c=100)
    assert b"".join(remote(holders).chunks(0, len(DATA))) == DATA
    assert {"a", "b", "c"} <= set(holders.asked)


@given(st.integers(0, len(DATA)), st.integers(0, len(DATA)))
def test_any_part(start: int, end: int) -> None:
    assert b"".join(remote(Holders(a=100)).chunks(start, end)) == DATA[start:end]


def test_a_peer_that_does_not_have_it_is_passed_over() -> None:
    holders = Holders(a=0, b=100)

    class Missing(Holders):
        def fetch(self, address: str, key: str, offset: int, length: int) -> tuple[bytes, int]:
            if address == "a":
                raise NotFound("no copy here")
            return super().fetch(address, key, offset, length)

    assert b"".join(remote(Missing(**holders.left)).chunks(0, 100)) == DATA[:100]


def test_it_waits_while_the_ring_mends_itself() -> None:
    class Mending(Holders):
        rounds = 0

        def addresses(self) -> Iterator[str]:
            self.rounds += 1
            if self.rounds < 3:
                raise PeerDown("no way to the key just now")
            yield "a"

    assert remote(Mending(a=100)).size == len(DATA)


def test_when_nobody_has_it_the_last_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    monkeypatch.setattr(reading, "PAUSE_S", 0.01)
    with pytest.raises(NotEnoughReplicas, match="a is dead"):
        remote(Holders(a=0))


def test_leaving_in_the_middle_leaves_no_thread() -> None:
    chunks = remote(Holders(a=100)).chunks(0, len(DATA))
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("where", ["local", "remote"])
def test_what_is_read_whole_is_the_song_or_ends_early_and_is_doubted(where: str, tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(DATA)
    doubts: list[str] = []

    def proved(key: str) -> Proved:
        local = where == "local"
        source: Any = LocalFile((tmp_path / "song").open("rb"), no_other) if local else remote(Holders(a=100))
        return Proved(source, key, lambda: doubts.append(key))

    with proved(blake3(DATA).hexdigest()) as whole:
        assert b"".join(whole.chunks(0, len(DATA))) == DATA
    with proved(KEY) as rotten:
        assert b"".join(rotten.chunks(1, len(DATA))) == DATA[1:], "a part proves nothing"
        assert not doubts
        heard = bytearray()
        with pytest.raises(CorruptReplica):
            for chunk in rotten.chunks(0, len(DATA)):
                heard += chunk
    assert len(heard) < len(DATA) and doubts == [KEY]


@pytest.mark.parametrize("where", ["local", "remote"])
def test_a_source_is_a_file_for_those_who_read_tags(where: str, tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA)
    source: Any = LocalFile(path.open("rb"), no_other) if where == "local" else remote(Holders(a=1000))
    with source, as_file(source) as file:
        chance = random.Random(4)
        for _ in range(50):
            at, length = chance.randrange(len(DATA) + 10), chance.randrange(3_000)
            file.seek(at)
            assert file.read(length) == DATA[at : at + length]
        file.seek(-10, 2)
        assert file.read() == DATA[-10:]


def test_a_local_file_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(DATA)
    with LocalFile(path.open("rb"), no_other) as source:
        assert source.size == len(DATA)
        assert b"".join(source.chunks(10, 600_000)) == DATA[10:600_000]
        assert list(source.chunks(5, 5)) == []
